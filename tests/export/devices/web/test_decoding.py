"""The page's decoders find what Python finds, in plain Node; nothing is drawn."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from tests.sources import ROOT

TASKS = ROOT / "tests" / "tasks"
PAGE = ROOT / "export/devices/web/page"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed")


@pytest.fixture(scope="module")
def decoded(tmp_path_factory):
    """Task -> what the page's modules find in its golden vectors."""
    page = tmp_path_factory.mktemp("page")
    for script in PAGE.glob("*.js"):
        shutil.copy(script, page)
    (page / "package.json").write_text('{"type": "module"}')
    program = ROOT / "tests/export/devices/web/decode.mjs"
    run = subprocess.run(
        [NODE, program, page, TASKS], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def golden(task: str) -> dict:
    return json.loads((TASKS / task / "decoding.json").read_text())


def test_boxes(decoded):
    for case, found in zip(golden("detection")["cases"], decoded["detection"], strict=True):
        assert found["classes"] == case["found"]["classes"], case["name"]
        np.testing.assert_allclose(found["scores"], case["found"]["scores"], atol=1e-5)
        expected = np.reshape(case["found"]["boxes"], (-1, 4))
        np.testing.assert_allclose(np.reshape(found["boxes"], (-1, 4)), expected, atol=1e-5)


def test_masks(decoded):
    for case, found in zip(golden("segmentation")["cases"], decoded["segmentation"], strict=True):
        assert found == case["mask"], case["name"]


def test_classes(decoded):
    for case, found in zip(
        golden("classification")["cases"], decoded["classification"], strict=True
    ):
        assert found["classes"] == case["classes"], case["name"]
        assert found["accepted"] == case["accepted"], case["name"]
        np.testing.assert_allclose(found["tempered"], case["tempered"], atol=1e-5)


def test_labels(decoded):
    for case, found in zip(golden("multilabel")["cases"], decoded["multilabel"], strict=True):
        assert found["predicted"] == case["predicted"], case["name"]
        np.testing.assert_allclose(found["probabilities"], case["probabilities"], atol=1e-5)


def test_places(decoded):
    for case, found in zip(golden("geolocation")["cases"], decoded["geolocation"], strict=True):
        assert [one["label"] for one in found] == [one["label"] for one in case["found"]]
        expected = [one["score"] for one in case["found"]]
        np.testing.assert_allclose([one["score"] for one in found], expected, atol=1e-4)


def test_names_of_a_gallery(decoded):
    expected, found = golden("embedding")["identified"], decoded["embedding"]["found"]
    for case, one in zip(expected, found, strict=True):
        assert one["name"] == case["name"]
        assert [entry["name"] for entry in one["names"]] == [e["name"] for e in case["names"]]
        np.testing.assert_allclose(
            [entry["similarity"] for entry in one["names"]],
            [entry["similarity"] for entry in case["names"]], atol=1e-5,
        )  # fmt: skip
    assert "was made by another model" in decoded["embedding"]["refused"]


def test_files_that_are_not_of_their_task(decoded):
    for sentence in decoded["refusals"]:
        assert sentence.startswith("a.tflite ")
        assert sentence.endswith(".")
