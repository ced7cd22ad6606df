"""Tools that trust their files run in a child: what ends the child is one sentence here."""

import errno
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from mobilenet_tf.core.child import Child, ChildCrash, Tool
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.serve import Content

TOOL = Tool("The tool", "read", "answering")
MEMORY = 1 << 30


@pytest.fixture(autouse=True)
def _module(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def child():
    return Child(TOOL, "a.file", MEMORY, reply_bytes=100_000)


def test_requests_and_their_bytes(child):
    many = np.arange(300_000, dtype=np.int64)
    assert child.ask("sum", many)[0]["sum"] == sum(many.tobytes())
    assert child.ask("sum")[0]["sum"] == 0
    # What an answer leaves unread is not taken for the next request.
    assert child.ask("first", bytes([7]) + bytes(3_000_000))[0]["first"] == 7
    child.ask("print")
    assert child.ask("reply", size=100_000)[1] == bytes(100_000)


def test_a_process_that_cannot_start_is_a_sentence(monkeypatch):
    def refuse(*_, **__):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(UserError, match=r"a\.file is read by The tool in a process of its own"):
        Child(TOOL, "a.file", MEMORY)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_signal_is_a_sentence_and_so_is_every_later_request(child, number):
    for _ in range(2):
        with pytest.raises(ChildCrash, match=rf"The tool crashes .* b\.file .* {number.name}"):
            child.ask("die", signal=int(number), name="b.file")


def test_other_ends_are_sentences():
    for do, reason in (("exit", "code 3"), ("nonsense", "SIG"), ("reply", "SIGKILL")):
        with pytest.raises(ChildCrash, match=reason):
            Child(TOOL, "a.file", MEMORY, reply_bytes=1000).ask(do, size=100_000)
    with pytest.raises(ChildCrash, match="code 1"):
        Child(Tool("The tool", "read", "mobilenet_tf.no_such_module"), "a", MEMORY).ask("sum")


def test_a_missed_deadline_is_a_sentence(child):
    with pytest.raises(ChildCrash, match=r"a\.file does not finish in time, which is 0.2 seconds"):
        child.ask("wait", seconds=0.2)


def test_a_child_that_ignores_its_alarm_is_killed(child, monkeypatch):
    child.ask("sum")
    monkeypatch.setattr("mobilenet_tf.core.child._GRACE", 0.2)
    with pytest.raises(ChildCrash, match="does not finish in time"):
        child.ask("wait")


def test_the_child_lives_on_after_what_it_can_catch(child):
    with pytest.raises(ChildCrash, match=r"a\.file needs more than 1,073,741,824 bytes"):
        child.ask("fill")
    with pytest.raises(UserError, match=r"^That is\N{EN SPACE}no file. x{5000}$"):
        child.ask("refuse")
    with pytest.raises(UserError) as caught:
        child.ask("raise", name="b.file")
    assert str(caught.value) == "b.file cannot be read by The tool: wrong \ufffd[31m thing."
    assert child.ask("sum", b"\1\2")[0]["sum"] == 3


def test_contents_are_read_in_parts():
    with open(os.devnull, "rb") as empty:
        assert Content(empty, 5).read() == b""
        Content(empty, 5).skip()  # the parent has gone
