"""`run --max-flash`: settings of each kernel for a size, and the file that comes of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mobilenet_tf as mn
from mobilenet_tf.deployment.devices.targets import Target
from mobilenet_tf.deployment.tflite.parse import read_file
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.training.compress import compress
from tests.short import shallow

pytestmark = pytest.mark.xdist_group("limited flash")

FIELDS = {
    **{"batch": 30, "calibration": 30, "compress": "cluster,qat"},
    **{"train.epochs": 1, "cluster.epochs": 1, "cluster.smallest": 10_000, "qat.epochs": 1},
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Ninety digits of three classes."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("pictures")
    digits = load_digits(n_class=3)
    for index, (image, label) in enumerate(zip(digits.images[:90], digits.target, strict=False)):
        (folder / str(label)).mkdir(exist_ok=True)
        picture = Image.fromarray((image * 255 / 16).astype(np.uint8))
        picture.save(folder / str(label) / f"{index}.png")
    return folder


def settings(pictures: Path, side: int, limit: float) -> mn.RunSettings:
    network = mn.make_network("v1", 0.25, side, classes=3, channels=1)
    recipe = mn.load_recipe("small_data").with_fields({**FIELDS, "max_flash": limit})
    return mn.RunSettings(data=str(pictures), network=shallow(network), recipe=recipe)


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory) -> mn.Run:
    return mn.run(settings(pictures, 96, 90_000), out=tmp_path_factory.mktemp("runs") / "run")


def test_the_file_is_within_the_limit(run):
    found = run.folder.result().compression
    assert found.built_bytes <= 90_000
    # Training changes the padding of tables, if anything.
    assert found.built_bytes == pytest.approx(found.predicted_bytes, rel=0.01)
    chosen = {name: one.values for name, one in found.chosen.items()}
    assert any(chosen.values())

    target = Target("mcu", compress="auto")
    exported = mn.export(run, target=target, budget=mn.Budget(flash=90_000))
    assert exported.facts.bytes == found.built_bytes
    assert len(read_file(exported.folder / "model.tflite")[0]) == found.built_bytes
    assert f"and has {found.built_bytes:,} as" in (run.folder.path / "report.html").read_text()


def test_a_limit_below_the_smallest_settings_is_refused(run):
    with pytest.raises(mn.UserError, match=r"max_flash leaves 0 bytes for kernels, which take"):
        mn.quantize(run, fields={"max_flash": 10_000.0}, overwrite=True)


@pytest.mark.slow
def test_the_arena_grows_for_a_limit(pictures, tmp_path):
    """The activations are so small that no kernel has room beside them once it is decoded."""
    run = mn.run(settings(pictures, 32, 90_000), out=tmp_path / "run")
    assert run.folder.result().compression.built_bytes <= 90_000
    target, limits = Target("mcu", compress="auto"), mn.Budget(flash=90_000)
    small = mn.export(run, target=target, budget=limits, out=tmp_path / "small").facts
    plain = mn.export(run, target=Target("mcu"), out=tmp_path / "plain").facts
    assert small.bytes <= 90_000 < plain.bytes
    assert plain.arena["activations"] < small.arena["activations"]
    lut = Target("mcu", compress="lut")
    assert mn.export(run, target=lut, budget=limits, out=tmp_path / "lut").facts.bytes <= 90_000
    with pytest.raises(mn.UserError, match=r"--compress lut makes no kernel .* a fifth smaller"):
        mn.export(run, target=lut, out=tmp_path / "unlimited")
    room = mn.Budget(flash=90_000, ram=plain.arena["needed"])
    with pytest.raises(mn.UserError, match="The model does not fit: RAM"):
        mn.export(run, target=target, budget=room, out=tmp_path / "both")


@pytest.fixture
def no_growth(monkeypatch):
    """The arena does not grow; activations so small leave no room for any kernel once decoded."""
    return lambda: monkeypatch.setattr("mobilenet_tf.deployment.devices.mcu.form._GROWTHS", (1.0,))


def test_a_limit_that_no_file_meets_is_refused_before_training(pictures, tmp_path, no_growth):
    no_growth()
    with pytest.raises(
        mn.UserError, match=r"max_flash leaves [\d,]+ bytes for kernels, which take"
    ):
        mn.run(settings(pictures, 32, 90_000), out=tmp_path / "run")
    assert not (tmp_path / "run" / "qat.keras").exists()


@pytest.mark.slow
def test_a_file_beyond_the_limit_is_refused(pictures, tmp_path, monkeypatch, no_growth):
    """Here it is the arena that is smaller after training than before."""

    def train(*arguments, **options):
        no_growth()
        return compress(*arguments, **options)

    monkeypatch.setattr("mobilenet_tf.runs.quantize.compress", train)
    said = r"The model does not fit: flash [\d,]+ of 90,000 bytes, where"
    with pytest.raises(mn.UserError, match=said) as refused:
        mn.run(settings(pictures, 32, 90_000), out=tmp_path / "run")
    found = RunFolder(tmp_path / "run").result().compression
    assert f"{found.predicted_bytes:,} were predicted" in str(refused.value)
    assert found.predicted_bytes <= 90_000 < found.built_bytes
    assert (tmp_path / "run" / "report.html").exists()
