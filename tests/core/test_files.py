import json
import os

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import check_writable, json_text, parse_toml, read_json, write_json
from mobilenet_tf.core.reading import read_bounded


def test_numbers_that_json_lacks_become_null(tmp_path):
    value = {"a": [float("nan"), 1.5], "b": (float("inf"), {"c": -float("inf")}), "d": "NaN"}
    expected = {"a": [None, 1.5], "b": [None, {"c": None}], "d": "NaN"}
    assert json.loads(json_text(value)) == expected
    write_json(tmp_path / "x.json", value)
    assert json.loads((tmp_path / "x.json").read_text()) == expected


def test_what_is_too_large_or_no_file_is_refused(tmp_path):
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"12345")
    assert read_bounded(file, 5) == b"12345"
    with pytest.raises(UserError, match="it has 5 bytes; at most 4 are read"):
        read_bounded(file, 4)
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="it is a pipe, a socket or a device, not a file"):
        read_bounded(pipe)
    with pytest.raises(UserError, match="cannot be read"):
        read_bounded(tmp_path)


@pytest.mark.parametrize("text", ["a = ", "a = " + "9" * 5000, "a = " + "[" * 5000, "a = 1\na = 2"])
def test_what_is_no_toml(text):
    with pytest.raises(UserError, match="recipe is not valid TOML: "):
        parse_toml(text, "recipe")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1" * 5000, '{"a": 1'])
def test_what_is_no_json(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json is not valid JSON: "):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[1, 2]")
    with pytest.raises(UserError, match="at most 3 are read"):
        read_json(tmp_path / "a.json", 3)


def test_a_path_that_cannot_be_written_is_refused_before(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / ("n" * 250), tmp_path / "file" / "below"):
        with pytest.raises(UserError, match="cannot be written"):
            check_writable(path)
    check_writable(tmp_path / "new" / "folder" / "file")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
