"""Which pictures and classes a folder holds, and whether the user is told."""

import json
import os
import shutil
import struct
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reported.conftest import COLOURS, SMALL, save_classes, save_squares
from tests.reported.drive import Done, call, refused, succeeded
from tests.reported.models import colour_model, describe, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported pictures")]


def train(data: Path | str, out: Path, *options: object, cwd: Path | None = None) -> Done:
    return call("train", "--data", data, *SMALL, *options, "--out", out, cwd=cwd)


def classes_of(run: Path) -> list[str]:
    return json.loads((run / "result.json").read_text())["data"]["classes"]


def evaluate(file: Path, data: Path) -> dict:
    return succeeded(call("evaluate", file, "--data", data, "--json")).json


def named(float_file: bytes, path: Path, labels: list[str]) -> Path:
    """The classifier of red, green and blue, with other names for them."""
    return write(path, describe(float_file, labels))


# Own output.


def test_runs_among_the_pictures_are_no_class(photos, finished, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    shutil.copytree(finished, data / "runs" / "earlier")
    save_squares(data / "runs" / "earlier" / "worst", (9, 9, 9))
    out = data / "runs" / "mine"
    succeeded(train(".", out, cwd=data))
    assert classes_of(out) == sorted(COLOURS)
    # Its own output has not changed the pictures.
    succeeded(train(".", out, "--resume", cwd=data))


def test_a_run_among_the_pictures_is_no_class_in_evaluation(
    colours_file, photos, finished, tmp_path
):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    shutil.copytree(finished, data / "mine")
    save_squares(data / "mine" / "worst", (9, 9, 9))
    assert evaluate(colours_file, data)["images"] == 24


# Layouts.

SPLITS = [
    ("training_set", "test_set"),
    ("train", "dev", "eval"),
    ("TRAIN", "DEV", "EVAL"),
    ("train_data", "val_data", "test_data"),
]


@pytest.mark.parametrize("splits", SPLITS, ids="+".join)
def test_usual_names_of_splits_are_splits(splits, colours_file, tmp_path):
    for index, split in enumerate(splits):
        for name, colour in COLOURS.items():
            save_squares(tmp_path / "data" / split / name, colour, 3 + index, seed=index)
    found = evaluate(colours_file, tmp_path / "data")
    assert found["images"] == 3 * (2 + len(splits))  # of the last split, which is the test's
    assert found["accuracy"] == 1.0


def test_every_split_is_used_and_said_before_training(tmp_path):
    for index, split in enumerate(("train", "dev", "eval")):
        for name, colour in COLOURS.items():
            save_squares(tmp_path / "data" / split / name, colour, 4 - index, seed=index)
    done = succeeded(train(tmp_path / "data", tmp_path / "out"))
    said = done.err.index("3 classes (blue, green, red); 12 training, 9 validation and 6 test im")
    assert said < done.err.index("Training ")
    data = json.loads((tmp_path / "out" / "result.json").read_text())["data"]
    assert (data["train"], data["validation"], data["test"]) == (12, 9, 6)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (["bus", "car", "train/steam", "train/diesel"], ["bus", "car", "steam", "diesel"]),
        (["train", "val/a", "val/b"], ["train/", "val/", "two ways"]),
        (["a/train", "a/test", "b/train", "b/test"], ["train", "test"]),
        (["train/a", "train/b", "Training_Set/a", "Training_Set/b"], ["train", "Training_Set"]),
    ],
    ids=["a class called train", "a split without classes", "splits in classes", "two trainings"],
)
def test_a_layout_with_two_readings_is_refused(folders, said, tmp_path):
    for index, folder in enumerate(folders):
        save_squares(tmp_path / "data" / folder, (index * 40, 90, 90), 4)
    refused(train(tmp_path / "data", tmp_path / "out"), *said)
    assert not (tmp_path / "out").exists()


def test_classes_called_test_and_control_are_read_alike(float_file, tmp_path):
    data = tmp_path / "data"
    for name, colour in {"control": COLOURS["red"], "test": COLOURS["green"]}.items():
        save_squares(data / name, colour)
    file = named(float_file, tmp_path / "file.tflite", ["control", "test", "other"])
    found = evaluate(file, data)
    assert (found["images"], found["accuracy"]) == (16, 1.0)


def test_train_and_val_alone_are_read_alike(colours_file, tmp_path):
    for split in ("train", "val"):
        save_classes(tmp_path / "data" / split)
    found = evaluate(colours_file, tmp_path / "data")
    assert 0 < found["images"] < 48
    assert found["accuracy"] == 1.0


def test_accents_of_macos_and_linux_are_one_class(float_file, tmp_path):
    data = tmp_path / "data"
    for name, colour in {"café": COLOURS["red"], "b": COLOURS["green"]}.items():
        save_squares(data / unicodedata.normalize("NFD", name), colour)
    save_squares(data / unicodedata.normalize("NFC", "café"), COLOURS["red"], 3, seed=1)
    labels = [unicodedata.normalize("NFC", "café"), "b", "c"]
    found = evaluate(named(float_file, tmp_path / "file.tflite", labels), data)
    assert (found["images"], found["accuracy"]) == (19, 1.0)


# What is left out.


def test_what_is_left_out_is_said_before_training(photos, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    for number in range(20):
        write(data / "red" / f"{number}.heic", b"\0\0\0\x18ftypheic" + bytes(40))
    save_squares(tmp_path / "elsewhere", COLOURS["blue"], 5, seed=3)
    (data / "blue" / "linked").symlink_to(tmp_path / "elsewhere")
    (data / "blue" / "loop").symlink_to(data)
    Image.new("RGB", (32, 32), (200, 0, 0)).save(data / "red" / "flat.png")
    err = succeeded(train(data, tmp_path / "out")).err
    line = next(line for line in err.splitlines() if line.startswith(str(data)))
    assert "20 because" in line
    assert "HEIC" in line
    assert "blue/loop" in line
    assert "1 image is of one colour" in line
    counts = json.loads((tmp_path / "out" / "result.json").read_text())["data"]
    assert counts["train"] + counts["validation"] + counts["test"] == 24 + 5 + 1


def test_linked_folders_are_followed_in_evaluation(colours_file, photos, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    save_squares(tmp_path / "elsewhere", COLOURS["blue"], 5, seed=3)
    (data / "blue" / "more").symlink_to(tmp_path / "elsewhere")
    (data / "blue" / "loop").symlink_to(data / "blue")
    assert evaluate(colours_file, data)["images"] == 29


# Refused at the start.


@pytest.mark.parametrize("name", ["a\x01b", "   ", "a\nb", "\x7f", "\x1b[31mred"], ids=repr)
def test_class_names_that_no_file_can_hold_are_refused_at_the_start(name, photos, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    save_squares(data / name, (9, 9, 9))
    sentence = refused(train(data, tmp_path / "out"), "class folder")
    assert sentence.isprintable()
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_no_text_costs_no_earlier_run(photos, run, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    os.rename(data / "red", os.path.join(os.fsencode(data), b"caf\xe9"))
    before = sorted(run.rglob("*"))
    refused(train(data, run, "--overwrite"), "class folder")
    assert sorted(run.rglob("*")) == before


# Pixels.


def bitmap(colour: tuple[int, int, int], alpha: int) -> bytes:
    """A 32-bit BMP whose header has a mask for alpha."""
    pixel = bytes((colour[2], colour[1], colour[0], alpha))
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 32, 32, 1, 32, 3, 4096, 0, 0, 0, 0)
    rest = masks + b"BGRs" + bytes(48)
    start = 14 + len(header) + len(rest)
    file = b"BM" + struct.pack("<IHHI", start + 4096, 0, 0, start)
    return file + header + rest + pixel * 1024


@pytest.mark.parametrize("form", ["bmp", "png", "tiff"])
def test_an_alpha_channel_of_nothing_but_zero_is_ignored(form, colours_file, tmp_path):
    path = tmp_path / f"green.{form}"
    if form == "bmp":
        write(path, bitmap((20, 220, 20), 0))
    else:
        Image.fromarray(np.full((32, 32, 4), (20, 220, 20, 0), np.uint8)).save(path)
    found = succeeded(call("predict", colours_file, path, "--json")).json
    assert found["predictions"][0]["classes"][0]["label"] == "green"


def test_the_bit_depth_is_that_of_the_data_not_of_a_file(tmp_path):
    """12 bits in files of 16, for a model that knows bright from dark."""
    model = colour_model(((3, 0), (3, 0), (3, 0)), (0, 4.5), batch=None)
    model.save(tmp_path / "bright.keras")
    random = np.random.default_rng(0)
    for name, least, most in (("bright", 3000, 4096), ("dark", 0, 1000)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(least, most, (32, 32), np.uint16)
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    raw = ("--mean", "0", "--std", "255", "--out", tmp_path / "out")
    succeeded(call("export", tmp_path / "bright.keras", "--data", tmp_path / "data", *raw))
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["accuracy"]["int8"] == 1.0
