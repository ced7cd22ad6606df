"""Decoding in C finds what the NumPy decoders found: the golden vectors of all tasks."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mobilenet_tf.deployment.devices.c.host import FLAGS
from mobilenet_tf.deployment.devices.firmware.decoder import RawOutputs
from mobilenet_tf.deployment.devices.firmware.files import DECODERS, decoding_files
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.tasks.detection.boxes import CENTRE_UNIT, SIDE_UNIT
from mobilenet_tf.tasks.detection.decoding import CANDIDATES
from mobilenet_tf.tasks.registry import TASKS
from tests.export.devices.c.files import SANITIZERS
from tests.sources import ROOT

EDGES = ("left", "top", "right", "bottom")
BOX = [*((name, np.float32) for name in (*EDGES, "score")), ("label", np.int16)]


class Vector(NamedTuple):
    """A golden case as C sees it.

    Attributes:
        golden: The case in decoding.json.
        outputs: What is known of the outputs.
        integers: The values of all outputs.
        answer: Fields of the C structure `model_answer`.
    """

    golden: dict[str, Any]
    outputs: RawOutputs
    integers: list[int]
    answer: list[tuple]


def cases_of(task: str, needed: str = "integers") -> list[dict[str, Any]]:
    """Return the golden cases of a task that have integers."""
    path = ROOT / "tests" / "tasks" / task / "decoding.json"
    return [case for case in json.loads(path.read_text())["cases"] if needed in case]


def one_output(case: dict[str, Any], decoding: str, **settings: Any) -> RawOutputs:
    """Return a vector of integers with its quantization."""
    shape = (1, len(case["integers"]))
    tensor = TensorInfo("output", "int8", shape, case["scale"], case["zero_point"])
    return RawOutputs([tensor], decoding, settings, {"cells": case.get("cells")}, (1, 1))


def decoded(folder: Path, vectors: list[Vector]) -> list[tuple[dict[str, Any], np.void]]:
    """Return the cases with their answers, which one program decodes, with sanitizers."""
    lines = ["#include <stdio.h>", "int main(void) {"]
    for number, vector in enumerate(vectors):
        name = f"case{number}"
        for file, content in decoding_files(vector.outputs, name).items():
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        lines[:0] = [f'#include "{name}_answer.h"']
        lines += [
            f"  static int8_t in_{number}[{len(vector.integers)}];",
            f"  static {name}_answer out_{number};",
            f"  if (fread(in_{number}, sizeof in_{number}, 1, stdin) != 1) return 1;",
            f"  {name}_decode(in_{number}, &out_{number});",
            f"  if (!{name}_same_answer(&out_{number}, &out_{number}, 0.0f)) return 2;",
            f"  fwrite(&out_{number}, sizeof out_{number}, 1, stdout);",
        ]
    (folder / "main.c").write_text("\n".join([*lines, "  return 0;\n}\n"]))
    sources = map(str, [*folder.glob("*.c"), *folder.glob("kernels/*.c")])
    command = ["cc", *FLAGS, *SANITIZERS, "-I.", *sources, "-lm", "-o", "program"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    data = b"".join(np.int8(vector.integers).tobytes() for vector in vectors)
    done = subprocess.run([str(folder / "program")], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found, at = [], 0
    for vector in vectors:
        layout = np.dtype(vector.answer, align=True)
        found.append((vector.golden, np.frombuffer(done.stdout, layout, 1, at)[0]))
        at += layout.itemsize
    assert at == len(done.stdout)
    return found


def test_every_task_has_a_decoder():
    assert {*(task.decoding for task in TASKS.values()), "real_values"} == set(DECODERS)


def test_boxes(tmp_path):
    """Classes and order are the same, edges within 1e-5 of the picture, scores within 1e-6."""
    units = {"centre_unit": CENTRE_UNIT, "side_unit": SIDE_UNIT, "candidates": CANDIDATES}
    vectors = []
    for case in cases_of("detection"):
        sides = (side for pair in case["maps"] for side in (pair, pair))
        quantized = zip(case["integers"], sides, case["scales"], case["zero_points"], strict=True)
        tensors = [
            TensorInfo("output", "int8", np.reshape(values, (1, *side, -1)).shape, scale, zero)
            for values, side, scale, zero in quantized
        ]
        rules = case["rules"]
        constants = {"maps": case["maps"], "sizes": rules["sizes"], **units}
        outputs = RawOutputs(tensors, "boxes", rules, constants, (96, 96))
        boxes = ("boxes", np.dtype(BOX, align=True), rules["most"])
        integers = [value for one in case["integers"] for value in one]
        vectors.append(Vector(case, outputs, integers, [("count", np.int16), boxes]))
    for case, answer in decoded(tmp_path, vectors):
        expected, boxes = case["found"], answer["boxes"][: answer["count"]]
        assert boxes["label"].tolist() == expected["classes"], case["name"]
        assert boxes["score"] == pytest.approx(expected["scores"], abs=1e-6), case["name"]
        edges = np.stack([boxes[edge] for edge in EDGES], axis=1).ravel()
        assert edges == pytest.approx(np.ravel(expected["boxes"]), abs=1e-5), case["name"]


def test_masks(tmp_path):
    """Every pixel has the same class."""
    vectors = []
    for case in cases_of("segmentation", "logits"):
        tensor = TensorInfo("logits", "int8", (1, *case["grid"], case["classes"]), 0.1, 3)
        outputs = RawOutputs([tensor], "masks", {}, {}, tuple(case["sides"]))
        mask = [("mask", np.uint8, case["sides"])]
        vectors.append(Vector(case, outputs, case["logits"], mask))
    for case, answer in decoded(tmp_path, vectors):
        assert answer["mask"].ravel().tolist() == case["mask"], case["name"]


def test_vectors(tmp_path):
    """Values are within 1e-6; a vector without length stays 0."""
    vectors = []
    for case in cases_of("embedding"):
        outputs = one_output(case, "vectors", threshold=0.5)
        size = len(case["integers"])
        vectors.append(Vector(case, outputs, case["integers"], [("vector", np.float32, size)]))
    for case, answer in decoded(tmp_path, vectors):
        assert answer["vector"] == pytest.approx(case["unit"], abs=1e-6), case["name"]


def test_several_labels(tmp_path):
    """The same labels are predicted, with probabilities within 1e-6."""
    vectors = []
    for case in cases_of("multilabel"):
        size = len(case["integers"])
        outputs = one_output(case, "labels", thresholds=case["thresholds"])
        answer = [("predicted", np.uint8, size), ("probabilities", np.float32, size)]
        vectors.append(Vector(case, outputs, case["integers"], answer))
    for case, answer in decoded(tmp_path, vectors):
        predicted = np.flatnonzero(answer["predicted"]).tolist()
        assert predicted == sorted(case["predicted"]), case["name"]
        expected = pytest.approx(case["probabilities"], abs=1e-6)
        assert answer["probabilities"] == expected, case["name"]


def test_the_likeliest_classes(tmp_path):
    """The likeliest classes in order, with their scores, and whether the first is accepted."""
    vectors = []
    for case in cases_of("classification"):
        rules = {name: case[name] for name in ("temperature", "threshold")}
        outputs = one_output(case, "classes", **rules)
        answer = [("labels", np.int16, 3), ("scores", np.float32, 3), ("accepted", np.uint8)]
        vectors.append(Vector(case, outputs, case["integers"], answer))
    for case, answer in decoded(tmp_path, vectors):
        expected = case["classes"][:3]
        assert answer["labels"].tolist() == expected, case["name"]
        scores = np.array(case["tempered"])[expected]
        assert answer["scores"] == pytest.approx(scores, abs=1e-6), case["name"]
        assert answer["accepted"] == case["accepted"], case["name"]


def test_the_likeliest_cells(tmp_path):
    """The three likeliest cells, in order, with their scores."""
    vectors = []
    for case in cases_of("geolocation"):
        outputs = one_output(case, "cells")
        answer = [("cells", np.int16, 3), ("scores", np.float32, 3)]
        vectors.append(Vector(case, outputs, case["integers"], answer))
    for case, answer in decoded(tmp_path, vectors):
        expected = [one["cell"] for one in case["found"][:3]]
        assert answer["cells"].tolist() == expected, case["name"]
        scores = np.array(case["scores"])[expected]
        assert answer["scores"] == pytest.approx(scores, abs=1e-6), case["name"]
