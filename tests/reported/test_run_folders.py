"""Whose a folder is, what a file was made from, and that nothing of anybody is lost."""

import json
import shutil
from pathlib import Path

import pytest

from tests.reported.conftest import COLOURS, SMALL, save_classes, save_squares
from tests.reported.drive import ROOT, Done, at_work, call, refused, succeeded
from tests.reported.models import describe, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported runs")]


def train(data: Path | str, out: Path | str, *options: object, cwd: Path | None = None) -> Done:
    return call("train", "--data", data, *SMALL, *options, "--out", out, cwd=cwd)


def content(folder: Path) -> dict[str, bytes]:
    """Every file in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# One process per folder.


def test_a_run_at_work_is_left_alone(photos, tmp_path):
    out = tmp_path / "run"
    save_classes(tmp_path / "others", {"cats": (9, 9, 9), "dogs": (200, 9, 9)})
    command = ("train", "--data", photos, "--size", "32", "--epochs", "4000", "--out", out)
    with at_work(*command, until=(out / "checkpoints" / "float.npz").exists) as first:
        before = (out / "config.toml").read_bytes()
        said = refused(train(tmp_path / "others", out, "--overwrite"), "in use by process")
        assert str(first.pid) in said
        assert (out / "config.toml").read_bytes() == before
        assert first.poll() is None
    succeeded(train(tmp_path / "others", out, "--overwrite"))  # the lock died with its process


# What files were made from.


def test_a_file_is_not_judged_after_its_source_has_changed(run, tmp_path):
    succeeded(call("quantize", run, "--per-tensor", "--overwrite"))
    result = json.loads((run / "result.json").read_text())
    assert "int8" not in result.get("accuracy", {})
    refused(call("evaluate", run), "export")
    demo = demo_project(tmp_path)
    refused(call("android", run, "--demo", demo), "export")
    assert not list((demo / "app/src/main/assets").rglob("*.tflite"))


def test_another_model_s_file_in_a_run_is_refused(run, colours_file):
    shutil.copy(colours_file, run / "model_int8.tflite")
    refused(call("evaluate", run), "model_int8.tflite", "export")
    shutil.copy(run / "qat.keras", run / "float.keras")
    refused(call("quantize", run, "--overwrite"), "float.keras")


def test_each_export_owns_its_folder(run, tmp_path):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    succeeded(train(json.loads(settings(other, "data")), other, "--overwrite", "--seed", "1"))
    succeeded(call("export", run, "--target", "npu", "--out", tmp_path / "two"))
    before = content(tmp_path / "two")
    refused(call("export", run, "--target", "mcu", "--out", tmp_path / "two"), "two", "--overwrite")
    assert content(tmp_path / "two") == before


def settings(run: Path, name: str) -> str:
    """Return the value of a field as `config.toml` has it."""
    lines = (run / "config.toml").read_text().splitlines()
    return next(line.split(" = ")[1] for line in lines if line.startswith(f"{name} = "))


def test_an_export_does_not_replace_a_file_that_was_edited(run, tmp_path):
    out = tmp_path / "firmware"
    succeeded(call("export", run, "--target", "npu", "--out", out))
    edited = next(path for path in sorted(out.iterdir()) if path.suffix in (".txt", ".md", ".c"))
    edited.write_text("mine")
    refused(call("export", run, "--target", "npu", "--out", out), edited.name, "--overwrite")
    assert edited.read_text() == "mine"
    succeeded(call("export", run, "--target", "npu", "--out", out, "--overwrite"))


# Apps.


def demo_project(folder: Path) -> Path:
    """The part of the Android project into which models are copied."""
    demo = folder / "demo"
    (demo / "app/src/main/assets").mkdir(parents=True)
    for source in (ROOT / "android_demo").glob("*.gradle*"):
        shutil.copy(source, demo)
    for source in (ROOT / "android_demo" / "app").glob("*.gradle*"):
        shutil.copy(source, demo / "app")
    return demo


@pytest.mark.parametrize("names", [("Digits V2", "digits_v2"), ("数字", "猫狗")], ids=ascii)
def test_an_app_does_not_lose_another_model(names, finished, tmp_path):
    demo = demo_project(tmp_path)
    content = (finished / "model_int8.tflite").read_bytes()
    others = describe(content, ("x", "y", "z"), 128.0, 127.5)
    files = [
        write(tmp_path / f"{name}.tflite", held)
        for name, held in zip(names, (content, others), strict=True)
    ]
    succeeded(call("android", files[0], "--demo", demo))
    before = {path: path.read_bytes() for path in demo.rglob("*.tflite")}
    assert before
    done = call("android", files[1], "--demo", demo)
    if done.code:
        refused(done, "--name")
    assert {path: path.read_bytes() for path in before} == before


# Overwriting.


def test_a_web_site_is_not_deleted(photos, tmp_path):
    site = tmp_path / "site"
    write(site / "config.toml", b'title = "My site"\n[params]\nrecipe = "cake"\n')
    write(site / "content" / "index.md", b"hello")
    write(site / "logs" / "access.csv", b"1")
    before = content(site)
    refused(train(photos, site, "--overwrite"), "site")
    assert content(site) == before


def test_files_of_others_in_a_run_survive(photos, run):
    write(run / "notes.txt", b"mine")
    write(run / "logs" / "mine.txt", b"mine")
    succeeded(train(photos, run, "--overwrite"))
    assert (run / "notes.txt").read_bytes() == (run / "logs" / "mine.txt").read_bytes() == b"mine"


@pytest.mark.parametrize("what", ["data", "link", "teacher", "weights", "here"])
def test_an_input_is_not_deleted(what, photos, run, tmp_path):
    inside = Path(shutil.copytree(photos, run / "photos"))
    (tmp_path / "link").symlink_to(run)
    data, options, cwd = {
        "data": (inside, (), None),
        "link": (tmp_path / "link" / "photos", (), None),
        "teacher": (photos, ("--teacher", run), None),
        "weights": (photos, ("--weights", run / "float.keras"), None),
        "here": (photos, (), run),
    }[what]
    before = content(run)
    refused(train(data, run, *options, "--overwrite", cwd=cwd), "--out")
    assert content(run) == before


def test_trials_do_not_replace_a_run(finished, photos, tmp_path):
    """`choose --trials` names its folders after networks, as a user may."""
    limit = ("--max-macs", "1M", "--classes", "3")
    best = succeeded(call("choose", *limit, "--json")).json["best"]
    mine = tmp_path / "mine" / f"{best['model']}_{best['alpha']:g}_{best['size']}"
    shutil.copytree(finished, mine)
    before = content(mine)
    trials = ("--data", photos, "--trials", "1", "--epochs", "1", "--out", mine.parent)
    refused(call("choose", *limit, *trials), mine.name)
    assert content(mine) == before


@pytest.mark.parametrize("name", ["train.log", ".gitkeep"])
def test_advice_about_a_folder_in_use_works(name, photos, tmp_path):
    out = tmp_path / "out"
    write(out / name, b"mine")
    done = train(photos, out)
    if done.code:
        sentence = refused(done, name)
        assert "--resume" not in sentence
        assert "--overwrite" not in sentence
    assert (out / name).read_bytes() == b"mine"


# Files of a run that are damaged.

DAMAGED = [
    *[("config.toml", text) for text in (b"", b"version = 2\n[recipe", b"\xff\xfe\x00", b"x = 1")],
    *[("config.toml", b"seed = " + text) for text in (b"[" * 5000, b"9" * 5000)],
    *[("result.json", text) for text in (b"", b"{", b"[]", b'{"accuracy": {"float": "x"}}')],
    *[("result.json", text) for text in (b"[" * 100_000, b'{"seed": ' + b"9" * 5000 + b"}")],
    *[("checkpoints/float.npz", text) for text in (b"", b"PK\3\4cut")],
    *[("float.keras", text) for text in (b"", b"PK\3\4cut")],
]


@pytest.mark.parametrize(("name", "text"), DAMAGED, ids=lambda value: str(value)[:40])
def test_a_damaged_file_of_a_run_is_named(name, text, photos, run):
    write(run / name, text)
    if name.startswith("checkpoints"):
        (run / "float.keras").unlink()
        done = train(photos, run, "--resume")
    else:
        done = call("quantize", run, "--overwrite")
    refused(done, Path(name).name)


# Paths.


def test_a_run_with_relative_data_is_verified_from_elsewhere(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "photos")
    (tmp_path / "elsewhere").mkdir()
    succeeded(train("photos", "out", cwd=tmp_path))
    succeeded(call("quantize", tmp_path / "out", cwd=tmp_path / "elsewhere"))


def test_names_in_documents_stay_in_their_code_blocks(finished, photos, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "a\n```\n# <script>alert(1)</script>"))
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    config = (run / "config.toml").read_text()
    named = config.replace(settings(run, "data"), json.dumps(str(data)))
    (run / "config.toml").write_text(named)
    succeeded(call("verify", run))
    fence = ""
    for line in (run / "MODEL_CARD.md").read_text().splitlines():
        marks = line[: len(line) - len(line.lstrip("`"))]
        if not fence and len(marks) >= 3:
            fence = marks
        elif fence and line.strip() == marks and len(marks) >= len(fence):
            fence = ""
        assert fence or "<script>" not in line
    assert "<script>alert" not in (run / "report.html").read_text()


def test_names_in_a_readme_are_shown_as_they_are(finished, photos, tmp_path):
    data = Path(shutil.copytree(photos, tmp_path / "<script>alert(1)<|script>"))
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace(settings(run, "data"), json.dumps(str(data))))
    succeeded(call("export", run, "--target", "mcu", "--out", tmp_path / "mcu"))
    assert "<script>" not in (tmp_path / "mcu" / "README.md").read_text()


def test_a_printed_path_with_brackets_is_whole(photos, tmp_path):
    done = succeeded(train(photos, tmp_path / "out [v1] [red]x[/red]"))
    assert str(tmp_path / "out [v1] [red]x[/red]" / "float.keras") in done.err


def test_pictures_of_other_classes_are_noticed(finished, photos, tmp_path):
    """`evaluate` of a run whose data have other classes by now."""
    data = Path(shutil.copytree(photos, tmp_path / "photos"))
    save_squares(data / "red", COLOURS["green"], 2, seed=9)
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    config = (run / "config.toml").read_text()
    (run / "config.toml").write_text(config.replace(settings(run, "data"), json.dumps(str(data))))
    refused(call("verify", run), "changed")
