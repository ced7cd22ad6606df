"""What commands return, as a notebook shows it."""

import base64
import json
import pkgutil
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Group
from rich.text import Text

import mobilenet_tf as mn
from mobilenet_tf.commands import outcomes
from mobilenet_tf.commands.outcomes.predictions import HeatMaps, Predictions
from mobilenet_tf.core.outcome import Outcome, Shown
from mobilenet_tf.core.tables import html, table

HOSTILE = "<img src=x onerror=alert(1)>&\"'\x1b[31m\u202e"


class Reader(HTMLParser):
    """The tags of a page, and its cells as texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in ("td", "th", "caption", "p"):
            self.cells.append("")

    def handle_data(self, text):
        if self.cells and text.strip():
            self.cells[-1] += text


def test_entries_are_attributes_and_json():
    found = Outcome(accuracy=0.5, classes={"a": 1})
    assert found.accuracy == found["accuracy"] == 0.5
    assert json.loads(json.dumps(found)) == {"accuracy": 0.5, "classes": {"a": 1}}
    with pytest.raises(AttributeError, match="Outcome has no 'loss'; it has accuracy, classes"):
        _ = found.loss
    assert not hasattr(found, "loss")


def test_no_entry_hides_a_method():
    for module in pkgutil.iter_modules(outcomes.__path__):
        import_module(f"{outcomes.__name__}.{module.name}")
    known = [Outcome]
    for kind in known:
        known += kind.__subclasses__()
    assert len(known) > 15
    for kind in known[1:]:
        assert kind.__doc__
        assert not set(getattr(kind, "__annotations__", {})) & set(dir(dict))


def test_html_escapes_names():
    found = Predictions(
        file=f"{HOSTILE}.tflite",
        probabilities=True,
        predictions=[
            {
                "image": HOSTILE,
                "accepted": True,
                "classes": [{"label": f"</td>{HOSTILE}", "score": 0.5}],
            }
        ],
        failed=[],
    )
    page = Reader(found._repr_html_())
    assert set(page.tags) == {"table", "tr", "th", "td"}
    shown = HOSTILE.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd")
    assert shown in page.cells
    assert f"</td>{shown}" in page.cells


def test_html_has_heads_titles_and_texts():
    page = html(
        Group(
            table(["network", HOSTILE], [("v1", 0.25)], f"of {HOSTILE}"),
            table(["", ""], [("memory", "1 MB")]),
            Text(f"first\n{HOSTILE}"),
        )
    )
    assert page.count("<th") == 2
    assert "first<br>&lt;img" in page
    assert '<td style="text-align: right">0.25</td>' in page
    assert "\x1b" not in page
    read = Reader(page)
    assert set(read.tags) == {"table", "caption", "tr", "th", "td", "p", "br"}
    assert read.cells[0].startswith("of <img src=x")


def test_drawings_are_in_the_html(tmp_path):
    there = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(there)
    page = HeatMaps({"a.jpg": str(there), "b.jpg": str(tmp_path / "gone.png")})._repr_html_()
    (found,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert base64.b64decode(found) == there.read_bytes()


def test_what_is_shown_may_contain_others(tmp_path):
    @dataclass(frozen=True)
    class Both(Shown):
        folder: Path

        def __rich__(self):
            return Group(mn.summary("v1"), Text(str(self.folder)))

    page = Both(tmp_path)._repr_html_()
    assert "4,253,864" in page
    assert str(tmp_path) in page
