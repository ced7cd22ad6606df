"""Pictures that lie about their size, take for ever, or are something else altogether."""

import io
import os
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets import images
from mobilenet_tf.datasets.formats import PixelsInFlight
from mobilenet_tf.datasets.images import (
    NeedsMorePixels,
    UnreadableImage,
    open_image,
    read_image,
    read_picture,
)
from mobilenet_tf.datasets.load import load_data

SPEC = InputSpec(32)


def saved(image: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def refusal(path) -> str:
    with pytest.raises(UnreadableImage) as error:
        read_image(path, SPEC)
    return error.value.reason


def noise(side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.eps"])
def test_postscript_starts_nothing(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n"
    )

    def started(*arguments, **options):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    monkeypatch.setattr(subprocess, "check_call", started)
    assert refusal(path) == "it is PostScript or PDF; save it as JPEG or PNG"


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert refusal(tmp_path / "pipe.jpg") == "it is a pipe, a socket or a device, not a file"
    assert refusal("/dev/zero") == "it is a pipe, a socket or a device, not a file"
    with open(tmp_path / "long.jpg", "wb") as file:
        file.truncate(2**30)
    assert refusal(tmp_path / "long.jpg").startswith("it has 1,073,741,824 bytes; at most")


def test_a_pipe_among_the_pictures_is_skipped(make_folder, make_spec):
    root = make_folder({"a": 4, "b": 4})
    os.mkfifo(root / "a" / "pipe.jpg")
    data = load_data(root, make_spec())
    assert [entry["file"] for entry in data.skipped] == ["a/pipe.jpg"]


def webp(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(8)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0"
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def jp2(width: int, height: int, stated: tuple[int, int] | None = None) -> bytes:
    """A JPEG 2000 of 16x16 pixels whose codestream, and boxes if `stated`, have other sizes."""
    content = bytearray(saved(Image.new("RGB", (16, 16)), "JPEG2000"))
    place = content.find(b"\xff\x4f\xff\x51")
    struct.pack_into(">2I", content, place + 8, width, height)
    struct.pack_into(">2I", content, content.find(b"ihdr") + 4, *(stated or (height, width)))
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        webp(16383, 16383),
        jp2(60_000, 60_000),
        jp2(60_000, 60_000, (16, 16)),
        jp2(16, 16, (60_000, 60_000)),
    ],
    ids=["webp", "jp2", "jp2 with another size in its boxes", "jp2 with another codestream"],
)
def test_sizes_are_compared_before_anything_is_allocated(tmp_path, monkeypatch, content):
    (tmp_path / "a.jpg").write_bytes(content)
    monkeypatch.setattr(Image, "open", None)
    assert refusal(tmp_path / "a.jpg") == "it has more than 128 million pixels"


def test_a_large_jpeg_2000_is_decoded_reduced(tmp_path):
    path = tmp_path / "a.jp2"
    photo = noise(8).resize((4400, 4400), Image.Resampling.BICUBIC)
    photo.save(path, "JPEG2000", num_resolutions=6)
    opened = []
    decode = images.prepare
    images.prepare = lambda image, spec: opened.append(image.size) or decode(image, spec)
    try:
        reduced = read_image(path, SPEC)
    finally:
        images.prepare = decode
    assert max(opened[0]) < 600
    whole = images.prepare(photo, SPEC)
    assert np.abs(reduced.astype(int) - whole).mean() < 3


def test_a_jpeg_of_repeated_scans_is_refused(tmp_path):
    content = saved(noise(256), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    scan = content[start : content.rindex(b"\xff\xd9")]
    (tmp_path / "a.jpg").write_bytes(content[:start] + scan * 20_000 + b"\xff\xd9")
    assert "scans, which would take too long" in refusal(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(content)
    assert read_image(tmp_path / "b.jpg", SPEC).shape == (32, 32, 3)


def test_pixels_in_flight_are_bounded_over_threads():
    flight, held, most = PixelsInFlight(100), [0], []
    guard = threading.Lock()

    def work(pixels: int) -> None:
        with flight.reserved(pixels):
            with guard:
                held[0] += min(pixels, 100)
                most.append(held[0])
            with guard:
                held[0] -= min(pixels, 100)

    threads = [threading.Thread(target=work, args=(size,)) for size in [30, 70, 50, 500] * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(most) == 80
    assert max(most) <= 100


def test_an_image_says_how_many_pixels_it_needs(tmp_path):
    path = tmp_path / "a"
    for content, expected in (
        (saved(noise(64), "PNG"), 64 * 64),
        (saved(noise(512), "JPEG"), 64 * 64),
        (saved(noise(512), "JPEG", progressive=True), 512 * 512),
        (saved(Image.fromarray(np.ones((50, 40), np.float32)), "TIFF"), 2 * 50 * 40),
        (saved(noise(64), "WEBP"), 64 * 64),
        (saved(noise(64), "JPEG2000"), 4 * 64 * 64),
    ):
        path.write_bytes(content)
        with pytest.raises(NeedsMorePixels) as needed:
            read_picture(path, SPEC, expected - 1)
        assert needed.value.pixels == expected
        assert read_picture(path, SPEC, expected)[0].shape == SPEC.shape


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
def test_memory_of_a_large_float_picture(tmp_path):
    side = 6000
    Image.fromarray(np.zeros((side, side), np.float32)).save(
        tmp_path / "a.tif", compression="tiff_lzw"
    )
    code = (
        "import sys\n"
        "from mobilenet_tf.core.inputs import InputSpec\n"
        "from mobilenet_tf.datasets.images import read_image\n"
        "read_image(sys.argv[1], InputSpec(32))\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.tif"], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) * 1024 < side * side * 16  # 64-bit copies of it all took 36


def test_long_texts_in_a_png_are_no_damage(tmp_path):
    texts = PngInfo()
    texts.add_text("workflow", "x" * 5_000_000, zip=True)
    noise(40).save(tmp_path / "a.png", pnginfo=texts, icc_profile=bytes(3_000_000))
    assert read_image(tmp_path / "a.png", SPEC).shape == (32, 32, 3)
    texts.add_text("more", "x" * 20_000_000, zip=True)
    noise(40).save(tmp_path / "b.png", pnginfo=texts)
    assert refusal(tmp_path / "b.png") == "its texts or its colour profile have more than 16 MB"


def bmp_with_alpha(alpha: int, white: bool = False) -> bytes:
    """A 32-bit BMP with a mask for alpha: red at the left, blue at the right, or all white."""
    red, blue = ([255] * 3, [255] * 3) if white else ([20, 10, 200], [200, 10, 20])
    row = bytes([*red, alpha]) * 4 + bytes([*blue, alpha]) * 4
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 8, 8, 1, 32, 3, 256, 0, 0, 0, 0)
    header = (header + masks).ljust(108, b"\0")
    return struct.pack("<2sIHHI", b"BM", 14 + 108 + 256, 0, 0, 122) + header + row * 8


@pytest.mark.parametrize("alpha", [0, 255])
def test_an_alpha_of_nothing_but_zero_is_ignored(alpha):
    image = open_image(io.BytesIO(bmp_with_alpha(alpha)))
    assert image.getpixel((0, 0)) == (200, 10, 20)
    assert image.getpixel((7, 7)) == (20, 10, 200)


def test_an_alpha_of_zero_in_other_modes():
    for mode, solid in (("RGBA", (200, 10, 20)), ("LA", (40,))):
        clear = Image.new(mode, (4, 4), (*solid, 0))
        shown = open_image(io.BytesIO(saved(clear, "PNG"))).getpixel((0, 0))
        assert shown == (solid if mode == "RGBA" else solid * 3)


def test_pictures_of_one_colour_are_counted(make_folder, make_spec):
    root = make_folder({"a": 6, "b": 6})
    for index in range(5):
        Image.new("RGB", (30, 30), (index * 40, 0, 90)).save(root / "a" / f"flat{index}.png")
    (root / "b" / "white.bmp").write_bytes(bmp_with_alpha(0, white=True))
    notes = load_data(root, make_spec()).notes
    assert len(notes) == 1
    assert notes[0].startswith("6 images are of one colour, or nearly so (a/flat0.png, a/flat1")
