"""Whether scores are read for what they are: whose they are, and whether they are numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reported.conftest import SMALL
from tests.reported.drive import Done, call, refused, succeeded
from tests.reported.models import SIDE, colour_model, describe, to_tflite, with_member, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported pictures")]

NAN = float("nan")


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory) -> Path:
    """A Keras model whose outputs are red, green, blue; the folders are sorted otherwise."""
    path = tmp_path_factory.mktemp("models") / "colours.keras"
    colour_model(batch=None).save(path)
    return path


def export(model: Path, data: Path, out: Path, *options: object) -> Done:
    raw = ("--mean", "0", "--std", "255")
    return call("export", model, "--data", data, *raw, *options, "--out", out)


# Order of the outputs.


def test_a_model_with_classes_in_another_order_is_refused(keras_file, photos, tmp_path):
    refused(export(keras_file, photos, tmp_path / "out"), "red, green, blue", "--labels")
    assert not (tmp_path / "out").exists()


def test_labels_say_the_order_of_a_model(keras_file, photos, tmp_path):
    labels = write(tmp_path / "labels.txt", "red\ngreen\nblue\n".encode("utf-8-sig"))
    done = export(keras_file, photos, tmp_path / "out", "--labels", labels, "--json")
    assert succeeded(done).json  # a result on standard output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["accuracy"]["int8"] == 1.0


def test_a_teacher_with_classes_in_another_order_is_refused(keras_file, photos, tmp_path):
    done = call("train", "--data", photos, *SMALL, "--teacher", keras_file, "--out", tmp_path / "x")
    refused(done, "red, green, blue", "teacher")


def test_a_file_whose_labels_are_in_another_order_is_refused(float_file, photos, tmp_path):
    file = write(tmp_path / "sorted.tflite", describe(float_file, ("blue", "green", "red")))
    refused(call("evaluate", file, "--data", photos), "red, green, blue", "--labels")
    labels = write(tmp_path / "labels.txt", b"red\ngreen\nblue\n")
    done = call("evaluate", file, "--data", photos, "--labels", labels, "--json")
    assert succeeded(done).json["accuracy"] == 1.0


# Numbers that are none, and one number.


@pytest.mark.parametrize("scores", [(NAN, 1, 0), (NAN, NAN, NAN)], ids=str)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_scores_that_are_no_numbers_are_refused(scores, command, square, photos, tmp_path):
    model = colour_model(np.zeros((3, 3)), scores, "linear")
    file = write(tmp_path / "nan.tflite", describe(to_tflite(model), ("blue", "green", "red")))
    what = [square] if command == "predict" else ["--data", photos]
    refused(call(command, file, *what, "--json"), "not numbers")


def test_a_single_score_is_not_always_the_first_class(square, tmp_path):
    model = colour_model([[20], [-20], [-20]], [0], "sigmoid")
    file = write(tmp_path / "one.tflite", describe(to_tflite(model), ("red",)))
    Image.new("RGB", (SIDE, SIDE), (20, 20, 220)).save(tmp_path / "blue.png")
    done = call("predict", file, square, tmp_path / "blue.png", "--json")
    if done.code:
        refused(done, "one score")
    else:
        first, second = (item["classes"][0]["label"] for item in done.json["predictions"])
        assert first != second


def test_logits_are_not_shown_as_shares(square, tmp_path):
    model = colour_model(bias=(5.5943, 0, 0), activation="linear")
    file = write(tmp_path / "logits.tflite", describe(to_tflite(model), ("red", "green", "blue")))
    assert "%" not in succeeded(call("predict", file, square)).out


# Agreement.


def test_agreement_is_that_of_scores_before_rounding(photos, tmp_path):
    """Scores of an untrained model differ by less than a step of the int8 file's output."""
    weights = np.fliplr(np.eye(3)) * 0.0005  # blue, green, red, as the folders
    colour_model(weights, batch=None).save(tmp_path / "untrained.keras")
    succeeded(export(tmp_path / "untrained.keras", photos, tmp_path / "out"))
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["accuracy"]["float"] == 1.0
    assert result["accuracy"]["int8"] < 1.0
    assert result["parity"]["top1_agreement"] < 1.0
    assert result["parity"]["ties"] > 0


# Metadata.


def test_metadata_that_saturate_the_input_are_not_followed(photos, tmp_path, caplog):
    """Many tools write mean 0 and std 1 into files that take raw pixels."""
    content = to_tflite(colour_model(), "uint8")
    file = write(tmp_path / "raw.tflite", describe(content, ("red", "green", "blue"), 0.0, 1.0))
    done = call("evaluate", file, "--data", photos, "--json")
    if done.code:
        refused(done, "raw.tflite")
    else:
        assert done.json["accuracy"] == 1.0
        assert "raw.tflite" in caplog.text  # a warning


def test_a_float_file_takes_its_normalisation_and_labels_from_options(
    float_file, photos, square, tmp_path
):
    file = write(tmp_path / "float.tflite", float_file)
    labels = write(tmp_path / "labels.txt", b"red\ngreen\nblue\n\n")
    options = ("--mean", "0,0,0", "--std", "255,255,255", "--labels", labels, "--json")
    found = succeeded(call("predict", file, square, *options)).json
    assert found["predictions"][0]["classes"][0]["label"] == "red"
    assert succeeded(call("evaluate", file, "--data", photos, *options)).json["accuracy"] == 1.0


def test_an_open_batch_is_no_reason_to_refuse_a_file(square, tmp_path):
    content = to_tflite(colour_model(batch=None))
    file = write(tmp_path / "open.tflite", describe(content, ("red", "green", "blue")))
    found = succeeded(call("predict", file, square, "--json")).json
    assert found["predictions"][0]["classes"][0]["label"] == "red"


# Many pictures.


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"text"], ids=repr)
def test_a_damaged_picture_does_not_end_the_others(content, colours_file, square, tmp_path):
    empty = write(tmp_path / "damaged.png", content)
    done = call("predict", colours_file, square, empty, square, "--json")
    assert done.code == 1
    assert [item["image"] for item in done.json["predictions"]] == [str(square)] * 2
    assert str(empty) in done.err
    assert "Traceback" not in done.err


# Labels in files.


@pytest.mark.parametrize(
    "text",
    [
        "röd\ngrön\nblå\n".encode("utf-16"),
        "röd\r\ngrön\r\nblå\r\n\r\n".encode(),
    ],
    ids=["UTF-16", "blank last line"],
)
def test_labels_inside_a_file_in_other_encodings(text, float_file, square, tmp_path):
    content = describe(float_file, ("a", "b", "c"))
    file = write(tmp_path / "labels.tflite", with_member(content, "labels.txt", text))
    found = succeeded(call("predict", file, square, "--json")).json
    assert found["predictions"][0]["classes"][0]["label"] == "röd"
