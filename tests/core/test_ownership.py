"""Exports own their files: nothing that was changed or belongs to something else is replaced."""

import hashlib
from dataclasses import replace

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import (
    EXPORT,
    MARKER,
    Marker,
    read_marker,
    remove_export,
    write_export,
    write_marker,
)

MCU = Marker(kind=EXPORT, target="mcu", identity="a")
NPU = Marker(kind=EXPORT, target="npu", identity="a")
FILES = {"main.c": b"main", "model.tflite": b"model"}


@pytest.fixture
def folder(tmp_path):
    write_export(tmp_path / "fw", MCU, FILES)
    return tmp_path / "fw"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MARKER}


def test_an_unchanged_export_is_replaced(folder):
    write_export(folder, MCU, {"model.tflite": b"new", "model.h": b"header"})
    assert content(folder) == {"model.tflite": b"new", "model.h": b"header"}


def test_folders_inside_come_and_go(folder):
    write_export(folder, MCU, {"src/kernels/a.c": b"a", "src/b.c": b"b"})
    assert (folder / "src/kernels/a.c").read_bytes() == b"a"
    (folder / "src/mine.c").write_bytes(b"mine")
    write_export(folder, MCU, {"src/b.c": b"b"})
    assert not (folder / "src/kernels").exists()
    write_export(folder, MCU, FILES)
    assert content(folder / "src") == {"mine.c": b"mine"}


@pytest.mark.parametrize("name", ["../outside.c", "/outside.c", "link/outside.c", "a/../b.c", "."])
def test_a_marker_reaches_nothing_outside(folder, tmp_path, name):
    """Even if its digest is right."""
    other = tmp_path / "other"
    other.mkdir()
    (folder / "link").symlink_to(other)
    victims = [tmp_path / "outside.c", other / "outside.c", folder / "b.c"]
    for victim in victims:
        victim.write_bytes(b"x")
    marker = read_marker(folder)
    absolute = name.replace("/outside.c", str(victims[0])) if name[0] == "/" else name
    files = {absolute: hashlib.sha256(b"x").hexdigest()}
    write_marker(folder, replace(marker, files=files))
    remove_export(folder)
    assert all(victim.exists() for victim in victims)


def test_a_changed_file_is_not(folder):
    (folder / "main.c").write_bytes(b"mine")
    with pytest.raises(
        UserError, match=r"main\.c has been changed since it was exported; use --ov"
    ):
        write_export(folder, MCU, FILES | {"model.tflite": b"new"})
    assert content(folder) == FILES | {"main.c": b"mine"}
    write_export(folder, MCU, FILES, overwrite=True)
    assert content(folder) == FILES


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (NPU, "holds an export for mcu; use --overwrite"),
        (Marker(kind=EXPORT, target="mcu", identity="b"), "holds the export of another run"),
    ],
)
def test_another_export_is_not_mixed_in(folder, other, said):
    with pytest.raises(UserError, match=said):
        write_export(folder, other, {"model.tflite": b"other", "labels.txt": b"a"})
    assert content(folder) == FILES
    (folder / "main.c").write_bytes(b"mine")
    write_export(folder, other, {"model.tflite": b"other"}, overwrite=True)
    assert content(folder) == {"main.c": b"mine", "model.tflite": b"other"}
    assert read_marker(folder).target == other.target


def test_files_of_others_are_not_replaced(tmp_path):
    (tmp_path / "main.c").write_bytes(b"mine")
    (tmp_path / "notes.txt").write_bytes(b"notes")
    with pytest.raises(UserError, match=r"main\.c exists already; use --overwrite"):
        write_export(tmp_path, MCU, FILES)
    assert content(tmp_path) == {"main.c": b"mine", "notes.txt": b"notes"}


def test_a_run_folder_is_no_place_for_an_export(tmp_path):
    (tmp_path / "config.toml").touch()
    with pytest.raises(UserError, match=r"holds a config\.toml"):
        write_export(tmp_path, MCU, FILES, overwrite=True)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": 1}', '{"kind": "run", "files": {"a": 1}}']
)
def test_a_damaged_marker_is_none(tmp_path, text):
    (tmp_path / MARKER).write_text(text)
    assert read_marker(tmp_path) is None
