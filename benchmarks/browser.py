"""Chromium with a fake camera, and pages to open in it. Playwright drives it.

`make test-web` installs both.
"""

import contextlib
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sections import ROOT
from mobilenet_tf.deployment.devices.web.server import HOST_NAME, page_server

PLAYWRIGHT = ROOT / "build" / "playwright"
CHROMIUM = shutil.which("chromium")
# It asks its maker's servers for nothing, and draws with the processor.
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
CAMERA = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"
SIDES = (320, 240)  # of the fake camera's frames


def write_video(path: Path, frames: list[np.ndarray], repeat: int = 1, rate: int = 25) -> Path:
    """Write RGB frames as an uncompressed video, which the fake camera plays again and again.

    Args:
        path: The file.
        frames: uint8 (height, width, 3) of even sides.
        repeat: How often each frame is shown.
        rate: Frames a second.
    """
    height, width = frames[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            planes = b"".join(plane.tobytes() for plane in _yuv(frame))
            for _ in range(repeat):
                file.write(b"FRAME\n" + planes)
    return path


def _yuv(frame: np.ndarray) -> Iterator[np.ndarray]:
    """Convert by BT.601 in the video range, which Chromium assumes."""
    red, green, blue = np.moveaxis(frame.astype(float), -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    for plane, zero, span in (
        (luma, 16, 219 / 255),
        ((blue - luma) / 1.772, 128, 224 / 255),
        ((red - luma) / 1.402, 128, 224 / 255),
    ):
        whole = plane * span + zero
        if zero == 128:
            whole = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
        yield whole.round().clip(0, 255).astype(np.uint8)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a page's folder, and give its address."""
    with page_server(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{HOST_NAME}:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def playwright() -> Iterator[Any]:
    """Start Playwright."""
    if str(PLAYWRIGHT) not in sys.path:
        sys.path.append(str(PLAYWRIGHT))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        yield running


@contextlib.contextmanager
def chromium(running: Any, *flags: str) -> Iterator[Any]:
    """Start Chromium with further flags."""
    browser = running.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *flags])
    try:
        yield browser
    finally:
        browser.close()
