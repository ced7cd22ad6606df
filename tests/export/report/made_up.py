"""Made-up results and run folders, and a parser that checks the page."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.deployment.report.page import write_report
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result

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


def finished(names: list[str], test: int = 309, right: float = 0.958) -> dict:
    """Return the content of a finished run's `result.json`."""
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
            "name": "v3_small", "alpha": 0.35, "classes": len(names),
            "parameters": 339642, "macs": 4386752, "peak_activation_bytes": 110592,
            "input": {"size": 96, "channels": 3, "mean": 128.0, "std": 127.5, "crop": 0.875},
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
        "suspects": {
            "way": "features", "folds": 5, "images": 2062, "accuracy": 0.975, "wrong": 3,
            "worst": [{"file": HOSTILE, "label": names[0], "predicted": HOSTILE, "quality": 0.02}],
        },
    }  # fmt: skip


def store(folder: Path, result: dict, picture_size: int = 96) -> RunFolder:
    """Write a run folder of version 2 with noise as the images of mistakes."""
    (folder / "worst").mkdir()
    random = np.random.default_rng(0)
    for item in result.get("worst", ()):
        noise = random.integers(0, 256, (picture_size // 8, picture_size // 8, 3), np.uint8)
        image = Image.fromarray(noise).resize((picture_size, picture_size), Image.BICUBIC)
        image.save(folder / item["picture"])
    (folder / "result.json").write_text(json.dumps({"version": 2} | result))
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


def read(values: dict) -> Result:
    """Return a result of version 2."""
    return Result.from_dict({"version": 2} | values)
