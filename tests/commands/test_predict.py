"""`predict` of many images: one that cannot be read does not cost the others."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.commands.predict import predict
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.picture_paths import listed_paths, picture_paths
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.zoo import make_network


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "a.tflite"
    path.write_bytes(int8_file(make_network("v1", 0.25, 32, 3)))
    return path


@pytest.fixture
def images(tmp_path):
    """Two pictures, and between them an empty file."""
    paths = [tmp_path / name for name in ("0.png", "empty.png", "2.png")]
    for path in paths:
        pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    paths[1].write_bytes(b"")
    return paths


def call(*arguments, listed: str | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mobilenet_tf", "predict", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, input=listed)


def test_the_others_are_classified(file, images):
    found = predict(file, images)
    assert [item["image"] for item in found["predictions"]] == [str(images[0]), str(images[2])]
    assert found["failed"] == [{"image": str(images[1]), "reason": "it is empty"}]
    assert predict(file, images[:1])["failed"] == []


def test_none_can_be_read(file, images):
    with pytest.raises(UserError, match=r"empty\.png cannot be read as an image: it is empty\.$"):
        predict(file, [images[1]])
    with pytest.raises(UserError, match=r"it is empty\. None of the other 2 images"):
        predict(file, [images[1]] * 3)


def test_exit_codes(file, images):
    some = call(file, *images, "--json")
    assert some.returncode == 1
    assert len(json.loads(some.stdout)["predictions"]) == 2
    assert some.stderr.strip() == f"{images[1]} cannot be read as an image: it is empty."
    none = call(file, images[1])
    assert (none.returncode, none.stdout) == (2, "")
    assert none.stderr.count("\n") == 1
    assert call(file, images[0]).returncode == 0


def test_folders_patterns_and_lists(images, tmp_path):
    (tmp_path / "below").mkdir()
    images[0].rename(tmp_path / "below/[1].png")
    (tmp_path / "notes.txt").write_text("no picture")
    below = str(tmp_path / "below/[1].png")
    others = [str(images[1]), str(images[2])]
    assert picture_paths([tmp_path]) == sorted([below, *others])
    assert picture_paths([tmp_path / "*.png", below]) == [*sorted(others), below]
    assert picture_paths([tmp_path / "**/*1*.png"]) == [below]
    assert picture_paths(["gone.png", "gone*.png"]) == ["gone.png", "gone*.png"]
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"none contains no pictures\.$"):
        picture_paths([images[2], tmp_path / "none"])
    with pytest.raises(UserError, match="at least 1 is needed"):
        picture_paths([])
    assert listed_paths(b"a b.png\r\n\n\xff.png\n") == ["a b.png", os.fsdecode(b"\xff.png")]
    assert listed_paths(b"a\nb.png\0c.png\0") == ["a\nb.png", "c.png"]


def test_batches_do_not_change_what_is_found(file, images):
    assert predict(file, images, batch=1) == predict(file, images)


def test_lines_are_printed_for_a_list_on_standard_input(file, images):
    listed = "".join(f"{image}\n" for image in images)
    found = predict(file, images)
    lines = call(file, "-", "--format", "jsonl", "--batch", 1, listed=listed)
    assert lines.returncode == 1
    assert list(map(json.loads, lines.stdout.splitlines())) == found["predictions"]
    assert lines.stderr.strip() == f"{images[1]} cannot be read as an image: it is empty."
    table = call(file, *images, "--format", "csv", "--top", 2)
    assert list(csv.reader(table.stdout.splitlines())) == [
        ["image", "label", "score", "accepted"],
        *(
            [one["image"], entry["label"], str(entry["score"]), "True"]
            for one in found["predictions"]
            for entry in one["classes"][:2]
        ),
    ]
    none = call(file, images[1], "--format", "csv")
    assert (none.returncode, none.stdout) == (2, "")


def test_heat_maps(file, images, tmp_path):
    maps = tmp_path / "maps"
    done = call(file, *images, "--explain", maps, "--json")
    assert done.returncode == 1
    written = json.loads(done.stdout)["heat_maps"]
    names = {"0": maps / "0001_0.png", "2": maps / "0002_2.png"}
    assert written == {str(images[int(key)]): str(name) for key, name in names.items()}
    assert sorted(maps.iterdir()) == sorted(names.values())
    with Image.open(maps / "0001_0.png") as shown:
        assert shown.size == (2 * 224, 224)
    again = call(file, images[0], "--explain", maps)
    assert again.returncode == 2
    assert "heat maps need a folder that is new or empty" in again.stderr


def test_a_picture_above_the_white_level_of_the_file_is_clipped_and_said(tmp_path):
    content = int8_file(make_network("v1", 0.25, 32, 3))
    facts = {"name": "n", "description": "d", "labels": ["a", "b", "c"]}
    path = tmp_path / "a.tflite"
    path.write_bytes(add_metadata(content, **facts, input_spec=InputSpec(32, white_level=4095.0)))
    for name, top in (("fits", 4095), ("brighter", 5000)):
        values = np.tile(np.linspace(0, top, 32).astype(np.uint16), (32, 1))
        Image.fromarray(values).save(tmp_path / f"{name}.png")
    done = call(path, tmp_path / "fits.png", tmp_path / "brighter.png", "--json")
    assert len(json.loads(done.stdout)["predictions"]) == 2
    assert "2 images have greys of more than 8 bits, scaled from 0..4,095" in done.stderr
    assert "1 image has values outside of that, which are clipped" in done.stderr
