"""The page of `mobilenet-tf web` in Chromium: a section of docs/web.md, and its pictures.

    make test-web               # installs Chromium and Playwright
    python -m benchmarks.web

Differences and bytes are the same everywhere; times and memory are those of this machine.
"""

import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.browser import (
    ALLOWED,
    CAMERA,
    NO_RELAXED_SIMD,
    Opened,
    chromium,
    playwright,
    served,
    write_video,
)
from benchmarks.sections import ROOT
from benchmarks.web_page import SECTION
from benchmarks.web_screens import draw_screens
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.images import read_image
from mobilenet_tf.deployment.devices.web.folder import page_files, write_page
from mobilenet_tf.deployment.devices.web.packages import LITERT, PACKAGES, package_files
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.networks.zoo import make_network

DIGITS = ROOT / "android_demo/app/src/main/assets/digits.tflite"
NETWORKS = (
    *(("v1", 0.25, 96), ("v2", 0.35, 96), ("v3_small", 0.75, 96)),
    *(("v1", 1.0, 224), ("v2", 1.0, 224), ("v3_large", 1.0, 224)),
)
BUILDS = {"relaxed": "", "compat": NO_RELAXED_SIMD}
_PICTURES, _RUNS = 32, 30
_FRAMES, _WARM = 1000, 600


def measure() -> dict[str, Any]:
    """Return the content of docs/web.json, and draw the pictures of docs/web."""
    with tempfile.TemporaryDirectory() as name, playwright() as running:
        folder = Path(name) / "page"
        write_page(DIGITS, folder)
        camera = write_video(Path(name) / "camera.y4m", _frames(), rate=100)
        flags = (CAMERA, ALLOWED, f"--use-file-for-fake-video-capture={camera}")
        with served(folder) as url:
            with chromium(running) as browser:
                rows = [_network(browser, url, *network) for network in NETWORKS]
                photos = _photos(Opened(browser.new_page(), url))
                version = browser.version
            with chromium(running, *flags) as browser:
                memory = _memory(Opened(browser.new_page(), url))
            draw_screens(running, url, Path(name))
    return {
        "machine": machine(),
        "browser": f"Chromium {version}",
        "litert": LITERT.version,
        "sizes": _sizes(),
        "rows": rows,
        "photos": photos,
        "memory": memory,
    }


def _sizes() -> dict[str, dict[str, int]]:
    """Bytes as they are, and as servers send them."""
    fetched = {name: data for package in PACKAGES for name, data in package_files(package).items()}
    compat = {name: data for name, data in fetched.items() if "compat" in name}
    relaxed = {name: data for name, data in fetched.items() if name not in compat}
    parts = {"page": page_files(), "relaxed": relaxed, "compat": compat}
    return {
        part: {
            "bytes": sum(map(len, files.values())),
            "gzip": sum(len(gzip.compress(data)) for data in files.values()),
        }
        for part, files in parts.items()
    }


def _network(browser: Any, url: str, name: str, alpha: float, size: int) -> dict[str, Any]:
    """Compare and time one network in both builds."""
    network = make_network(name, alpha, size, 10)
    content = with_uint8_ends(int8_file(network, fuse_hard_swish=False))
    shape = (_PICTURES, *network.input.shape)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    expected = TFLiteModel(content).run_raw(pixels).astype(int)
    row: dict[str, Any] = {"model": name, "alpha": alpha, "size": size, "bytes": len(content)}
    for build, script in BUILDS.items():
        page = browser.new_page()
        page.add_init_script(script)
        opened = Opened(page, url)
        found = opened.outputs(content, pixels)
        row[build] = {
            "lsb": int(np.abs(found - expected).max()),
            "ms": round(opened.milliseconds(content, pixels[0], _RUNS), 2),
        }
        page.close()
    return row


def _photos(opened: Opened) -> dict[str, Any]:
    """How far inputs are from training's for JPEGs that it decodes at a part of their size."""
    from sklearn.datasets import load_sample_images

    spec, differences = InputSpec(96), []
    for photo in load_sample_images().images:
        large = Image.fromarray(photo).resize((1600, 1067), Image.Resampling.LANCZOS)
        stream = io.BytesIO()
        large.save(stream, "JPEG", quality=92)
        expected = read_image(io.BytesIO(stream.getvalue()), spec)
        found = opened.prepared(stream.getvalue(), spec)
        differences.append(np.abs(found.astype(int) - expected))
    both = np.stack(differences)
    return {"mean": round(float(both.mean()), 2), "largest": int(both.max())}


def _frames() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (10, 6, 8, 3), dtype=np.uint8)
    return [np.asarray(Image.fromarray(one).resize((640, 480))) for one in small]


def _memory(opened: Opened) -> dict[str, Any]:
    """Memory after some frames of the camera, and after a thousand more; times of a frame."""
    network = make_network("v1", 0.25, 96, 10)
    opened.open_model("v1.tflite", with_uint8_ends(int8_file(network)))
    opened.wait("() => document.title === 'v1.tflite'")
    opened.button("Start camera").click()
    first, last = (opened.memory_after(count) for count in (_WARM, _WARM + _FRAMES))
    return {"frames": _FRAMES, "first": first, "last": last, "times": opened.text("times")}


if __name__ == "__main__":
    SECTION.save(measure())
