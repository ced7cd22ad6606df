"""What is said about the data before a run begins, and what is refused before one is deleted."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.batch_plan import check_batch_fits
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.facts import data_facts
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks import task
from mobilenet_tf.training.recipe import load_recipe


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(0)
    for name in ("bus", "car"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(6):
            pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{index}.png")
    return tmp_path / "photos"


@pytest.fixture
def settings(photos):
    return RunSettings(
        data=str(photos),
        network=make_network("v1", 0.25, 32),
        recipe=load_recipe("small_data"),
    )


def test_one_line_before_training(settings, photos, monkeypatch):
    said = []
    monkeypatch.setattr(task, "announce", said.append)
    Image.new("RGB", (32, 32), "red").save(photos / "bus" / "red.png")
    (photos / "car" / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    run = begin(settings, out=photos.parent / "run")
    assert len(said) == 1
    assert "\n" not in said[0]
    assert "2 classes (bus, car); 9 training, 2 validation and 2 test images" in said[0]
    assert "1 left out because it is HEIC or a video" in said[0]
    assert run.result().data.notes == ("1 image is of one colour, or nearly so (bus/red.png)",)


def test_a_run_inside_its_data_is_not_read_as_a_class(settings, photos, monkeypatch):
    monkeypatch.chdir(photos)
    inside = replace(settings, data=".")
    run = begin(inside, out="runs/first")
    assert run.classes == ("bus", "car")
    # Neither a later stage nor the next run takes it for pictures.
    (photos / "runs" / "first" / "mistakes").mkdir()
    Image.new("RGB", (8, 8)).save(photos / "runs" / "first" / "mistakes" / "0.png")
    again = begin(inside, out="runs/first", resume=True)
    assert again.data.fingerprint == run.data.fingerprint
    assert begin(inside, out="runs/second").classes == ("bus", "car")


@pytest.mark.parametrize("name", [b"caf\xe9", b"a\tb", b" "])
def test_a_class_that_is_refused_costs_no_earlier_run(settings, photos, name):
    out = photos.parent / "run"
    begin(settings, out=out)
    (out / "float.keras").write_text("kept")
    os.rename(photos / "bus", os.path.join(os.fsencode(photos), name))
    with pytest.raises(UserError, match="A class folder in"):
        begin(settings, out=out, overwrite=True)
    assert (out / "float.keras").read_text() == "kept"


def test_a_path_that_config_cannot_hold_costs_no_earlier_run(settings, photos):
    out = photos.parent / "run"
    begin(settings, out=out)
    other = os.fsdecode(os.path.join(os.fsencode(photos.parent), b"caf\xe9"))
    os.rename(photos, other)
    with pytest.raises(UserError, match="is not valid UTF-8"):
        begin(replace(settings, data=other), out=out, overwrite=True)
    assert (out / "config.toml").is_file()


def test_a_batch_that_only_repeats_the_images_is_refused(settings, photos):
    huge = replace(settings, recipe=settings.recipe.with_fields({"batch": 50_000}))
    with pytest.raises(
        UserError, match=r"batch is 50,000, but there are 8 training images; .* at most 4,096"
    ):
        begin(huge, out=photos.parent / "run")
    assert not (photos.parent / "run").exists()
    large = InputSpec(224)
    check_batch_fits(256, 8, large)
    check_batch_fits(10_000, 10_000, large)
    with pytest.raises(UserError, match="at most 891"):
        check_batch_fits(4096, 8, large)


def test_the_white_level_of_deep_greys_stays_with_the_run(settings, photos):
    values = np.random.default_rng(0).integers(0, 4096, (32, 32), np.uint16)
    for name in ("bus", "car"):
        Image.fromarray(values).save(photos / name / "deep.png")
    run = begin(settings, out=photos.parent / "run")
    assert run.network.input.white_level == 4095
    assert Run.open(run.folder.path).settings == run.settings
    assert run.result().model.input.white_level == 4095
    resumed = begin(settings, out=photos.parent / "run", resume=True)
    assert resumed.data.fingerprint == run.data.fingerprint
    # A run of an earlier version has none, and its pictures are read as before.
    config = run.folder.config_file
    config.write_text("".join(x for x in config.open() if not x.startswith("white_level")))
    earlier = settings.task.read(settings.data, settings.network.input, 0, judge_depth=False)
    run.folder.update_result(data=data_facts(earlier))
    assert begin(settings, out=photos.parent / "run", resume=True).network.input.white_level is None
    assert Run.open(run.folder.path).data.fingerprint == earlier.fingerprint
