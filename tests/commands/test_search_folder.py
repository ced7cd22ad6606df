"""The folder of a search: who is at work in it, and files in it that are damaged."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.commands.tune import _Trainer, begin_search, tune
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.selection.search_settings import SearchSettings
from mobilenet_tf.selection.tuning_space import load_space
from mobilenet_tf.training.recipe import load_recipe
from tests.core.test_lock import HOLDER


@pytest.fixture
def search(tmp_path):
    space = tmp_path / "space.toml"
    space.write_text('model = ["v1"]\nalpha = [0.25]\nsize = [32]\nbatch = [16, 32]')
    recipe = load_recipe("small_data")
    return SearchSettings(
        data="digits", input=InputSpec(32, 1), recipe=recipe, space=load_space(space, recipe)
    )


def test_an_exported_model_is_no_search_to_resume(search, tmp_path):
    folder = RunFolder(tmp_path / "model")
    folder.clear("model")
    folder.tflite.write_bytes(b"mine")
    with pytest.raises(UserError, match="holds an exported model or what is left"):
        begin_search(search, folder.path, resume=True)
    network = make_network("v1", 0.25, 32, channels=1)
    settings = RunSettings(data="digits", network=network, recipe=load_recipe("small_data"))
    with pytest.raises(UserError, match="holds an exported model or what is left"):
        begin(settings, out=folder.path, resume=True)
    assert folder.tflite.read_bytes() == b"mine"


def test_a_worker_waits_for_its_chief_and_needs_the_same_images(search, tmp_path, monkeypatch):
    out = tmp_path / "search"
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "one")
    naps = []

    def sleep(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
            begin_search(search, out, fingerprint=lambda network: "photos")
            monkeypatch.setenv("KERASTUNER_TUNER_ID", "one")

    monkeypatch.setattr("time.sleep", sleep)
    begin_search(search, out, fingerprint=lambda network: "photos")
    assert len(naps) == 3
    with pytest.raises(UserError, match=r"The images of digits are not those that the search in"):
        begin_search(search, out, fingerprint=lambda network: "other photos")
    with pytest.raises(UserError, match="No chief has begun a search in"):
        begin_search(search, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_another_version_continues_no_search(search, tmp_path, monkeypatch):
    begin_search(search, tmp_path / "search")
    monkeypatch.setattr("mobilenet_tf.selection.search_settings.__version__", "9")
    with pytest.raises(UserError, match=r"was started with version = '0.*', not '9'"):
        begin_search(search, tmp_path / "search", resume=True)


@pytest.mark.parametrize(
    "networks", [[], {}, [1], [{"network": "v9"}], [{"network": "v1 0.25 32", "macs": "many"}]]
)
def test_a_search_with_damaged_networks(search, tmp_path, networks):
    out = tmp_path / "search"
    begin_search(search, out)
    (out / "result.json").write_text(json.dumps({"networks": networks}))
    with pytest.raises(UserError, match=r"result\.json is damaged; restore it, or use --overwrite"):
        begin_search(search, out, resume=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [("oracle/oracle.json", ""), ("oracle/trial_0/trial.json", "[1"), ("result.json", "[]")],
)
def test_a_search_with_damaged_files(search, tmp_path, name, text):
    out = tmp_path / "search"
    begin_search(search, out)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(text)
    with pytest.raises(UserError, match=f"{name} is damaged; restore it, or use --overwrite"):
        begin_search(search, out, resume=True)
    begin_search(search, out, overwrite=True)
    assert not (out / "oracle").exists()


def test_a_search_at_work_is_refused(search, tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "search")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        with pytest.raises(UserError, match="in use by process"):
            tune(search, trials=2, out=tmp_path / "search", resume=True)
        process.kill()


def test_a_picture_that_changes_its_class_ends_the_search(search, tmp_path):
    data, out, random = tmp_path / "data", tmp_path / "search", np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (data / name).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(data / name / f"{number}.png")
    search = replace(search, data=str(data))

    def begin(**options):
        read = _Trainer(search, out).fingerprint
        return begin_search(search, out, fingerprint=read, **options)

    begin()
    begin(resume=True)
    (data / "cats" / "3.png").rename(data / "dogs" / "moved.png")
    with pytest.raises(UserError, match=r"The images of .*data are not those that the search in"):
        begin(resume=True)
    begin(overwrite=True)
