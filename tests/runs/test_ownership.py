"""Whose folder it is: what a new run may replace, what it must not, and who is at work."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.ownership import MARKER
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.own_files import is_ours
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe
from tests.core.test_lock import HOLDER

OLD = Path(__file__).parent / "fixtures" / "run_v1"
SETTINGS = RunSettings(
    data="digits",
    network=make_network("v1", 0.25, 32, channels=1),
    recipe=load_recipe("small_data"),
)


@pytest.fixture
def run(tmp_path) -> Run:
    return begin(SETTINGS, out=tmp_path / "run")


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def pictures(tmp_path):
    from PIL import Image

    for name, colour in (("cats", "red"), ("dogs", "blue")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            picture = Image.new("RGB", (40, 40), colour)
            picture.putpixel((number, number), (number, 9, 9))
            picture.save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("options", [{"overwrite": True}, {"resume": True}])
def test_a_folder_at_work_is_refused_before_anything_is_removed(run, options):
    command = [sys.executable, "-c", HOLDER, str(run.folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        before = content(run.folder.path)
        with pytest.raises(UserError, match=rf"in use by process {process.pid} since"):
            begin(SETTINGS, out=run.folder.path, **options)
        assert content(run.folder.path) == before
        process.kill()
    begin(SETTINGS, out=run.folder.path, **options)


def test_every_command_that_writes_waits_for_its_turn(run):
    from mobilenet_tf.cli.app import app

    folder = run.folder.path
    for name in ("float.keras", "qat.keras", "model_int8.tflite", "model_ptq_int8.tflite"):
        (folder / name).touch()
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        for words in (
            ["quantize", folder],
            ["export", folder],
            ["export", folder, "--target", "mcu"],
            ["verify", folder],
            ["train", "--overwrite", "--out", folder],
            ["run", "--resume", "--out", folder],
            ["tune", "--resume", "--out", folder],
        ):
            done = CliRunner().invoke(app, list(map(str, words)))
            assert isinstance(done.exception, UserError), words
            assert f"in use by process {process.pid}" in str(done.exception)
        process.kill()


def test_overwriting_removes_only_what_runs_write(run, tmp_path):
    folder = run.folder.path
    written = ["float.keras", "checkpoints/float.npz", "logs/float.csv", "worst/01.png",
               "logs/float/train/events.out.tfevents.1", ".partial-1-float.keras",
               "checkpoints/.partial-1-float.npz"]  # fmt: skip
    for name in (*written, "notes.txt", "checkpoints/mine.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "01.png").write_text("a photo")
    shutil.rmtree(folder / "worst")
    (folder / "worst").symlink_to(outside)
    identity = run.folder.identity
    begin(SETTINGS, out=folder, overwrite=True)
    assert not any((folder / name).exists() for name in written if not name.startswith("worst"))
    assert not (folder / "logs").exists()
    assert (folder / "notes.txt").read_text() == "notes.txt"
    assert (folder / "checkpoints" / "mine.txt").is_file()
    assert (outside / "01.png").read_text() == "a photo"
    assert run.folder.identity not in ("", identity)


def test_a_web_site_is_no_run(tmp_path):
    site = tmp_path / "site"
    (site / "content").mkdir(parents=True)
    (site / "config.toml").write_text('title = "My site"\n[params]\nrecipe = "cake"\n')
    (site / "content" / "index.md").write_text("hello")
    before = content(site)
    for options in ({"overwrite": True}, {}):
        with pytest.raises(UserError, match="site is not a run folder, so it is not overwritten"):
            begin(SETTINGS, out=site, **options)
    with pytest.raises(UserError):
        begin(SETTINGS, out=site, resume=True)
    assert content(site) == before


def test_runs_of_earlier_versions_are_recognised(run, tmp_path):
    old = shutil.copytree(OLD, tmp_path / "old")
    assert is_ours(old)
    begin(SETTINGS, out=old, overwrite=True)
    (run.folder.path / MARKER).unlink()
    assert is_ours(run.folder.path)
    run.folder.config_file.write_text("")
    assert not is_ours(run.folder.path)


def test_a_damaged_configuration_can_be_overwritten(run):
    run.folder.config_file.write_text("")
    with pytest.raises(UserError, match=r"config\.toml is empty.*or start the run again"):
        run.folder.settings()
    begin(SETTINGS, out=run.folder.path, overwrite=True)
    assert run.folder.settings().data == "digits"


@pytest.mark.parametrize("name", ["train.log", ".gitkeep"])
def test_advice_works(tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    if name == "train.log":
        with pytest.raises(
            UserError, match=r"it holds train\.log\. Use --out for another"
        ) as error:
            begin(SETTINGS, out=out)
        assert "--overwrite" not in str(error.value)
        assert "--resume" not in str(error.value)
        (out / name).rename(tmp_path / name)
    begin(SETTINGS, out=out)


def test_inputs_are_not_overwritten(run, pictures, tmp_path, monkeypatch):
    """The output must neither hold an input nor lie in one, by whatever name."""
    out = run.folder.path
    inside = shutil.copytree(pictures, out / "photos")
    (out / "float.keras").write_text("weights")
    (tmp_path / "link").symlink_to(out)
    before = content(out)
    colour = replace(SETTINGS, network=make_network("v1", 0.25, 32))
    for settings, place, said in (
        (replace(colour, data=str(inside)), out, "holds"),
        (replace(colour, data=str(tmp_path / "link" / "photos")), out, "holds"),
        (replace(colour, data=str(inside)), tmp_path / "link", "holds"),
        (replace(SETTINGS, teacher=str(out)), out / "student", "lies in"),
        (replace(colour, data=str(pictures)), pictures, "is"),
        (replace(SETTINGS, teacher=str(out)), out, "is"),
        (replace(SETTINGS, weights=str(out / "float.keras")), out, "holds"),
    ):
        with pytest.raises(UserError, match=f"--out .* {said} .*the (data|teacher|weights)"):
            begin(settings, out=place, overwrite=True)
    for here in (out, out / "photos"):
        monkeypatch.chdir(here)
        with pytest.raises(UserError, match="holds the working directory"):
            begin(SETTINGS, out=out, overwrite=True)
    assert content(out) == before


def test_what_cannot_begin_costs_no_earlier_run(run, tmp_path):
    """Weights are read before the earlier run is removed."""
    from mobilenet_tf.commands.common import require_loadable

    before = content(run.folder.path)
    (tmp_path / "bad.h5").write_text("no weights")
    bad = replace(SETTINGS, weights=str(tmp_path / "bad.h5"))
    with pytest.raises(UserError):
        begin(bad, out=run.folder.path, overwrite=True, check=require_loadable)
    assert content(run.folder.path) == before


def test_relative_paths_are_found_from_everywhere(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = replace(SETTINGS, data="photos", network=make_network("v1", 0.25, 32))
    run = begin(settings, out="run")
    assert begin(settings, out="run", resume=True).settings == run.settings
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    opened = Run.open(tmp_path / "run")
    assert opened.data.classes == ("cats", "dogs")
    again = begin(opened.settings, out="again")
    assert again.settings == opened.settings
    assert os.path.isabs(opened.settings.data)


def test_trials_do_not_replace_a_run(tmp_path):
    from mobilenet_tf.commands.choose import Trials
    from mobilenet_tf.commands.trials import run_trials
    from mobilenet_tf.selection.choose import Option
    from mobilenet_tf.selection.cost import CountedTable
    from mobilenet_tf.tasks.registry import DEFAULT

    network = make_network("v1", 0.25, 32, channels=1)
    mine = begin(SETTINGS, out=tmp_path / "v1_0.25_32")
    before = content(mine.folder.path)
    option = Option(network, 50.0, "published", CountedTable().cost(network))
    with pytest.raises(UserError, match="is not the folder of a trial, so it is not replaced"):
        run_trials([option], Trials(data="digits", out=tmp_path), DEFAULT)
    assert content(mine.folder.path) == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"accuracy": {"float": "x"}}'])
def test_a_damaged_result_is_one_sentence(run, text):
    run.folder.result_file.write_text(text)
    with pytest.raises(UserError, match=r"result\.json"):
        Run.open(run.folder.path).result()


def test_other_classes_are_noticed_without_figures(pictures, tmp_path):
    """The fingerprint is in result.json, which may be gone; the classes are in config.toml."""
    settings = replace(SETTINGS, data=str(pictures), network=make_network("v1", 0.25, 32))
    folder = begin(settings, out=tmp_path / "run").folder
    folder.result_file.unlink()
    (pictures / "cats").rename(pictures / "eels")
    with pytest.raises(UserError, match=r"have changed since .*run was started"):
        _ = Run.open(folder.path).data


def test_markers_say_what_a_folder_is(run):
    marker = json.loads((run.folder.path / MARKER).read_text())
    assert marker["kind"] == "run"
    assert marker["identity"] == run.folder.identity
    with at_work(run.folder.path):
        RunFolder(run.folder.path).claim(new=False)
    assert run.folder.identity == marker["identity"]


def test_a_relative_path_of_an_earlier_version_is_explained(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = replace(SETTINGS, data="photos", network=make_network("v1", 0.25, 32))
    config = begin(settings, out="run").folder.config_file
    config.write_text(config.read_text().replace(f'"{tmp_path / "photos"}"', '"photos"'))
    assert Run.open(tmp_path / "run").data.classes == ("cats", "dogs")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"config\.toml has data = 'photos', .*/elsewhere has no"):
        _ = Run.open(tmp_path / "run").data
