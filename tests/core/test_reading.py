"""Text in every encoding that editors write, and what is no text file."""

import os

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_toml
from mobilenet_tf.core.reading import read_text_file, text_lines
from mobilenet_tf.selection.tuning_space import load_space
from mobilenet_tf.training.recipe import load_recipe


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_with_a_mark(tmp_path, encoding):
    path = tmp_path / "a.toml"
    path.write_bytes("name = 'été'\r\n\r\n".encode(encoding))
    assert read_toml(path) == {"name": "été"}


def space(path):
    return load_space(path, load_recipe("small_data"))


@pytest.mark.parametrize(
    "content", ["name = 'été'".encode("latin-1"), "name = 'a'".encode("utf-16-le"), b"\xff\xfea"]
)
@pytest.mark.parametrize("read", [read_toml, lambda path: load_recipe(str(path)), space])
def test_other_encodings_are_one_sentence(tmp_path, content, read):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.toml is not UTF-8 text.*save it as UTF-8"):
        read(path)


def test_what_is_no_text_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "pipe", "it is a pipe"),
        (tmp_path, "it is a folder"),
        (tmp_path / "none", "No such file"),
        ("/dev/zero", "it is a pipe, a socket or a device"),
    ):
        with pytest.raises(UserError, match=f"cannot be read: {reason}"):
            read_text_file(path)
    (tmp_path / "large").write_bytes(b"a" * 11)
    with pytest.raises(UserError, match="it has 11 bytes; at most 10 are read"):
        read_text_file(tmp_path / "large", limit=10)


def test_deeply_nested_toml(tmp_path):
    (tmp_path / "a.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(UserError, match="not valid TOML"):
        read_toml(tmp_path / "a.toml")


def test_lines():
    assert text_lines("a\r\nb\n\n \n") == ["a", "b"]
    assert text_lines("a\u2028b\n\nc") == ["a\u2028b", "", "c"]
    assert text_lines("") == []
