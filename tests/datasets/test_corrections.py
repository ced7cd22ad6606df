"""Corrected labels: what a table of them says, and what a source becomes with them."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.cli.app import app
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.corrections import read_corrections
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.settings import RunSettings


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(4)
    for label in "ab":
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for number in range(8):
            noise = random.integers(0, 256, (24, 24, 3), np.uint8)
            Image.fromarray(noise).save(folder / f"{label}{number}.png")
    return tmp_path / "photos"


def labels_of(photos, corrections):
    data = load_data(photos, InputSpec(16), arrangement=Arrangement(corrections=corrections))
    found = {
        name: data.classes[label]
        for split in (data.train, data.validation, data.test)
        for name, label in zip(split.names, split.labels, strict=True)
    }
    return found, data


def test_labels_change_and_files_are_left_out(photos):
    before, _ = labels_of(photos, {})
    after, data = labels_of(photos, {"a/a3.png": "b", "b5": "-", "b\\b6.png": "b"})
    assert before.pop("b/b5.png") == "b"
    assert after == {**before, "a/a3.png": "b"}
    assert data.skipped == [{"file": "b/b5.png", "reason": "left out by --corrections"}]


def test_a_table_of_corrections(tmp_path):
    table = tmp_path / "suspects.csv"
    table.write_text("file;label;given;predicted\na;x;y;x\nb;y;y;x\nc;;y;x\nd;-;y;x\n")
    assert read_corrections(table) == {"a": "x", "c": "-", "d": "-"}
    table.write_text("a,x\na,x\nb,\n")
    assert read_corrections(table) == {"a": "x", "b": "-"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,score\na,1\n", "needs a column of files and one called label; its header is 'file'"),
        ("a/a1.png,a\na/a1.png,b\n", "line 2 gives a/a1.png another label again"),
        ("a/gone.png,b\n", "--corrections names a/gone.png, which is none of the images of "),
        (
            "a/a1.png,c\n",
            "--corrections gives a/a1.png the class 'c'; it must be one of a, b, or -",
        ),
        ("", "is empty; it needs a row for each picture"),
    ],
)
def test_wrong_corrections_begin_nothing(photos, text, said):
    table, out = photos.parent / "wrong.csv", photos.parent / "run"
    table.write_text(text)
    words = ["train", "--data", str(photos), "--corrections", str(table), "--out", str(out)]
    with pytest.raises(UserError, match=said):
        app(words, standalone_mode=False)
    assert not out.exists()


def test_data_that_corrections_do_not_suit(photos):
    network = make_network("v1", 0.25, 32, 2)
    with pytest.raises(UserError, match="--corrections applies only to files; the data is 'digi"):
        RunSettings(data="digits", network=network, corrections={"1": "2"})
    with pytest.raises(UserError, match=r"corrections: the class of a.png is 3; it must be text"):
        RunSettings(data="photos", network=network, corrections={"a.png": 3})
