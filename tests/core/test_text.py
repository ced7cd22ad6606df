"""Text from outside reaches no terminal and no document as it came."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.cli import output
from mobilenet_tf.commands.outcomes.predictions import Predictions
from mobilenet_tf.core import tables
from mobilenet_tf.core.text import clean, code_block, markdown

COMMAND = [sys.executable, "-m", "mobilenet_tf"]


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, timeout=120, check=False, **options
    )


@pytest.mark.parametrize(
    "text", ["a\x1b[31mb", "a\0b", "a\u202eb", "a\rb", "a\nb", "a\x9bb", "a\u200fb", "a\u2028b"]
)
def test_control_characters_are_replaced(text):
    assert clean(text).replace("[31m", "") == "a\ufffdb"


def test_long_text_and_bytes():
    assert clean("x" * 10_000, 20) == "x" * 19 + "…"
    assert clean(os.fsdecode(b"caf\xe9")) == r"caf\udce9"


def test_markdown_shows_text_unchanged():
    assert markdown("a|b`c`<d>\n# e") == r"a\|b\`c\`&lt;d\>" + "\ufffd" + r"\# e"
    block = code_block("run '```\nx\x1b'", "sh")
    assert block == "````sh\nrun '```\nx\ufffd'\n````"


def test_tables_and_paths_show_brackets_and_no_escapes(capsys, tmp_path):
    classes = [{"label": "[red]b[/red]\u202e", "score": 0.5}]
    found = {
        "file": "a.tflite",
        "probabilities": True,
        "predictions": [{"image": "a [v1]\x1b[2J.png", "accepted": True, "classes": classes}],
        "failed": [],
    }
    output.show(Predictions(found), False)
    shown = capsys.readouterr().out
    assert "a [v1]\ufffd[2J.png" in shown
    assert "[red]b[/red]\ufffd" in shown
    titled = tables.table(["true class, predicted", "[a]"], [("b", 1)], "of [v2]\x1b")
    output.show(titled, False)
    shown = capsys.readouterr().out
    assert "[a]" in shown
    assert "of [v2]\ufffd" in shown


def test_json_is_valid(capsys):
    output.show({"a": float("nan"), "b": [float("inf"), 1.5]}, True)
    assert capsys.readouterr().out == '{"a": null, "b": [null, 1.5]}\n'


def test_narrow_terminals_show_numbers():
    found = run("summary", "v1", env={**os.environ, "COLUMNS": "20"}).stdout.decode()
    assert "4,253,864" in found


def test_errors_show_no_escapes(tmp_path):
    found = run("inspect", tmp_path / "a\x1b[31m\u202e.tflite")
    assert found.returncode == 2
    assert b"\x1b" not in found.stderr
    assert "\ufffd[31m\ufffd.tflite" in found.stderr.decode()


def test_a_code_page_that_lacks_a_character_ends_nothing(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    found = run("inspect", tmp_path / "日本.tflite", env=environment)
    assert found.returncode == 2
    assert rb"\u65e5\u672c.tflite" in found.stderr


def test_closed_standard_error_leaves_the_output():
    line = " ".join([*COMMAND, "summary v1 --json 2>&-"])
    found = subprocess.run(["sh", "-c", line], capture_output=True, timeout=120, check=False)
    assert found.returncode == 0
    assert found.stdout.startswith(b'{"')


def test_interrupted(tmp_path):
    """Ctrl-C while `train` reads images ends with a sentence."""
    image = Image.fromarray(np.zeros((64, 64, 3), np.uint8))
    for name in "ab":
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(2000):
            image.save(tmp_path / "data" / name / f"{number}.png")
    process = subprocess.Popen(
        [*COMMAND, "train", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")],
        stderr=subprocess.PIPE,
    )
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Interrupted. The same command with --resume continues from here." in error
    assert b"Traceback" not in error
