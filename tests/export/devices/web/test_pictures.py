"""Pictures and models that are chosen, dropped or pasted; damaged ones; no server."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from benchmarks.browser import Opened, encoded, served
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.networks.zoo import make_network
from tests.export.devices.web.conftest import DIGITS
from tests.export.devices.web.test_same_numbers import png

pytestmark = pytest.mark.web


def picture(digit: Image.Image, name: str = "seven.png") -> dict:
    return {"name": name, "mimeType": "image/png", "buffer": png(digit)}


def answer(digit: Image.Image) -> tuple[str, str]:
    """What Python says of a digit, as the page writes it."""
    scores = TFLiteModel(DIGITS).run(prepare(digit.convert("RGB"), InputSpec(32, 1))[None])[0]
    return str(scores.argmax()), f"{100 * scores.max():.1f} %"


def spoken(page, start: str) -> str:
    page.wait("(start) => document.getElementById('spoken').textContent.startsWith(start)", start)
    return page.text("spoken")


def failed(page) -> str:
    page.wait("() => document.getElementById('error').textContent")
    return page.text("error")


def test_chosen_pictures(page, digits):
    """Each has its answer; a small copy brings it back; the answer is spoken."""
    page.choose(*(picture(digits[i], f"{i}.png") for i in (3, 7)))
    assert spoken(page, "7.png") == f"7.png: {', '.join(answer(digits[7]))}"
    assert page.bars()[0] == answer(digits[7])
    small = page.locator("#tiles button")
    assert small.all_inner_texts() == [", ".join(answer(digits[i])) for i in (3, 7)]
    small.first.click()
    assert spoken(page, "3.png") == f"3.png: {', '.join(answer(digits[3]))}"
    assert small.first.get_attribute("aria-pressed") == "true"
    scores = sorted((float(score.split()[0]) for _, score in page.bars()), reverse=True)
    assert scores == [float(score.split()[0]) for _, score in page.bars()]
    assert len(scores) == 3


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_dropped_and_pasted_pictures(page, digits, way):
    content = encoded(png(digits[7]))
    if way == "drop":
        page.call("(content) => helpers.give('dragover', 'seven.png', content)", content)
        assert page.locator("body.dropping").count() == 1
    page.call("([way, content]) => helpers.give(way, 'seven.png', content)", [way, content])
    assert spoken(page, "seven.png") == f"seven.png: {', '.join(answer(digits[7]))}"
    assert page.locator("body.dropping").count() == 0


def test_another_model_is_dropped(page, digits):
    """Its labels and facts are read from the file, and the pictures are answered anew."""
    page.choose(picture(digits[7]))
    spoken(page, "seven.png: 7")
    network = make_network("v1", 0.25, 48, 3)
    content = add_metadata(
        with_uint8_ends(int8_file(network)), name="Fruit <b>1</b>", description="Three fruits.",
        labels=["apple", "<i>pear</i>", "quince"],
        input_spec=InputSpec(48, mean=100.0, std=50.0, crop=0.875, fit="stretch", resize="box"),
    )  # fmt: skip
    page.call("(content) => helpers.give('drop', 'fruit.tflite', content)", encoded(content))
    page.wait("() => document.title === 'Fruit <b>1</b>'")
    page.wait("() => /apple|pear|quince/.test(document.getElementById('tiles').innerText)")
    facts = page.text("facts")
    for fact in (
        f"fruit.tflite, {len(content):,} bytes", "Three fruits.",
        "48 \u00d7 48 pixels, colour, uint8", "box",
        "87.5 % of the whole picture, stretched", "(pixel \u2212 100) / 50", "3 values, uint8",
    ):  # fmt: skip
        assert fact in facts
    page.locator("summary").click()
    assert page.locator("#labels li").all_inner_texts() == ["apple", "<i>pear</i>", "quince"]
    spec = InputSpec(48, mean=100.0, std=50.0, crop=0.875, fit="stretch", resize="box")
    model = TFLiteModel(content)
    scores = model.run(prepare(digits[7].convert("RGB"), spec)[None])[0]
    assert page.bars()[0] == (model.labels[scores.argmax()], f"{100 * scores.max():.1f} %")


def with_labels(content: bytes, labels: bytes) -> bytes:
    """The same model with another labels.txt, in a compressed archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
        start = min(entry.header_offset for entry in archive.infolist())
    stream = io.BytesIO(content[:start])
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, labels if name == "labels.txt" else data)
    return stream.getvalue()


def test_deflated_labels(page):
    """Other tools compress the archive."""
    labels = b"zero\none\n2\n3\n4\n5\n6\n7\n8\n9\n"
    page.open_model("packed.tflite", with_labels(DIGITS.read_bytes(), labels))
    page.wait("() => document.getElementById('labels').textContent.includes('zero')")
    assert page.text("error") == ""


def damaged() -> dict[str, tuple[bytes, str]]:
    """Name -> a file that cannot be used, and what the page says of it."""
    whole = DIGITS.read_bytes()
    network = make_network("v1", 0.25, 32, 3)
    file = with_uint8_ends(int8_file(network))
    wrong = add_metadata(
        file, name="x", description="x", labels=list("abc"), input_spec=InputSpec()
    )
    return {
        "text.tflite": (b"Not Found" * 50, "is not a .tflite file"),
        "empty.tflite": (b"", "is not a .tflite file"),
        "cut.tflite": (whole[: len(whole) // 2], "cannot be read: it is cut short or damaged"),
        "zip.tflite": (
            whole.replace(b"PK\x01\x02", b"PK\x09\x09"),
            "the archive at its end is damaged",
        ),
        "zeros.tflite": (
            with_labels(whole, bytes(4_000_000) + b"x"),
            "has 1 labels for 10 classes",
        ),
        "labels.tflite": (wrong.replace(b"a\nb\nc\n", b"a\nb c\n"), "has 2 labels for 3 classes"),
    }


@pytest.mark.parametrize(
    "name",
    [f"{name}.tflite" for name in ("text", "empty", "cut", "zip", "zeros", "labels")],
)
def test_a_broken_model(page, digits, name):
    """One sentence; the model before goes on."""
    content, said = damaged()[name]
    page.open_model(name, content)
    assert name in failed(page)
    assert said in page.text("error")
    page.choose(picture(digits[7]))
    assert spoken(page, "seven.png") == f"seven.png: {', '.join(answer(digits[7]))}"
    assert page.text("error") == ""


def test_mutants_of_a_model(page):
    """However a file is damaged, the page says a sentence or shows an answer, and never stops."""
    whole = np.frombuffer(DIGITS.read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    for number in range(24):
        mutant = whole.copy()
        # The first and the last bytes are tables; between them are weights.
        places = np.concatenate([random.integers(8, 12_000, 6), -random.integers(1, 40_000, 6)])
        mutant[places] = random.integers(0, 256, len(places))
        page.open_model(f"{number}.tflite", mutant.tobytes())
        page.wait(
            "(name) => document.getElementById('error').textContent.includes(name)"
            " || document.getElementById('facts').textContent.includes(name)",
            f"{number}.tflite",
        )
        assert "This did not work" not in page.text("error")
    page.open_model("whole.tflite", whole.tobytes())
    page.wait("() => document.getElementById('facts').textContent.includes('whole.tflite')")


def test_broken_pictures_among_others(page, digits):
    """Those that can be read are shown; of each other one there is a sentence."""
    deep = Image.fromarray(np.zeros((8, 8), np.uint16))
    page.choose(
        {"name": "text.png", "mimeType": "image/png", "buffer": b"not a picture"},
        picture(digits[7]),
        {"name": "deep.png", "mimeType": "image/png", "buffer": png(deep)},
    )
    spoken(page, "seven.png: 7")
    page.wait("() => document.getElementById('error').textContent.includes('deep.png')")
    assert page.text("error") == (
        "text.png is not a picture that this browser can decode. "
        "deep.png has greys of 16 bits, which browsers cut to 8; convert it first."
    )
    assert page.locator("#tiles li").count() == 1


def test_a_large_photo(page):
    """Of a phone, 12 million pixels."""
    from sklearn.datasets import load_sample_images

    photo = Image.fromarray(load_sample_images().images[0]).resize((4000, 3000))
    file = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": png(photo, "JPEG")}
    page.choose(file)
    spoken(page, "large.jpg")
    sides = page.call(
        "() => ['width', 'height'].map((side) => document.getElementById('view')[side])"
    )
    assert sides == [4000, 3000]


def test_without_a_server(browsers, page_folder, digits):
    """A page that was opened once opens and works without its server."""
    context = browsers().new_context()
    with served(page_folder) as url:
        page = Opened(context.new_page(), url)
        page.wait("async () => (await caches.match('./model.tflite')) !== undefined")
        page.wait("() => navigator.serviceWorker.controller !== null")
    again = Opened(context.new_page(), url)
    again.choose(picture(digits[7]))
    assert spoken(again, "seven.png") == f"seven.png: {', '.join(answer(digits[7]))}"
    assert page.errors + again.errors == []
    context.close()


def test_a_page_that_is_opened_as_a_file(browsers, page_folder):
    """Browsers load no modules from files; the page says what it needs."""
    context = browsers().new_context()
    page = context.new_page()
    page.goto((page_folder / "index.html").as_uri())
    assert "it needs a web server" in page.locator("#status").inner_text()
    context.close()


def test_content_is_not_markup(page):
    """Names of files are shown as they are."""
    page.call("(content) => helpers.give('drop', '<img src=x>.png', content)", encoded(b"x"))
    assert failed(page).startswith("<img src=x>.png is not a picture")
