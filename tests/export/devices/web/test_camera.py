"""The live camera: colours, digits, freezing, no permission, no camera, a thousand frames."""

import base64

import numpy as np
import pytest
from PIL import Image

from benchmarks.browser import ALLOWED, CAMERA, SIDES
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.networks.zoo import make_network
from tests.export.devices.web.conftest import DIGITS

pytestmark = pytest.mark.web
WIDTH, HEIGHT = SIDES
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (90, 90, 90))
# The compiler of JavaScript remembers more in the first few hundred frames.
FRAMES, WARM = 1000, 600
GROWTH = 150  # bytes per frame, less than a promise that is kept


def plain(colour) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), colour, np.uint8)


def frame(digit: Image.Image) -> np.ndarray:
    """A digit in the middle of a frame."""
    found = plain(0)
    left = (WIDTH - HEIGHT) // 2
    found[:, left : left + HEIGHT] = np.asarray(digit)[..., None]
    return found


@pytest.fixture(scope="module")
def digit_camera(films, digits):
    return films("digits", [frame(digit) for digit in digits], repeat=5)


def start(page) -> None:
    page.button("Start camera").click()
    page.locator("#bars li").first.wait_for()


def seen(page) -> np.ndarray:
    """The network's input that the page shows, RGB."""
    found = page.call(
        """() => {
          const canvas = document.getElementById("input");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.height, canvas.width, helpers.text(data)];
        }"""
    )
    pixels = np.frombuffer(base64.b64decode(found[2]), np.uint8)
    return pixels.reshape(*found[:2], 4)[..., :3]


def open_network(page, name: str, *options) -> bytes:
    """Open a network with random weights, and return its file."""
    content = with_uint8_ends(int8_file(make_network(*options)))
    page.open_model(name, content)
    page.wait("(name) => document.title === name", name)
    return content


def test_colours(open_page, films):
    """Red stays red: every input is one of the colours, a few levels off by the fake camera."""
    page = open_page(*films("colours", [plain(colour) for colour in COLOURS], repeat=8))
    open_network(page, "colours.tflite", "v1", 0.25, 32, 3)
    start(page)
    found = set()
    for _ in range(200):
        pixels = seen(page).astype(int)
        assert pixels.shape == (32, 32, 3)
        (colour,) = {one for one in COLOURS if np.abs(pixels - one).max() <= 4}
        found.add(colour)
        if len(found) == len(COLOURS):
            return
        page.page.wait_for_timeout(50)
    assert found == set(COLOURS)


def test_a_digit(open_page, films, digits):
    """A digit before the camera is what it is in Python, and the bars say so."""
    number = 7
    page = open_page(*films(f"digit_{number}", [frame(digits[number])]))
    start(page)
    model = TFLiteModel(DIGITS)
    picture = prepare(Image.fromarray(frame(digits[number])), InputSpec(32, 1))
    scores = model.run(picture[None])[0]
    assert np.abs(seen(page)[..., :1].astype(int) - picture).max() <= 4
    label, score = page.bars()[0]
    assert label == str(number) == str(scores.argmax())
    assert float(score.split()[0]) == pytest.approx(100 * scores.max(), abs=2)
    # What is shown is what these very pixels score: byte for byte, and to the last bit.
    exact = model.run(seen(page)[None, ..., :1])[0]
    assert score == f"{100 * exact.max():.1f} %"


def test_freezing(open_page, digit_camera):
    """The frozen picture is the one that the answer is for; a new model answers for it anew."""
    page = open_page(*digit_camera)
    start(page)
    page.button("Freeze").click()
    assert page.button("Freeze").get_attribute("aria-pressed") == "true"
    page.page.wait_for_timeout(200)
    before = seen(page).tobytes(), page.bars()
    exact = TFLiteModel(DIGITS).run(seen(page)[None, ..., :1])[0]
    assert before[1][0] == (str(exact.argmax()), f"{100 * exact.max():.1f} %")
    page.page.wait_for_timeout(600)  # three digits later
    assert (seen(page).tobytes(), page.bars()) == before
    spoken = f"The camera: {', '.join(before[1][0])}"
    assert page.text("spoken") == spoken

    content = open_network(page, "other.tflite", "v1", 0.25, 32, 3, 1)
    page.wait("(before) => document.getElementById('spoken').textContent !== before", spoken)
    other = TFLiteModel(content).run(seen(page)[None, ..., :1])[0]
    assert page.bars()[0] == (str(other.argmax()), f"{100 * other.max():.1f} %")

    page.button("Freeze").click()
    page.wait("(count) => frames_read > count + 5", page.call("() => frames_read"))
    assert page.button("Freeze").get_attribute("aria-pressed") == "false"
    page.button("Stop camera").click()
    assert page.button("Freeze").is_disabled()


def test_another_camera(open_page):
    """The button is there when there are several cameras, and takes them in turn."""
    script = """
      const ask = MediaDevices.prototype.getUserMedia;
      window.asked = [];
      MediaDevices.prototype.getUserMedia = async function (...rest) {
        const stream = await ask.apply(this, rest);
        asked.push(stream.getVideoTracks()[0].getSettings().deviceId);
        return stream;
      };"""
    page = open_page(f"{CAMERA}=device-count=2", ALLOWED, script=script)
    assert page.button("Other camera").is_hidden()
    start(page)
    for _ in range(2):
        page.wait("() => !document.getElementById('other').hidden")
        before = page.call("() => asked.length")
        page.button("Other camera").click()
        page.wait("(before) => asked.length > before", before)
        page.wait("(count) => frames_read > count + 3", page.call("() => frames_read"))
    first, second, third = page.call("() => asked")
    assert first == third != second
    page.button("Stop camera").click()
    assert page.button("Other camera").is_hidden()


def test_started_twice(open_page, digit_camera):
    """Of two streams that were asked for at once, one is used and the other is released."""
    script = """
      const ask = MediaDevices.prototype.getUserMedia;
      window.streams = [];
      MediaDevices.prototype.getUserMedia = async function (...rest) {
        const stream = await ask.apply(this, rest);
        streams.push(stream);
        return stream;
      };"""
    page = open_page(*digit_camera, script=script)
    page.call(
        """() => {
          const button = document.getElementById("camera");
          button.click();
          button.click();
        }"""
    )
    page.wait("() => streams.length === 2")
    page.wait("(count) => frames_read > count + 3", page.call("() => frames_read"))
    states = page.call("() => streams.map((one) => one.getVideoTracks()[0].readyState)")
    assert sorted(states) == ["ended", "live"]
    assert page.button("Stop camera").is_enabled()


def test_permission_is_refused(open_page):
    page = open_page(CAMERA)
    page.button("Start camera").click()
    page.wait("() => document.getElementById('error').textContent")
    assert page.text("error").startswith("The camera is not allowed. Allow it for this page")
    assert page.button("Start camera").is_enabled()


def test_no_camera(open_page):
    page = open_page(ALLOWED)
    page.button("Start camera").click()
    page.wait("() => document.getElementById('error').textContent")
    assert page.text("error") == "There is no camera here. Choose pictures instead."


def test_a_camera_that_goes_away(open_page, digit_camera):
    script = """
      const ask = MediaDevices.prototype.getUserMedia;
      MediaDevices.prototype.getUserMedia = async function (...rest) {
        return (window.stream = await ask.apply(this, rest));
      };"""
    page = open_page(*digit_camera, script=script)
    start(page)
    page.call("() => stream.getTracks()[0].dispatchEvent(new Event('ended'))")
    assert page.text("error").startswith("The camera has gone away.")
    page.button("Start camera").click()
    page.wait("(count) => frames_read > count + 5", page.call("() => frames_read"))
    assert page.text("error") == ""


def test_a_thousand_frames_without_growth(open_page, films, digits):
    """Neither the script's memory grows, nor WebAssembly's, nor the document."""
    page = open_page(*films("fast", [frame(digit) for digit in digits], rate=100))
    # Of its inputs alone, 27 KB each, WebAssembly could keep a few hundred without growing.
    open_network(page, "large.tflite", "v1", 0.25, 96, 3)
    start(page)

    first = page.memory_after(WARM)
    last = page.memory_after(WARM + FRAMES)
    assert last["wasm"] == first["wasm"]
    assert last["nodes"] <= first["nodes"] + 100
    assert last["heap"] <= first["heap"] + GROWTH * FRAMES
