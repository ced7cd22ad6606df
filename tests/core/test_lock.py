"""A folder at work belongs to one process, and to none after that process has ended."""

import os
import signal
import subprocess
import sys

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.lock import LOCK_NAME, at_work

HOLDER = """
import sys, time
from pathlib import Path
from mobilenet_tf.core.lock import at_work
with at_work(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_has_died(holder, tmp_path):
    said = rf"run is in use by process {holder.pid} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d;"
    for _ in range(2):
        with pytest.raises(UserError, match=said), at_work(tmp_path / "run"):
            pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with at_work(tmp_path / "run"):
        assert str(os.getpid()) in (tmp_path / "run" / LOCK_NAME).read_text()
    assert list((tmp_path / "run").iterdir()) == []


def test_another_name_of_the_folder_is_the_same_folder(holder, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with pytest.raises(UserError, match="in use by process"), at_work(tmp_path / "link"):
        pass


def test_one_process_may_nest(tmp_path):
    with at_work(tmp_path / "a" / "b"):
        with at_work(tmp_path / "a" / "b"):
            (tmp_path / "a" / "b" / "file").touch()
        assert (tmp_path / "a" / "b" / LOCK_NAME).exists()
    assert [one.name for one in (tmp_path / "a" / "b").iterdir()] == ["file"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    said = "file is a file; --out must be a folder"
    with pytest.raises(UserError, match=said), at_work(tmp_path / "file"):
        pass


def test_a_folder_that_stays_empty_is_removed_again(tmp_path):
    with at_work(tmp_path / "new" / "run"):
        pass
    assert list(tmp_path.iterdir()) == []
