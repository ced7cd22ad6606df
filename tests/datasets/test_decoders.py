"""A file that crashes its decoder, blocks it or fills the memory costs a process, not the run."""

import os
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.child import ChildCrash, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets import decoders, labelled
from mobilenet_tf.datasets.contents import describe
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.formats import PixelsInFlight
from mobilenet_tf.datasets.images import UnreadableImage, read_image
from mobilenet_tf.datasets.load import load_data, load_test

SPEC = InputSpec(32)
HOSTILE = Path(__file__).parents[2] / "../shared/cases/hostile"
REASONS = {
    "crash": "its decoder crashes",
    "slow": "its decoder does not finish in time",
    "fill": "its decoder needs too much memory",
}


@pytest.fixture
def crashing(monkeypatch):
    """Files whose names begin with a key of `REASONS` do that to their decoder."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(decoders, "_PILLOW", Tool("Pillow", "decoded", "crashing"))


@pytest.fixture
def files(make_folder):
    """Forty images with a broken and an empty one among them, in one order."""
    root = make_folder({"a": 40})
    (root / "a/003.png").write_bytes(b"broken")
    (root / "a/017.png").write_bytes(b"")
    return sorted((root / "a").iterdir())


def outcomes(found) -> list:
    return [one.reason if isinstance(one, UnreadableImage) else one.pixels for one in found]


@pytest.mark.parametrize("count", [1, 3])
def test_what_they_read_is_what_read_image_reads(files, count):
    with Decoders(len(files), count) as pool:
        found = outcomes(pool.read(files, SPEC))
        again = outcomes(pool.read(files[:2], InputSpec(16, 1)))
    assert found[3] == "it has no known image format"
    assert found[17] == "it is empty"
    for index, (file, pixels) in enumerate(zip(files, found, strict=True)):
        if index not in (3, 17):
            np.testing.assert_array_equal(pixels, read_image(file, SPEC))
    np.testing.assert_array_equal(again[1], read_image(files[1], InputSpec(16, 1)))


@pytest.mark.parametrize("kind", REASONS)
def test_only_the_file_that_is_to_blame_is_lost(crashing, files, kind):
    for index in (5, 6, 30):
        files[index] = files[index].rename(files[index].with_name(f"{kind}{index}.png"))
    with Decoders(len(files), 2, seconds=0.5) as pool:
        found = outcomes(pool.read(files, SPEC))
    assert {index for index, one in enumerate(found) if isinstance(one, str)} == {3, 5, 6, 17, 30}
    assert found[5] == found[6] == found[30] == REASONS[kind]
    np.testing.assert_array_equal(found[7], read_image(files[7], SPEC))


def test_a_dataset_leaves_them_out_and_says_so(crashing, make_folder, make_spec, monkeypatch):
    monkeypatch.setattr(labelled, "Decoders", partial(Decoders, seconds=0.5))
    root = make_folder({"a": 8, "b": 8})
    for name in ("crash.png", "slow.png", "fill.png"):
        os.link(root / "a/000.png", root / "a" / name)
    data = load_data(root, make_spec())
    assert {entry["file"]: entry["reason"] for entry in data.skipped} == {
        f"a/{kind}.png": reason for kind, reason in REASONS.items()
    }
    assert "1 because its decoder crashes (a/crash.png)" in describe(data)
    found = load_test(str(root), ["a", "b"], make_spec())
    assert Counter(entry["reason"] for entry in found.skipped) == Counter(REASONS.values())
    assert len(found.images) == 16


def test_a_real_picture_that_takes_too_long_or_too_much(tmp_path, photo):
    Image.new("L", (9000, 9000), 7).save(tmp_path / "a.png")
    photo.save(tmp_path / "b.png")
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for limits, reason in (
        ({"seconds": 0.1}, REASONS["slow"]),
        ({"memory": 400 * 2**20}, REASONS["fill"]),
    ):
        with Decoders(2, 1, **limits) as pool:
            found = outcomes(pool.read(paths, SPEC))
        assert found[0] == reason
        np.testing.assert_array_equal(found[1], read_image(paths[1], SPEC))


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="needs the samples")
@pytest.mark.parametrize("name", ["eps_named.jpg", "jp2.jp2", "webp.webp"])
def test_samples_of_hostile_pictures(name):
    with Decoders(1, memory=600 * 2**20) as pool:
        (found,) = outcomes(pool.read([HOSTILE / name], SPEC))
    if isinstance(found, str):
        assert found.startswith(
            ("it is PostScript", "its decoder needs too much memory", "it is d")
        )
    else:
        assert found.shape == SPEC.shape


def test_large_images_are_read_alone(tmp_path, monkeypatch, photo):
    reserved = []

    class Recorded(PixelsInFlight):
        def reserved(self, pixels):
            reserved.append(pixels)
            return super().reserved(pixels)

    monkeypatch.setattr(decoders, "PIXEL_LIMIT", 20_000)  # and half of it is a process's share
    monkeypatch.setattr(decoders, "IN_FLIGHT", Recorded(1_000_000))
    paths = [tmp_path / f"{side}.png" for side in (50, 300, 80)]
    for path in paths:
        photo.resize((int(path.stem), int(path.stem))).save(path)
    with Decoders(3, 1) as pool:
        found = outcomes(pool.read(paths, SPEC))
    assert reserved == [10_000, 300 * 300]
    for path, pixels in zip(paths, found, strict=True):
        np.testing.assert_array_equal(pixels, read_image(path, SPEC))


def test_a_process_that_cannot_start_blames_no_file(monkeypatch, files):
    monkeypatch.setattr(decoders, "_PILLOW", Tool("Pillow", "decoded", "mobilenet_tf.no_module"))
    with Decoders(1) as pool, pytest.raises(UserError, match="cannot be started"):
        list(pool.read(files[:1], SPEC))


def test_leaving_does_not_wait_for_a_decoder(crashing, files):
    files[0] = files[0].rename(files[0].with_name("slow.png"))

    def read(pool: Decoders) -> None:
        with suppress(ChildCrash, UserError):
            list(pool.read(files[:1], SPEC))

    with Decoders(1) as pool:
        children = [process._process for process in pool._processes]
        waiting = threading.Thread(target=read, args=(pool,), daemon=True)
        waiting.start()
        while not pool._idle.empty():
            time.sleep(0.01)
    waiting.join(20)
    assert not waiting.is_alive()
    assert all(child.poll() is not None for child in children)
