"""Draw the page into docs/web: with camera and pictures, wide and narrow, light and dark."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.browser import ALLOWED, CAMERA, SIDES, Opened, chromium, write_video
from benchmarks.sections import DOCS, ROOT

SCREENS = DOCS / "web"
# Name -> size in CSS pixels, colour scheme, digits that are chosen as pictures; none is the camera.
_VIEWS: dict[str, tuple[int, int, str, tuple[int, ...]]] = {
    "wide-light": (1200, 940, "light", (0, 1, 2, 3, 4)),
    "wide-dark": (1200, 940, "dark", ()),
    "narrow-light": (390, 844, "light", ()),
    "narrow-dark": (390, 844, "dark", (7,)),
}
# Task -> colour scheme; a model of each and a picture come with the Android app's tests.
_TASKS = {"detection": "light", "segmentation": "dark"}
_TASK_SIZE = {"width": 390, "height": 844}
_MODELS = ROOT / "android_demo/offdevice/models"
_CAMERA_SHOWS = 2
_STATED = "(text) => document.getElementById('facts').textContent.includes(text)"
_SPOKEN = "(text) => document.getElementById('spoken').textContent.includes(text)"


def draw_screens(running: Any, url: str, folder: Path) -> None:
    """Draw all views of the page.

    Args:
        running: Playwright.
        url: Address of a page of digits.
        folder: Where the camera's video is written.
    """
    SCREENS.mkdir(exist_ok=True)
    video = write_video(folder / "digit.y4m", [_frame(_digit(_CAMERA_SHOWS))])
    with chromium(
        running, CAMERA, ALLOWED, f"--use-file-for-fake-video-capture={video}"
    ) as browser:
        for name, (width, height, scheme, digits) in _VIEWS.items():
            viewport = {"width": width, "height": height}
            context = browser.new_context(viewport=viewport, color_scheme=scheme)
            opened = Opened(context.new_page(), url)
            if digits:
                opened.choose(*map(_file, digits))
                opened.wait(_SPOKEN, f"{digits[-1]}.png")
            else:
                opened.button("Start camera").click()
                opened.wait("() => frames_read > 40")
                opened.button("Freeze").click()
            _shoot(opened, name)
            context.close()
        for task, scheme in _TASKS.items():
            context = browser.new_context(viewport=_TASK_SIZE, color_scheme=scheme)
            opened = Opened(context.new_page(), url)
            opened.open_model(f"{task}.tflite", (_MODELS / f"{task}.tflite").read_bytes())
            opened.wait(_STATED, f"{task}.tflite")
            picture = (_MODELS / f"{task}.png").read_bytes()
            opened.choose({"name": f"{task}.png", "mimeType": "image/png", "buffer": picture})
            opened.wait(_SPOKEN, f"{task}.png")
            _shoot(opened, task)
            context.close()


def _shoot(opened: Opened, name: str) -> None:
    opened.page.wait_for_timeout(300)  # for the bars
    opened.page.screenshot(path=SCREENS / f"{name}.png")


def _digit(number: int) -> Image.Image:
    """A handwritten digit of 240 x 240 pixels."""
    from sklearn.datasets import load_digits

    pixels = np.round(load_digits().images[number] * (255 / 16)).astype(np.uint8)
    return Image.fromarray(pixels).resize((240, 240), Image.Resampling.BICUBIC)


def _frame(digit: Image.Image) -> np.ndarray:
    """A frame of the camera with the digit in its middle, twice as dark around it."""
    width, height = SIDES
    frame = np.full((height, width, 3), 24, np.uint8)
    left = (width - digit.width) // 2
    frame[:, left : left + digit.width] = np.maximum(24, np.asarray(digit))[..., None]
    return frame


def _file(number: int) -> dict[str, Any]:
    stream = io.BytesIO()
    _digit(number).save(stream, "PNG")
    return {"name": f"{number}.png", "mimeType": "image/png", "buffer": stream.getvalue()}
