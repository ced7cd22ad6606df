"""Pictures of strangers whose headers, or whose effort to decode, ask for too much."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reported.drive import Done, call_apart, refused, succeeded
from tests.reported.models import write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported hostile")]

GIGABYTE = 2**30


def predict(file: Path, picture: Path) -> Done:
    """Classify within four gigabytes and a minute."""
    return call_apart("predict", file, picture, limit=4 * GIGABYTE, seconds=60)


def webp(side: int) -> bytes:
    """34 bytes, which have a header only."""
    data = b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + bytes(8)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0"
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def jpeg_2000(side: int, folder: Path) -> bytes:
    """A file of 16x16 pixels that states another size."""
    Image.new("RGB", (16, 16)).save(folder / "small.jp2")
    content = bytearray((folder / "small.jp2").read_bytes())
    struct.pack_into(">2I", content, content.find(b"\xff\x4f\xff\x51") + 8, side, side)
    struct.pack_into(">2I", content, content.find(b"ihdr") + 4, side, side)
    return bytes(content)


def test_sizes_in_headers_are_compared_before_memory_is_taken(colours_file, tmp_path):
    for name, content in (("a.webp", webp(16383)), ("a.jp2", jpeg_2000(13_000, tmp_path))):
        refused(predict(colours_file, write(tmp_path / name, content)), name, "pixels")


def test_a_jpeg_of_repeated_scans_is_refused(colours_file, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)
    path = tmp_path / "scans.jpg"
    Image.fromarray(noise).save(path, progressive=True)
    content = path.read_bytes()
    start = content.rindex(b"\xff\xda")
    scan = content[start : content.rindex(b"\xff\xd9")]
    path.write_bytes(content[:start] + scan * 1000 + b"\xff\xd9")
    refused(predict(colours_file, path), "scans")


def test_a_large_float_picture_is_refused(colours_file, tmp_path):
    Image.new("F", (11_000, 11_000), 0.5).save(tmp_path / "float.tif", compression="tiff_deflate")
    refused(predict(colours_file, tmp_path / "float.tif"), "pixels of 32 bits")


def test_a_long_comment_does_not_take_minutes(colours_file, tmp_path):
    path = tmp_path / "comment.gif"
    Image.new("RGB", (32, 32), (20, 220, 20)).save(path)
    content = path.read_bytes()
    place = 13 + 3 * 2 ** ((content[10] & 7) + 1)  # after the header and its palette
    comment = b"\x21\xfe" + (b"\xff" + b"x" * 255) * 200_000 + b"\0"
    path.write_bytes(content[:place] + comment + content[place:])
    done = predict(colours_file, path)
    assert done.code == 0 or refused(done, "comment.gif")


def test_very_deep_folders_are_read_or_left_out(colours_file, photos, tmp_path):
    shutil.copytree(photos, tmp_path / "photos")
    here = os.getcwd()
    try:
        os.chdir(tmp_path / "photos" / "red")
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        os.chdir(here)
        done = call_apart("evaluate", colours_file, "--data", tmp_path / "photos", "--json")
    finally:  # pytest does not go so deep
        os.chdir(here)
        subprocess.run(["rm", "-r", tmp_path / "photos"], check=True)
    assert succeeded(done).json["images"] == 24
