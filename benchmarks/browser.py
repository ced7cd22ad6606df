"""Chromium with a fake camera, and pages to open in it. Playwright drives it.

`make test-web` installs both.
"""

import base64
import contextlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sections import ROOT
from mobilenet_tf.core.files import write_text
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.devices.web.server import HOST_NAME, page_server

HELPERS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
PLAYWRIGHT = ROOT / "build" / "playwright"
CHROMIUM = shutil.which("chromium")
# It asks its maker's servers for nothing, and draws with the processor.
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
CAMERA = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"
_TIMEOUT = 90_000  # milliseconds
SIDES = (320, 240)  # of the fake camera's frames
# A script for a page that hides relaxed SIMD, so that LiteRT.js loads its other build.
NO_RELAXED_SIMD = """
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = (source, ...rest) =>
  source.byteLength < 100 ? Promise.reject(new Error("hidden")) : instantiate(source, ...rest);
"""


def draw_page(page: Path, picture: Path, size: tuple[int, int]) -> None:
    """Draw the upper part of a page that is a file, without Playwright.

    Args:
        page: The page.
        picture: The PNG to write.
        size: Width and height in CSS pixels.
    """
    window = "--window-size=" + ",".join(map(str, size))
    draw = [CHROMIUM or "chromium", "--headless", "--hide-scrollbars", *QUIET, window]
    draw.append(f"--screenshot={picture}")
    subprocess.run([*draw, page.resolve().as_uri()], check=True, capture_output=True)


def draw_section(report: Path, heading: str, picture: Path, size: tuple[int, int]) -> None:
    """Draw one section of a report, without Playwright.

    Args:
        report: The report.
        heading: How the heading of the section begins.
        picture: The PNG to write.
        size: Width and height in CSS pixels.
    """
    head, body, rest = report.read_text(encoding="utf-8").partition("<main>")
    section = re.search(rf"<section>\n<h2>{heading}.*?</section>", rest, re.DOTALL)
    assert section is not None
    page = report.with_name("section.html")
    alone = "<style>main { padding: 0 24px; } h2 { margin-top: 24px; border: 0; }</style>"
    write_text(page, f"{head}{alone}{body}{section[0]}</main></body></html>")
    draw_page(page, picture, size)


class Opened:
    """A page that has loaded, and what it asked for on the way.

    Attributes:
        page: Playwright's page.
        url: Address of its folder.
        requests: Every address that it asked for.
        errors: Every error that nothing caught.
    """

    def __init__(self, page: Any, url: str):
        self.page, self.url = page, url
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.set_default_timeout(_TIMEOUT)
        page.add_init_script(HELPERS)
        page.goto(url)
        self.locator("#facts dd").first.wait_for()

    def locator(self, selector: str) -> Any:
        """Return what a CSS selector finds."""
        return self.page.locator(selector)

    def button(self, name: str) -> Any:
        """Return the button with this name."""
        return self.page.get_by_role("button", name=name)

    def text(self, name: str) -> str:
        """Return the text of the element with this id."""
        return self.locator(f"#{name}").inner_text()

    def bars(self) -> list[tuple[str, str]]:
        """Return the labels and scores that are shown."""
        found = self.locator("#bars li").all()
        return [
            tuple(item.locator(part).inner_text() for part in (".label", ".score"))
            for item in found
        ]

    def wait(self, expression: str, argument: Any = None) -> None:
        """Wait until a function of JavaScript returns something true."""
        self.page.wait_for_function(expression, arg=argument)

    def call(self, expression: str, argument: Any = None) -> Any:
        """Run a function of JavaScript in the page."""
        return self.page.evaluate(expression, argument)

    def choose(self, *files: dict[str, Any]) -> None:
        """Choose pictures: dictionaries of name, mimeType and buffer."""
        self.page.get_by_label("Choose pictures").set_input_files(list(files))

    def open_model(self, name: str, content: bytes) -> None:
        """Choose a model."""
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.page.get_by_label("Open another model").set_input_files(file)

    def cdp(self, *commands: str) -> dict[str, Any]:
        """Send commands of the developer tools, and return the last answer."""
        session = self.page.context.new_cdp_session(self.page)
        answer: dict[str, Any] = {}
        for command in commands:
            answer = session.send(command)
        session.detach()
        return answer

    def outputs(self, content: bytes, pixels: np.ndarray) -> np.ndarray:
        """Return the raw outputs of a model for uint8 (N, h, w, c), as uint8 (N, bytes)."""
        inputs = [encoded(one.tobytes()) for one in pixels]
        found = self.call(
            "([content, pixels]) => helpers.outputs(content, pixels)", [encoded(content), inputs]
        )
        return np.stack([np.frombuffer(base64.b64decode(one), np.uint8) for one in found])

    def milliseconds(self, content: bytes, pixels: np.ndarray, runs: int) -> float:
        """Return the mean time of an inference, of the quickest of some turns."""
        arguments = [encoded(content), encoded(pixels.tobytes()), runs]
        return float(self.call("(given) => helpers.milliseconds(...given)", arguments))

    def memory_after(self, frames: int) -> dict[str, int]:
        """Return bytes of the script and of WebAssembly, and the nodes, after a camera's frames.

        Meanwhile it is frozen: a frame that is worked on has memory of its own.
        """
        self.wait("(count) => frames_read > count", frames)
        self.button("Freeze").click()
        self.page.wait_for_timeout(200)
        self.cdp("HeapProfiler.enable", "HeapProfiler.collectGarbage")
        heap = self.cdp("Runtime.getHeapUsage")
        self.button("Freeze").click()
        return {
            "heap": int(heap["usedSize"] + heap["backingStorageSize"]),
            "wasm": int(self.call("async () => (await import('./engine.js')).memory()")),
            "nodes": int(self.cdp("Memory.getDOMCounters")["nodes"]),
        }

    def prepared(self, content: bytes, spec: InputSpec) -> np.ndarray:
        """Return the input that the page makes of a picture file."""
        values = {
            **{
                name: getattr(spec, name) for name in ("width", "height", "channels", "crop", "fit")
            },
            **{"resize": spec.resize, "mean": [spec.mean], "std": [spec.std]},
        }
        found = self.call(
            "([content, spec]) => helpers.prepared(content, spec)", [encoded(content), values]
        )
        return np.frombuffer(base64.b64decode(found), np.uint8).reshape(spec.shape)


def encoded(content: bytes) -> str:
    """Return bytes as the helpers take them."""
    return base64.b64encode(content).decode()


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
