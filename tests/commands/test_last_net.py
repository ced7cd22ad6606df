"""What no one expected is one sentence too, and its traceback is kept."""

import re
from pathlib import Path

import pytest

from mobilenet_tf import __main__


def test_a_fault_is_one_sentence_that_names_a_file(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def broken(**options):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("mobilenet_tf.cli.app.app", broken)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "Traceback" not in text
    path = Path(re.search(r"report it with (\S+)\.\n", text)[1])
    assert path.parent == tmp_path
    assert "ZeroDivisionError: of all things" in path.read_text()
