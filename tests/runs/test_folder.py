"""Nothing is lost or half written: kills, full disks, folders that cannot be written."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically, write_text
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe
from tests.commands.test_cli import call

SLOW_WRITER = """
import sys, time
from pathlib import Path
from mobilenet_tf.core.files import write_atomically
def write(partial):
    partial.write_text("half")
    print("half", flush=True)
    time.sleep(60)
write_atomically(Path(sys.argv[1]), write)
"""


@pytest.fixture
def pictures(make_folder):
    return make_folder({"cats": 8, "dogs": 8})


@pytest.fixture
def make_folder(tmp_path):
    def make(counts):
        random = np.random.default_rng(0)
        for name, count in counts.items():
            (tmp_path / "data" / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
        return tmp_path / "data"

    return make


def start(out, source, **options):
    settings = RunSettings(
        data=str(source),
        network=make_network("v1", 0.25, 32),
        recipe=load_recipe("small_data"),
    )
    return begin(settings, out=out, **options)


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path):
    file = tmp_path / "checkpoints" / "float.npz"
    write_text(file, "old")
    command = [sys.executable, "-c", SLOW_WRITER, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        run = RunFolder(tmp_path)
        run.sweep()
        assert len(list(file.parent.iterdir())) == 2, "it is still at work"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert file.read_text() == "old"
    run.sweep()
    assert list(file.parent.iterdir()) == [file]


def test_resume_sweeps(tmp_path, pictures):
    start(tmp_path / "run", pictures)
    finished = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                              capture_output=True, text=True, check=True)  # fmt: skip
    left = tmp_path / "run" / f".partial-{int(finished.stdout)}-float.keras"
    left.write_text("half")
    start(tmp_path / "run", pictures, resume=True)
    assert not left.exists()


def test_pictures_that_changed_are_refused_before_anything_happens(tmp_path, pictures):
    out = tmp_path / "run"
    arguments = ("train", "--data", pictures, "--size", "32", "--out", out)
    start(out, pictures)
    before = {path: path.read_bytes() for path in out.iterdir()}
    Image.new("RGB", (40, 40), "red").save(pictures / "cats" / "0.png")
    said = call(*arguments, "--resume")
    assert said.returncode == 2
    assert f"The images of {pictures} have changed since {out} was started" in said.stderr
    assert "Traceback" not in said.stderr
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@pytest.fixture(params=["a write that fails", "a real one"])
def full_disk(request, tmp_path, monkeypatch):
    """A folder that has room for a few kilobytes, with a file in it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = request.param == "a real one"
    if mounted:
        mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
        if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("mounting needs root")
    write_text(disk / "result.json", "old")
    if not mounted:

        def fail(descriptor):
            raise OSError(28, os.strerror(28))

        # Where a network's disk says it, at the latest.
        monkeypatch.setattr(os, "fsync", fail)
    yield disk
    if mounted:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_one_sentence_and_costs_no_file(full_disk):
    file = full_disk / "result.json"
    with pytest.raises(UserError, match=r"result\.json cannot be written: No space left"):
        write_atomically(file, lambda partial: partial.write_bytes(bytes(100_000)))
    assert file.read_text() == "old"
    assert list(full_disk.iterdir()) == [file]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_read_only_disk_is_one_sentence(tmp_path, pictures):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed")
    try:
        start(disk / "run", pictures)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for out in (disk / "new", disk / "run"):
            said = call("train", "--data", pictures, "--size", "32", "--out", out, "--overwrite")
            assert said.returncode == 2
            assert "cannot be written: Read-only file system." in said.stderr
            assert "Traceback" not in said.stderr
        assert RunFolder.open(disk / "run").config()["seed"] == 0
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
