"""A run folder of version 1, written by the first release: it opens, verifies and exports."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import mobilenet_tf as mn
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

pytestmark = pytest.mark.slow

OLD = Path(__file__).parent / "fixtures" / "run_v1"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> mn.Run:
    folder = tmp_path_factory.mktemp("version_1") / "run"
    return mn.Run.open(shutil.copytree(OLD, folder))


def test_it_verifies_with_the_same_metrics(run):
    before = json.loads((OLD / "result.json").read_text())
    mn.verify(run)
    after = json.loads(run.folder.result_file.read_text())
    assert after["version"] == 2
    assert after["parity"].pop("ties") == 0  # which version 1 did not count
    assert after["parity"].pop("top5_agreement") == 1
    assert after["parity"].pop("mean_lsb") == 0
    for name in ("accuracy", "confusion", "parity"):
        assert after[name] == before[name]
    assert [block["name"] for block in after["blocks"]] == [
        block["name"] for block in before["blocks"]
    ]
    assert run.folder.report.is_file()
    assert run.folder.card.is_file()


def test_it_exports_the_same_function(run):
    before = TFLiteModel(OLD / "model_int8.tflite")
    mn.export(run.folder.path, io="uint8")
    assert "version = 2" in run.folder.config_file.read_text()
    pixels = run.data.test.images
    after = TFLiteModel(run.folder.tflite)
    np.testing.assert_array_equal(after.run_raw(pixels), before.run_raw(pixels))
    assert after.metadata.labels == before.metadata.labels
    assert mn.Run.open(run.folder.path).settings == run.settings
