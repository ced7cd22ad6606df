"""The page of the shipped digits, served, and Chromium to open it in."""

import json
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image

from benchmarks.browser import ALLOWED, CAMERA, Opened, chromium, playwright, served, write_video
from mobilenet_tf.deployment.devices.web.folder import write_page
from tests.sources import ROOT

DIGITS = ROOT / "android_demo/app/src/main/assets/digits.tflite"


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory):
    """The page of the digits; LiteRT.js is fetched once for all runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(ROOT / "build" / "cache"))
        folder = tmp_path_factory.mktemp("page")
        write_page(DIGITS, folder)
    return folder


@pytest.fixture(scope="session")
def address(page_folder):
    with served(page_folder) as url:
        yield url


@pytest.fixture(scope="session")
def running():
    with playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browsers(running):
    """Flags -> a browser that was started with them."""
    with ExitStack() as stack:
        found = {}

        def start(*flags: str):
            if flags not in found:
                found[flags] = stack.enter_context(chromium(running, *flags))
            return found[flags]

        yield start


@pytest.fixture
def open_page(browsers, address):
    """Flags and options of a browser context -> an `Opened`; nothing may fail inside of it."""
    opened = []
    contexts = []

    def start(*flags: str, script: str = "", url: str = address, **options) -> Opened:
        contexts.append(browsers(*flags).new_context(**options))
        page = contexts[-1].new_page()
        if script:
            page.add_init_script(script)
        opened.append(Opened(page, url))
        return opened[-1]

    yield start
    for context in contexts:
        context.close()
    assert [error for one in opened for error in one.errors] == []


@pytest.fixture
def page(open_page) -> Opened:
    """The page without a camera."""
    return open_page()


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    """Frames -> flags with which a camera shows them."""
    folder = tmp_path_factory.mktemp("films")

    def flags(
        name: str, frames: list[np.ndarray], repeat: int = 1, rate: int = 25
    ) -> tuple[str, ...]:
        path = folder / f"{name}.y4m"
        if not path.exists():
            write_video(path, frames, repeat, rate)
        return CAMERA, ALLOWED, f"--use-file-for-fake-video-capture={path}"

    return flags


@pytest.fixture(scope="session")
def digits() -> list[Image.Image]:
    """Handwritten digits 0 to 9 as pictures of 240 x 240 pixels."""
    from sklearn.datasets import load_digits

    images = np.round(load_digits().images[:10] * (255 / 16)).astype(np.uint8)
    return [Image.fromarray(one).resize((240, 240), Image.Resampling.BICUBIC) for one in images]


@pytest.fixture(scope="session")
def golden_cases():
    """(case, expected pixels) of the Android app's golden vectors, and their folder."""
    folder = ROOT / "android_demo/core/src/test/resources/golden"
    expected = (folder / "expected.bin").read_bytes()
    cases = json.loads((folder / "cases.json").read_text())
    return folder, [
        (case, expected[case["at"] : case["at"] + case["size"] ** 2 * case["channels"]])
        for case in cases
    ]
