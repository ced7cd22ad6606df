"""Files of every task on the page: the same outputs and answers as in Python, boxes and masks."""

import json

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.outputs import side_by_side
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from tests.export.devices.web.test_pictures import failed, spoken
from tests.sources import ROOT

pytestmark = pytest.mark.web
MODELS = ROOT / "android_demo/offdevice/models"
EXPECTED = json.loads((MODELS / "expected.json").read_text(encoding="utf-8"))
# Colours of the overlay at points in shares of its sides: lists of red, green, blue and alpha.
POINTS = """(points) => {
  const canvas = document.getElementById("overlay");
  const context = canvas.getContext("2d");
  return points.map(([x, y]) =>
    Array.from(context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data));
}"""


def opened(page, task: str) -> None:
    """Open a task's model and its picture."""
    page.open_model(f"{task}.tflite", (MODELS / f"{task}.tflite").read_bytes())
    page.wait(
        "(name) => document.getElementById('facts').textContent.includes(name)", f"{task}.tflite"
    )
    content = (MODELS / f"{task}.png").read_bytes()
    page.choose({"name": f"{task}.png", "mimeType": "image/png", "buffer": content})
    spoken(page, f"{task}.png")


def percent(score: float) -> float:
    return pytest.approx(100 * score, abs=0.06)


@pytest.mark.parametrize("task", sorted(EXPECTED))
def test_outputs_are_those_of_python(page, task):
    """All outputs in the order of the file, bit for bit."""
    content = (MODELS / f"{task}.tflite").read_bytes()
    model = TFLiteModel(content)
    shape = (8, *model.input.shape[1:])
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = page.outputs(content, pixels)
    np.testing.assert_array_equal(found, side_by_side(model.run_raw(pixels)))


def test_boxes(page):
    opened(page, "detection")
    boxes = EXPECTED["detection"]["boxes"]
    assert len(boxes) > 1
    shown = page.bars()
    assert [label for label, _ in shown] == [box["label"] for box in boxes[:3]]
    for (_, text), box in zip(shown, boxes, strict=False):
        assert float(text.split()[0]) == percent(box["score"])
    # The middle of the likeliest box's right edge has a colour, its centre has none.
    with Image.open(MODELS / "detection.png") as picture:
        _, top, right, bottom = np.array(boxes[0]["box"]) / np.tile(picture.size, 2)
    middle = (top + bottom) / 2
    edge, outside = page.call(POINTS, [[min(right, 0.999), middle], [min(1, right + 0.03), middle]])
    assert edge[3] == 255
    assert "task" in page.text("facts").lower()
    assert outside != edge


def test_a_mask(page):
    opened(page, "segmentation")
    classes = EXPECTED["segmentation"]["classes"]
    assert [label for label, _ in page.bars()] == [one["label"] for one in classes[:3]]
    for (_, text), one in zip(page.bars(), classes, strict=False):
        assert float(text.split()[0]) == percent(one["share"])
    share = page.call(
        """() => {
          const { width, height } = document.getElementById("overlay");
          const context = document.getElementById("overlay").getContext("2d");
          const { data } = context.getImageData(0, 0, width, height);
          let count = 0;
          for (let i = 3; i < data.length; i += 4) count += data[i] > 76;
          return count / (width * height);
        }"""
    )
    marked = sum(one["share"] for one in classes if one["label"] != "background")
    assert share == pytest.approx(marked, abs=0.03)


@pytest.mark.parametrize("task", ["multilabel", "geolocation"])
def test_labels_and_places(page, task):
    opened(page, task)
    known = [one["label"] for one in EXPECTED[task]["classes"][:3]]
    assert [label for label, _ in page.bars()][: len(known)] == known
    assert page.locator("#overlay").is_hidden()


def test_names_of_a_gallery(page):
    opened(page, "embedding")
    assert page.bars() == []
    assert "Drop a gallery" in page.text("nothing")
    gallery = (MODELS / "gallery.json").read_bytes()
    page.open_model("gallery.json", gallery)
    page.wait("() => document.querySelectorAll('#bars li').length")
    known = EXPECTED["embedding"]["names"]
    assert [text for _, text in page.bars()] == [f"{value:.2f}" for _, value in known[:3]]
    page.open_model("other.json", gallery.replace(b'"model": "', b'"model": "0'))
    assert "was made by another model" in failed(page)


def test_the_picture_of_a_mirror(page):
    """Only the picture is mirrored by the style; boxes are drawn where it shows things."""
    opened(page, "detection")
    alpha = page.call(
        """async ([x, y]) => {
          const { showOverlay } = await import("./overlay.js");
          const canvas = document.getElementById("overlay");
          const edges = [x, y - 0.1, x + 0.2, y + 0.1];
          const box = { label: "a", text: "b", edges, colour: [255, 0, 0] };
          showOverlay(canvas, { boxes: [box] }, true);
          const at = (share) => canvas.getContext("2d")
            .getImageData(share * canvas.width, y * canvas.height, 1, 1).data[3];
          return [at(1 - x), at(x)];
        }""",
        [0.2, 0.5],
    )
    assert alpha == [255, 0]
