"""Images that TensorFlow decodes while it trains have been decoded once before, elsewhere."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mobilenet_tf.core.child import Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets import stream_check
from mobilenet_tf.datasets.stream_check import Records, StreamCheck


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def encoded():
    """Six images as JPEG or PNG, of which number 4 is of one colour."""
    found = []
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 30, 3), np.uint8)
        file = io.BytesIO()
        pixels = np.full_like(pixels, 90) if number == 4 else pixels
        Image.fromarray(pixels).save(file, ("JPEG", "PNG")[number % 2])
        found.append(file.getvalue())
    return found


def written(path: Path, images: list[bytes]) -> Records:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for image in images:
            value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
            example = tf.train.Example(features=tf.train.Features(feature={"image": value}))
            writer.write(example.SerializeToString())
    return Records(str(path), 0, len(images))


def no_child(*arguments, **options):
    raise AssertionError("a process was started")


def test_what_has_passed_is_not_read_again(tmp_path, monkeypatch, encoded):
    whole = written(tmp_path / "a.tfrecord", encoded)
    later = Records(whole.path, 2, 3)
    done = []
    check = StreamCheck("image")
    assert check.check([whole, later], lambda *at: done.append(at)) == ["a.tfrecord/4"] * 2
    assert done == [(6, 9), (9, 9)]
    # An image that TensorFlow cannot decode is named, and its file has not passed.
    damaged = written(tmp_path / "b.tfrecord", [*encoded[:3], encoded[3][:200], *encoded[4:]])
    for _ in range(2):
        with pytest.raises(UserError, match=r"^Image 3 of .*b\.tfrecord is damaged: TensorFlow"):
            check.check([whole, damaged])
    check.close()
    # The next start reads nothing, until a file changes.
    monkeypatch.setattr(stream_check, "Child", no_child)
    assert StreamCheck("image").check([whole, later]) == ["a.tfrecord/4"] * 2
    whole = written(tmp_path / "a.tfrecord", encoded[:5])
    with pytest.raises(AssertionError, match="was started"):
        StreamCheck("image").check([whole])


@pytest.mark.parametrize(
    ("feature", "reason"), [("image", "crashes on it"), ("slow", "does not finish in time on it")]
)
def test_the_image_that_is_to_blame_is_named(tmp_path, monkeypatch, feature, reason):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    tool = Tool("TensorFlow", "decoded", "crashing_stream")
    monkeypatch.setattr(stream_check, "_TENSORFLOW", tool)
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"")
    check = StreamCheck(feature, seconds=0.1)
    with pytest.raises(UserError, match=rf"Image 2 of .* TensorFlow's decoder {reason}\."):
        check.check([Records(str(path), 0, 6)])
    assert StreamCheck(feature, seconds=0.1).check([Records(str(path), 3, 3)]) == []


def test_a_process_that_cannot_start(tmp_path, monkeypatch):
    tool = Tool("TensorFlow", "decoded", "mobilenet_tf.no_module")
    monkeypatch.setattr(stream_check, "_TENSORFLOW", tool)
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(UserError, match="cannot be started"):
        StreamCheck("image").check([Records(str(tmp_path / "a"), 0, 1)])
