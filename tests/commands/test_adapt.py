"""`adapt`: from a trained run to a narrower one, killed and resumed, and its report."""

import json
import shutil
import subprocess

import numpy as np
import pytest

import mobilenet_tf as mn
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import read_marker
from mobilenet_tf.deployment.report.page import write_report
from mobilenet_tf.networks.count import count
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import read_result
from mobilenet_tf.selection.cost import Budget
from tests import warm
from tests.killing import assert_same_weights, kill, wait_until

pytestmark = pytest.mark.xdist_group("adapt")
# Trains a run of a small network unless there is one, and adapts it into the folder OUT.
PROGRAM = """
import sys
from pathlib import Path

import mobilenet_tf as mn
from mobilenet_tf.core import environment
from mobilenet_tf.networks.rows import Classifier, Convolution, InvertedResidual, Pooling

environment.prepare()
out, *options = sys.argv[1:]
fields = {"train.epochs": 1, "deterministic": True, "bn_momentum": 0.9}
recipe = mn.load_recipe("small_data").with_fields(fields)
rows = (
    Convolution("stem", 3, 8, "relu6", 2),
    InvertedResidual(3, 32, 8, True, "relu6", 1),
    InvertedResidual(3, 32, 16, False, "relu6", 2),
)
network = mn.Network(mn.InputSpec(32, 1), rows, (Pooling(), Classifier(10)), "small")
if not Path("run").exists():
    mn.train(mn.RunSettings(data="digits", network=network, recipe=recipe), out="run")
budget = mn.Budget(macs=MACS)
settings = mn.AdaptSettings(budget=budget, steps=2, batches=2, divisor=4)
mn.adapt("run", settings, out=out, resume="resume" in options, from_scratch="scratch" in options)
"""
MACS = 220_000


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run, what `adapt` made of it at one go, and the same that was killed and resumed."""
    place = tmp_path_factory.mktemp("adapt")
    command = warm.command("-c", PROGRAM.replace("MACS", str(MACS)))
    subprocess.run([*command, "whole", "scratch"], cwd=place, check=True)
    killed = [*command, "killed"]
    with subprocess.Popen(killed, cwd=place, stderr=subprocess.PIPE) as process:
        wait_until(process, (place / "killed/adaptation.npz").exists)
        assert process.poll() is None
        kill(process)
    subprocess.run([*killed, "resume"], cwd=place, check=True)
    return place


def test_killed_and_resumed_gives_the_same(folders):
    whole, killed = (np.load(folders / name / "adaptation.npz") for name in ("whole", "killed"))
    assert set(whole.files) == set(killed.files)
    for key in set(whole.files) - {"facts"}:
        np.testing.assert_array_equal(whole[key], killed[key], key)
    paths = [
        [[one["change"], one["accuracy"], one["loss"]] for step in path for one in step["tried"]]
        for path in (json.loads((folders / name / "result.json").read_text())["path"]
                     for name in ("whole", "killed"))
    ]  # fmt: skip
    assert paths[0] == paths[1]
    assert_same_weights(folders / "whole/run", folders / "killed/run")


def test_the_result_is_a_run_of_the_narrower_network(folders):
    run = mn.Run.open(folders / "whole/run", "float.keras")
    assert run.network.name == "small_adapted"
    assert count(run.network).macs <= MACS
    found = run.result().adaptation
    assert found.limits == {"macs": MACS}
    assert len(found.path) == 2
    assert found.path[-1].cost.macs == count(run.network).macs == run.result().model.macs
    left = {layer.name: layer.channels_left for layer in found.layers}
    assert left["classifier"] == 10
    assert sum(layer.macs_left for layer in found.layers) == count(run.network).macs
    assert sum(layer.macs for layer in found.layers) == found.before.macs
    scratch = mn.Run.open(folders / "whole/scratch")
    assert scratch.network == run.network
    assert scratch.settings.weights == "none"
    assert scratch.result().adaptation.from_scratch
    assert (folders / "whole/path.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.slow
def test_the_result_goes_to_devices_as_any_other(folders, tmp_path):
    shutil.copytree(folders / "whole/run", tmp_path / "run")
    run = tmp_path / "run"
    mn.quantize(run, qat_epochs=1)
    mn.export(run)
    mn.verify(run)
    assert read_result(run / "result.json").parity.within_1_lsb >= 0.995
    pytest.importorskip("tflite_micro")
    facts = mn.export(run, target="mcu", out=tmp_path / "mcu").facts
    assert facts["parity"]["litert"]["within_1_lsb"] >= 0.99
    assert facts["plain_c"]["max_lsb"] == 0


def test_the_report_says_where_it_came_from(folders):
    text = write_report(RunFolder(folders / "whole/run")).read_text()
    result = read_result(folders / "whole/run/result.json")
    assert "Adapted from" in text
    assert result.adaptation.path[0].change in text
    assert f"{result.adaptation.before.macs:,}" in text
    assert "block_2/project" in text


def test_the_folder_is_kept_and_replaced_like_others(folders):
    run, out = folders / "run", folders / "killed"
    settings = mn.AdaptSettings(budget=Budget(macs=MACS), steps=2)
    with pytest.raises(UserError, match="--resume to continue"):
        mn.adapt(run, settings, out=out)
    with pytest.raises(UserError, match=r"was started with adaptation.batches = 2, not 10"):
        mn.adapt(run, settings, out=out, resume=True)
    with pytest.raises(UserError, match=r"within the budget already: .* of 9,000,000"):
        mn.adapt(run, mn.AdaptSettings(budget=Budget(macs=9_000_000)), out=out, overwrite=True)
    with pytest.raises(UserError, match="--to is a share of the latency"):
        mn.adapt(run, mn.AdaptSettings(to=0.5, device="mcu"), out=folders / "new")
    assert read_marker(out).kind == "adaptation"
    folder = RunFolder(out)
    folder.clear("adaptation")
    assert [one.name for one in out.iterdir()] == [".mobilenet_tf.json"]
