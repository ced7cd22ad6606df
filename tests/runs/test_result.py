"""`result.json` as a type: round trips, files of version 1, damaged files, merging."""

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.report.card import write_card
from mobilenet_tf.deployment.report.page import write_report
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result, merge, read_result, write_result
from mobilenet_tf.runs.sections import ByForm, Curves, History, Parity
from tests.damage import damaged

TENSOR = {"name": "image", "dtype": "uint8", "shape": [1, 32, 32, 1], "scale": 1 / 127.5}
CURVES = {"loss": [2.0, 1.5], "val_loss": [2.1, 1.6], "val_accuracy": [0.4, 0.5]}
RUNTIME = {"max_lsb": 1, "within_1_lsb": 1.0, "sure": 4, "sure_top1_agreement": 1.0}


def version_1() -> dict:
    """Return what the first version wrote after every stage, with an export for each target."""
    values = {
        "model": {
            "name": "v3_small", "alpha": 0.35, "size": 32, "classes": 2, "channels": 1,
            "preprocessing": {"mean": 128.0, "std": 127.5, "crop": 0.875},
            "parameters": 339642, "macs": 486752, "peak_activation_bytes": 8192,
        },
        "data": {
            "source": "photos", "classes": ["cat", "dog"], "train": 40, "validation": 8, "test": 8,
            "skipped": [{"file": "cat/1.jpg", "reason": "it is cut short"}], "fingerprint": "4a7c",
        },
        "seed": 3,
        "history": {"float": CURVES | {"seconds": [5.19, 0.82]}, "qat": {}},
        "seconds": {"train": 10.8, "quantize": 20.7, "export": 11.0, "verify": 18.8},
        "conversion_seconds": 6.6,
        "tflite": {
            "bytes": 515180, "ops": {"ADD": 26, "CONV_2D": 43}, "float_tensors": 0,
            "quantize_ops": {"boundary": 2, "inside": 0, "weights": 0}, "partitions": 1,
            "left_out": ["SOFTMAX"], "min_runtime": "1.14.0", "peak_activation_bytes": 12288,
            "input": TENSOR | {"zero_point": 128},
            "output": {"name": "out", "dtype": "float32", "shape": [1, 2], "scale": None,
                       "zero_point": None},
        },
        "ptq": {"bytes": 506396},
        "accuracy": {"float": 0.875, "qat": 0.75, "int8": 0.75, "ptq_int8": 0.5},
        "top5": {"float": None, "qat": None, "int8": None, "ptq_int8": None},
        "calibration_error": {"float": 0.05, "qat": 0.02, "int8": 0.02, "ptq_int8": None},
        "per_class": {
            "cat": {"precision": None, "recall": 0.0, "images": 2},
            "dog": {"precision": 0.75, "recall": 1.0, "images": 6},
        },
        "confusion": [[0, 2], [0, 6]],
        "parity": {"images": 8, "max_lsb": 0, "within_1_lsb": 1.0, "top1_agreement": 1.0,
                   "worst_block": "Conv"},
        "blocks": [
            {"name": "Conv", "op": "Conv2D", "sqnr_db": 41.57, "max_lsb": 0, "within_1_lsb": 1.0,
             "range_used": 1.0, "weight_low": -1.1, "weight_high": None},
        ],
        "worst": [{"file": "cat/2.jpg", "label": "cat", "predicted": "dog", "score": 0.9,
                   "picture": "worst/01.png"}],
        "robustness": [
            {"corruption": "blur", "strength": 1, "unit": "px", "images": 8, "accuracy": 0.5,
             "top5": None, "calibration_error": 0.1},
        ],
        "calibration": {"pictures": 40, "per_class": {"cat": 20, "dog": 20}, "lowest_pixel": 0,
                        "highest_pixel": 255},
        "devices": {
            "mcu": {
                "target": "mcu", "folder": "runs/x/mcu", "bytes": 400000, "sha256": "ab",
                "arena": {"needed": 80000, "activations": 60000, "persistent": 20000},
                "cmsis_nn": {"cortex-m4": 0, "cortex-m55": 1024}, "ops": {"ADD": 2},
                "parity": {"pictures": 8, "litert": RUNTIME, "xnnpack": RUNTIME},
                "plain_c": {"left_out": "no C compiler"},
            },
            "ethos-u55-128": {
                "target": "ethos-u55-128", "folder": "runs/x/ethos", "bytes": 300000,
                "npu": "ethos-u55-128", "system": "Ethos_U55", "memory_mode": "Shared_Sram",
                "clock_hz": 500000000, "cycles": 1000, "milliseconds": 0.2, "sram_bytes": 4096,
                "flash_bytes": 8192, "macs": 486752, "ops": 60, "ops_on_npu": 60,
            },
            "npu": {"target": "npu", "folder": "runs/x/npu", "bytes": 5, "operators": {"ADD": 26}},
        },
        "versions": {"mobilenet_tf": "0.1.0", "python": "3.11.7"},
        "machine": {"cpu": "Example CPU", "cores": 2},
    }  # fmt: skip
    return deepcopy(values)


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "result.json"


def stored(file: Path, values: object) -> Path:
    file.write_text(json.dumps(values))
    return file


def test_a_file_of_version_1_is_read_whole(file):
    result = read_result(stored(file, version_1()))
    size = InputSpec(32, 1, 128.0, 127.5, 0.875)
    assert result.model.input == size
    assert result.history.float["val_loss"] == (2.1, 1.6)
    assert result.history.qat == {}
    assert result.tflite.output.scale is None
    assert result.per_class["cat"].precision is None
    assert result.devices["mcu"].ops == {"ADD": 2}
    assert result.devices["ethos-u55-128"].ops == 60
    assert not result.top5
    written = result.to_dict()
    assert written.pop("version") == 2
    assert written["model"].pop("input") == size.to_dict()
    expected = version_1()
    for moved in ("size", "channels", "preprocessing"):
        del expected["model"][moved]
    assert written == _without_none(expected)


def _without_none(values: object) -> object:
    """Remove what was not measured, where a field may be absent."""
    if isinstance(values, list):
        return [_without_none(item) for item in values]
    if not isinstance(values, dict):
        return values
    required = ("precision", "recall")
    items = {k: _without_none(v) for k, v in values.items() if v is not None or k in required}
    return {k: v for k, v in items.items() if k != "top5"}


def test_round_trip(file):
    result = read_result(stored(file, version_1()))
    write_result(file, result)
    assert read_result(file) == result
    assert json.loads(file.read_text())["version"] == 2


def test_an_absent_file_is_an_empty_result(file):
    result = read_result(file)
    assert not result
    assert result.to_dict() == {"version": 2}
    write_result(file, result)
    assert read_result(file) == result


def test_unknown_fields_are_ignored(file):
    values = {"version": 2, "trials": [1], "data": {"source": "photos", "colour": "red"}}
    assert read_result(stored(file, values)) == Result.from_dict({"data": {"source": "photos"}})


def test_nan_is_never_written(file):
    nan, curves = float("nan"), {"loss": (1.0, float("inf"))}
    result = Result(accuracy=ByForm(float=nan, int8=0.5), history=History(float=curves))
    write_result(file, replace(result, seconds={"train": nan}))
    assert "NaN" not in file.read_text()
    assert "Infinity" not in file.read_text()
    found = read_result(file)
    assert found.accuracy == ByForm(int8=0.5)
    assert found.history.float == {"loss": (1.0, None)}
    assert found.seconds == {"train": None}


def test_nan_of_version_1_is_read_as_not_measured(file):
    file.write_text('{"accuracy": {"int8": NaN}, "history": {"float": {"loss": [1.0, -Infinity]}}}')
    result = read_result(file)
    assert result.accuracy.int8 is None
    assert result.history.float["loss"] == (1.0, None)


DAMAGED = [
    ("version", 3, "version is 3; it must be 1 or 2"),
    ("version", True, "version is True"),
    ("model", [], r"model is \[\]; it must be a table"),
    ("model.size", "32", "model.input.size is '32'; it must be a whole number or a list"),
    ("model.size", 0, "model.input: size is 0"),
    ("model.preprocessing", 1, "model.preprocessing is 1; it must be a table"),
    ("model.preprocessing.std", 0, "model.input: std is 0"),
    ("model.alpha", "wide", "model.alpha is 'wide'; it must be a number or null"),
    ("model.parameters", -1, "model.parameters is -1; it must be at least 0"),
    ("data.classes", "cat", "data.classes is 'cat'; it must be a list"),
    ("data.classes.1", 5, r"data.classes\[1\] is 5; it must be text"),
    ("data.skipped.0", {"file": "x"}, r"data.skipped\[0\] is incomplete: it has no reason"),
    ("seed", 1.5, "seed is 1.5; it must be a whole number or null"),
    ("history.float.loss", 1.0, "history.float.loss is 1.0; it must be a list"),
    ("history.float.loss.1", "x", r"history.float.loss\[1\] is 'x'; it must be a number or null"),
    ("accuracy.int8", 97.4, "accuracy.int8 is 97.4; it must be from 0 to 1"),
    ("accuracy.int8", True, "accuracy.int8 is True; it must be a number or null"),
    ("per_class.cat", None, "per_class.cat is None; it must be a table"),
    ("confusion", [[1, 2]], r"confusion\[0\] has 2 values; it must be a row of 1 numbers"),
    ("confusion.0.1", -2, r"confusion\[0\]\[1\] is -2; it must be at least 0"),
    ("confusion.0.1", 0.5, r"confusion\[0\]\[1\] is 0.5; it must be a whole number"),
    ("parity.images", 10**30, "parity.images is 1000000"),
    ("blocks.0.sqnr_db", 1e300, r"blocks\[0\].sqnr_db is 1e\+300; it must be from -150 to 150"),
    ("worst.0", "cat", r"worst\[0\] is 'cat'; it must be a table"),
    (
        "robustness.0.accuracy",
        "high",
        r"robustness\[0\].accuracy is .high.; it must be a number or null",
    ),
    ("tflite.input.shape", [1, "a"], r"tflite.input.shape\[1\] is 'a'; it must be a whole number"),
    ("tflite.quantize_ops", 2, "tflite.quantize_ops is 2; it must be a table or null"),
    ("devices.mcu.ops", "ADD", "devices.mcu.ops is 'ADD'; it must be a whole number or a table"),
    ("versions.python", 3.11, "versions.python is 3.11; it must be text"),
    ("seconds.train", "long", "seconds.train is 'long'; it must be a number or null"),
]


@pytest.mark.parametrize(("path", "value", "message"), DAMAGED)
def test_the_error_identifies_a_damaged_field(file, path, value, message):
    values = version_1()
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
    inner = values
    for key in parents:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(UserError, match=message) as error:
        read_result(stored(file, values))
    assert str(error.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"seed": ', b"\xff\xfe{}", b"[" * 100_000, b"[]", b'"text"', b"1" * 5000],
)
def test_what_is_no_result_is_rejected(file, content):
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"is not valid JSON|holds no table"):
        read_result(file)


def test_a_folder_instead_of_a_file(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_result(tmp_path)


@pytest.mark.parametrize("value", [None, "text", -1, 1e308, [], {}, 10**25])
def test_no_damage_ends_in_a_traceback(tmp_path, value):
    """Every value in turn is replaced: report and card are written, or a UserError says why not."""
    run = RunFolder(tmp_path)
    for number, values in enumerate(damaged(version_1(), value)):
        stored(run.result_file, values)
        with suppress(UserError):
            write_card(run)
            if number % 12 == 0:  # drawing takes long
                write_report(run)


def test_merging_keeps_the_other_keys_of_a_section():
    result = merge(Result(), history={"float": CURVES}, seconds={"train": 1.0}, seed=2)
    result = merge(result, history={"qat": {}}, seconds={"export": 2.0, "train": 3.0})
    assert result.history == History(float=_tuples(CURVES), qat={})
    assert result.seconds == {"train": 3.0, "export": 2.0}
    assert result.seed == 2


def _tuples(curves: dict) -> Curves:
    return {name: tuple(values) for name, values in curves.items()}


def test_merging_replaces_lists_and_whole_sections():
    result = merge(Result(), confusion=[[1]], accuracy={"float": 0.5})
    result = merge(result, confusion=[[1, 0], [0, 1]], accuracy=ByForm(int8=0.25))
    assert result.confusion == ((1, 0), (0, 1))
    assert result.accuracy == ByForm(int8=0.25)
    assert merge(result, tflite={"partitions": 1}).tflite.partitions == 1
    assert merge(result, tflite={"partitions": None}).tflite.partitions is None


def test_merging_rejects_unknown_names():
    with pytest.raises(UserError, match="The result has an unknown field 'acuracy'"):
        merge(Result(), acuracy={"float": 0.5})
    with pytest.raises(UserError, match="parity has an unknown field 'lsb'"):
        merge(Result(), parity={"lsb": 1})


@pytest.mark.parametrize(("task", "shown"), [("classification", True), ("segmentation", False)])
def test_ties_are_shown_where_a_picture_has_one_class(task, shown):
    result = Result(task=task, parity=Parity(within_1_lsb=1.0, top1_agreement=1.0, ties=3))
    assert ("several first classes" in result._repr_html_()) == shown
