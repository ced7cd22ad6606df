"""Report and card from made-up figures: complete, partial, hostile, small and large."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.report.card import write_card
from mobilenet_tf.deployment.report.page import write_report
from mobilenet_tf.deployment.report.wording import checks, headline, percent, points, wilson
from mobilenet_tf.runs.folder import RunFolder

HOSTILE = "<b>&\"' $x$ | Käse 日本 \u202e`~"
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def curves(epochs: int, start: float) -> dict:
    steps = np.arange(epochs)
    loss = 0.52 + start * np.exp(-steps / 6)
    return {
        "loss": loss.tolist(),
        "accuracy": (1 - (loss - 0.5) / 2.4).tolist(),
        "val_loss": (loss + 0.05 + 0.04 * np.sin(steps)).tolist(),
        "val_accuracy": (0.975 - (loss - 0.52) / 2.4 + 0.004 * np.sin(steps)).tolist(),
        "learning_rate": (0.002 * np.cos(steps / epochs)).tolist(),
    }


def figures(names: list[str], test: int = 309, right: float = 0.958) -> dict:
    """A finished run's `result.json`."""
    random = np.random.default_rng(1)
    labels = np.arange(test) % len(names)
    wrong = random.random(test) > right
    other = (labels + random.choice([1, 2, 5], test)) % len(names)
    confusion = np.zeros((len(names), len(names)), int)
    np.add.at(confusion, (labels, np.where(wrong, other, labels)), 1)
    int8 = float(np.trace(confusion)) / test
    levels = 38 - np.linspace(0, 9, 30) + random.normal(0, 1.6, 30)
    levels[17] = 18.4
    tensor = {"name": "serving_default_image:0", "dtype": "uint8", "shape": [1, 96, 96, 3]}
    return {
        "model": {
            "name": "v3_small", "alpha": 0.35, "size": 96, "channels": 3, "classes": len(names),
            "parameters": 339642, "macs": 4386752, "peak_activation_bytes": 110592,
            "preprocessing": {"mean": 128.0, "std": 127.5, "crop": 0.875},
        },
        "data": {
            "source": "/home/someone/photos/signs", "classes": names, "train": 1443,
            "validation": 310, "test": test, "fingerprint": "e14256b0a33dccf7",
            "skipped": [
                {"file": f"{names[0]}/{i:03d} {HOSTILE}.jpg", "reason": "it is cut short"}
                for i in range(61)
            ],
        },
        "history": {"float": curves(30, 1.9), "qat": curves(8, 0.05)},
        "accuracy": {"float": int8 + 0.0032, "qat": int8, "int8": int8, "ptq_int8": int8 - 0.071},
        "top5": {"float": 1.0, "qat": 0.9967, "int8": 0.9967, "ptq_int8": 0.99},
        "calibration_error": {"float": 0.071, "qat": 0.069, "int8": 0.068, "ptq_int8": None},
        "robustness": [
            {"corruption": "blur", "strength": strength, "unit": "share", "images": test,
             "accuracy": int8 - strength, "top5": None, "calibration_error": 0.0751}
            for strength in (0.01, 0.02)
        ],
        "tflite": {
            "bytes": 515564, "float_tensors": 0, "partitions": 1,
            "ops": {"ADD": 26, "CONV_2D": 43, "DEPTHWISE_CONV_2D": 11, "MEAN": 6, "MUL": 28,
                    "QUANTIZE": 2, "RESHAPE": 1, "SOFTMAX": 1},
            "left_out": ["QUANTIZE", "SOFTMAX"], "min_runtime": "1.14.0",
            "input": tensor | {"scale": 0.007843137718737125, "zero_point": 128},
            "output": {"name": "out", "dtype": "uint8", "shape": [1, len(names)],
                       "scale": 0.00390625, "zero_point": 0},
        },
        "ptq": {"bytes": 506396},
        "parity": {"images": test, "max_lsb": 2, "within_1_lsb": 0.9987,
                   "top1_agreement": 1 - 1 / test, "worst_block": "block_8_depthwise"},
        "blocks": [
            {"name": f"block_{i // 2}_{'depthwise' if i % 2 else 'expand'}", "sqnr_db": level,
             "max_lsb": i % 4, "within_1_lsb": 0.999, "weight_low": -1.2, "weight_high": 0.9,
             "range_used": 0.4 + 0.02 * i}
            for i, level in enumerate(levels.tolist())
        ],
        "confusion": confusion.tolist(),
        "worst": [
            {"file": f"{names[i % len(names)]}/{i}.jpg", "label": names[i % len(names)],
             "predicted": names[(i + 1) % len(names)], "score": 0.95 - i / 50,
             "picture": f"worst/{i + 1:02d}.png"}
            for i in range(12)
        ],
        "seconds": {"data": 3.1, "train": 189.5, "quantize": 94.6, "export": 42.5, "verify": 9.2},
        "seed": 7,
        "versions": {"mobilenet_tf": "0.1.0", "python": "3.11.2", "tensorflow": "2.21.0",
                     "tf_keras": "2.21.0", "tfmot": "0.8.1", "litert": "2.3.0"},
        "machine": {"cpu": "Example CPU @ 2.60GHz", "cores": 2},
    }  # fmt: skip


def store(folder: Path, result: dict, picture_size: int = 96) -> RunFolder:
    (folder / "worst").mkdir()
    random = np.random.default_rng(0)
    for item in result.get("worst", ()):
        noise = random.integers(0, 256, (picture_size // 8, picture_size // 8, 3), np.uint8)
        image = Image.fromarray(noise).resize((picture_size, picture_size), Image.BICUBIC)
        image.save(folder / item["picture"])
    (folder / "result.json").write_text(json.dumps(result))
    return RunFolder(folder)


class Page(HTMLParser):
    """Checks that every element is closed where it must be, and collects what is loaded."""

    VOID = frozenset(("meta", "br", "img", "hr", "path", "use", "rect"))

    def __init__(self, text: str):
        super().__init__()
        self.open, self.ids, self.loads, self.words, self.tags = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.ids += [values["id"]] if "id" in values else []
        self.loads += [values[key] for key in ("src", "href", "xlink:href") if key in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert tag in self.VOID or self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def page_of(run: RunFolder) -> tuple[str, Page]:
    source = write_report(run).read_text(encoding="utf-8")
    page = Page(source)
    assert len(source.encode()) < 1_500_000
    assert len(page.ids) == len(set(page.ids))
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    assert {load[1:] for load in page.loads if load[0] == "#"} <= set(page.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", source)) <= set(page.ids)
    assert not re.search(r"https?://|@import|<script|\b(?:nan|None|inf)\b", source)
    return source, page


def test_report_and_card_state_the_figures(tmp_path):
    result = figures(DIGITS)
    run = store(tmp_path, result)
    _, page = page_of(run)
    card = write_card(run).read_text(encoding="utf-8")
    for share in result["accuracy"].values():
        assert f"{share:.1%}" in page.text
        assert f"{share:.1%}" in card
    low, high = wilson(result["accuracy"]["int8"], 309)
    for text in (page.text, card):
        assert f"{low:.1%} to {high:.1%}" in text
        assert "The int8 file keeps the accuracy of the float network." in text
        assert "515,564" in text
        assert "signs" in text
        assert "/home/someone" not in text
        assert "0.00784313772" in text
        assert "mobilenet_tf run --data signs --model v3_small --alpha 0.35 --size 96" in text
        assert "--epochs 30 --qat-epochs 8 --seed 7" in text
    assert page.text.count("it is cut short") == 50
    assert "61 files skipped, the first 50" in page.text
    assert "block_8_depthwise: 18.4 dB" in page.text
    for shown in ("top 5", "99.7%", "calibration error", "6.8%", "Robustness", "7.5%"):
        assert shown in page.text
    assert page.tags.count("img") == 12
    assert page.tags.count("svg") == 4
    assert "Licence" in card


def test_same_figures_give_the_same_bytes(tmp_path):
    run = store(tmp_path, figures(DIGITS))
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_svg_takes_its_colours_from_the_page(tmp_path):
    source, _ = page_of(store(tmp_path, figures(DIGITS)))
    drawings = "".join(re.findall(r"<svg.*?</svg>", source, re.S))
    assert "var(--accent)" in drawings
    assert not re.search(r"#[0-9a-f]{6}\b", drawings)
    assert "font-family" not in drawings


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 8, 10, 12, 15])
def test_an_unfinished_run_leaves_out_what_is_missing(tmp_path, count):
    result = dict(list(figures(DIGITS).items())[: count + 1])
    run = store(tmp_path, result)
    _, page = page_of(run)
    card = write_card(run).read_text(encoding="utf-8")
    assert ("Confusion matrix" in page.text) == ("confusion" in result)
    assert ("Accuracy of the int8 file: not measured" in card) == ("accuracy" not in result)
    assert "None" not in card


def test_sections_with_holes(tmp_path):
    result = figures(DIGITS)
    result["accuracy"] = {"float": 0.9, "int8": None}
    result["history"] = {"float": {"loss": [1.0], "accuracy": [float("nan")]}, "qat": {}}
    result["tflite"] |= {"partitions": None, "left_out": None, "input": None}
    result["parity"] = {"images": 0}
    result["worst"][0]["picture"] = "../../secret.png"
    result["blocks"][3]["sqnr_db"] = None
    run = store(tmp_path, result, 16)
    (tmp_path / "worst" / "03.png").write_text("no picture")
    (tmp_path / "worst" / "04.png").unlink()
    source = write_report(run).read_text(encoding="utf-8")
    page = Page(source)
    assert page.tags.count("img") == 9
    assert "not measured" in page.text
    write_card(run)


def test_a_folder_without_figures(tmp_path):
    for write in (write_report, write_card):
        with pytest.raises(UserError, match="has no figures"):
            write(RunFolder(tmp_path))


def test_names_from_outside_are_shown_not_obeyed(tmp_path):
    names = [HOSTILE, "<script>alert(1)</script>", "a\x00b\udc80", "]]>--><!--", "$p^2$", "a|b"]
    result = figures(names, 240, 0.7)
    result["data"]["source"] = "photos/<i>x</i>"
    result["blocks"][3]["name"] = '"(#x)<g>'
    result["parity"]["worst_block"] = '"(#x)<g>'
    result["versions"]["<u>"] = "<s>"
    run = store(tmp_path, result)
    source, page = page_of(run)
    card = write_card(run).read_text(encoding="utf-8")
    assert "<b>&\"' $x$ | Käse 日本 \ufffd`~" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert not {"script", "i", "u", "s"} & set(page.tags) - {"i"}
    assert "<i>x" not in source
    assert "\x00" not in source
    assert "<script" not in card
    assert "\\`\\~" in card
    assert "a\\|b" in card


@pytest.mark.parametrize(("classes", "matrix", "heat"), [(2, 1, 0), (20, 1, 0), (40, 0, 1)])
def test_confusion_suits_the_number_of_classes(tmp_path, classes, matrix, heat):
    names = [f"class {i}" for i in range(classes)]
    source, page = page_of(store(tmp_path, figures(names, 800)))
    assert source.count('<table class="matrix') == matrix
    assert source.count('class="heat"') == heat
    assert "Most confused" in page.text


def test_a_thousand_classes(tmp_path):
    names = [f"class number {i}" for i in range(1000)]
    result = figures(names, 5000, 0.6)
    run = store(tmp_path, result, 1024)
    source, page = page_of(run)
    assert "Confusion matrix" not in page.text
    assert "Hardest classes" in page.text
    assert "and 900 more" in page.text
    assert len(source) < 800_000
    assert len(write_card(run).read_text()) < 20_000


def test_headline_names_the_first_thing_that_is_wrong():
    result = figures(DIGITS)
    lost = result | {"accuracy": {"float": 0.97, "int8": 0.927}}
    assert headline(lost) == "The int8 file loses 4.3 points against float."
    other = result | {"parity": {"images": 309, "top1_agreement": 0.8}}
    assert headline(other) == (
        "The file names another class than the trained network on 20.0% of the pictures."
    )
    mixed = result | {"tflite": {"float_tensors": 9, "partitions": 20}}
    assert headline(mixed) == "The file still holds 9 float tensors."
    assert [check.passed for check in checks(mixed)] == [True, True, False, False]
    few = {"data": {"test": 90}, "parity": {"top1_agreement": 89 / 90}, "tflite": {}}
    few["accuracy"] = {"float": 80 / 90, "int8": 79 / 90}
    assert [check.passed for check in checks(few)] == [True, True, None, None]
    chance = result | {"accuracy": {"float": 0.1, "int8": 0.1}}
    assert "not learned" in headline(chance)
    assert headline({"model": {}}) == "Nothing is measured yet."


def test_numbers_in_words():
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(1.0, 10)[1] == pytest.approx(1)
    assert [percent(x) for x in (1, 0.9996, 0.974, 0, 0.0001)] == [
        "100.0%", "99.96%", "97.4%", "0.0%", "0.01%",
    ]  # fmt: skip
    assert points(-0.0432) == "\u22124.3 points"
    assert points(0.0002) == "0.0 points"
