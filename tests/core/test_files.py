import json
import os

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text, write_json
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
