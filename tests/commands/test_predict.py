"""`predict` of many images: one that cannot be read does not cost the others."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.commands.predict import predict
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
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


def call(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mobilenet_tf", "predict", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


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
