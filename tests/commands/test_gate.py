"""`verify --min-accuracy --max-drop`: what is demanded, and the exit code."""

import sys

import pytest

import mobilenet_tf as mn
from mobilenet_tf import __main__
from mobilenet_tf.runs.result import Result
from mobilenet_tf.runs.sections import ByForm

RESULT = Result(accuracy=ByForm(float=0.95, int8=0.94))


def test_what_is_met():
    assert mn.Gate().missed(Result()) == []
    assert mn.Gate(min_accuracy=0.94, max_drop=0.01).missed(RESULT) == []  # 0.95 - 0.94 > 0.01
    assert mn.Gate(max_drop=0).missed(Result(accuracy=ByForm(float=0.9, int8=0.91))) == []


def test_what_is_missed():
    assert mn.Gate(min_accuracy=0.945, max_drop=0.005).missed(RESULT) == [
        "The accuracy of the int8 file is 94.00%; at least 94.50% is demanded.",
        "The accuracy of the int8 file is 1.00 points below that of the float network; at most "
        "0.50 are accepted.",
    ]
    assert len(mn.Gate(min_accuracy=0, max_drop=1).missed(Result())) == 2
    with pytest.raises(mn.UserError, match="min_accuracy is 95; it must be from 0 to 1"):
        mn.Gate(min_accuracy=95)


@pytest.mark.parametrize(("demand", "code"), [("94%", 0), ("0.941", 1)])
def test_exit_codes(monkeypatch, capfd, demand, code):
    class Verified:
        folder = None

        def result(self):
            return RESULT

    monkeypatch.setattr("mobilenet_tf.commands.verify.verify", lambda run: Verified())
    monkeypatch.setattr("mobilenet_tf.cli.stages.print_run", lambda *shown: None)
    monkeypatch.setattr("mobilenet_tf.runs.tables.block_table", lambda result: "")
    monkeypatch.setattr(sys, "argv", ["mobilenet-tf", "verify", "run", "--min-accuracy", demand])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert (ended.value.code or 0) == code
