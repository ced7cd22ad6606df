"""Emulated cores without an emulator: what is read, fetched, cached and refused."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from mobilenet_tf.commands.benchmark import benchmark
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices import qemu
from mobilenet_tf.deployment.devices.arm import emulator, library
from mobilenet_tf.deployment.devices.arm.cores import CORES, cpuinfo
from mobilenet_tf.deployment.devices.tables import cost_table


@pytest.fixture
def no_tools(monkeypatch):
    monkeypatch.setattr(qemu.shutil, "which", lambda tool: None)


def test_without_an_emulator_one_sentence_says_what_to_install(no_tools, files):
    said = r"^The device cortex-a53 needs these Debian packages: gcc gcc-aarch64-linux-gnu .*qemu-u"
    with pytest.raises(UserError, match=said):
        cost_table("cortex-a53")
    with pytest.raises(UserError, match=said):
        benchmark([files.int8], device="cortex-a53")
    with pytest.raises(
        UserError, match=r"^The device cortex-m4 needs .*gcc-arm-none-eabi .*qemu-s"
    ):
        cost_table("cortex-m4")


def test_a_file_can_be_what_is_absent(tmp_path):
    (tmp_path / "here").touch()
    tools = {str(tmp_path / "here"): "one", str(tmp_path / "gone"): "two", "no-such-tool": "two"}
    assert qemu.missing_packages(tools) == ["two"]


def test_every_core_says_what_it_is():
    assert {core.name for core in CORES.values()} == set(CORES)
    assert "CPU part\t: 0xd03\n" in cpuinfo(CORES["cortex-a53"])
    assert "CPU part\t: 0xd0b\n" in cpuinfo(CORES["cortex-a76"])


def test_counts_are_read_from_the_log():
    log = "guest_base 0x0\ninstructions 12\nsomething\ninstructions 3456\ninstructions x\n"
    assert qemu.counts(log) == [12, 3456]


def test_a_failing_tool_is_one_sentence():
    with pytest.raises(UserError, match=r"^sh fails: an error: no\.$"):
        qemu.output(["sh", "-c", "echo first >&2; echo an error: no >&2; exit 1"])


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """A stand-in for pip; a list of its calls, and what it does with the folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    calls = []

    def run(command, **options):
        calls.append(command)
        return calls.act(Path(command[command.index("--dest") + 1]))

    class Calls(list):
        act = None

    calls = Calls()
    monkeypatch.setattr(library.subprocess, "run", run)
    return calls


def test_the_library_is_fetched_once_by_its_hash(pip):
    def fetch(folder):
        with zipfile.ZipFile(folder / "some.whl", "w") as wheel:
            wheel.writestr("ai_edge_litert/libLiteRt.so", b"the library")
        return subprocess.CompletedProcess([], 0, "", "")

    pip.act = fetch
    path = library.litert_library()
    assert path.read_bytes() == b"the library"
    assert path.parent.name == f"litert-{library.litert_version()}"
    assert library.litert_library() == path
    assert len(pip) == 1
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(pip[0])


def test_a_failing_download_leaves_nothing(pip, tmp_path):
    pip.act = lambda folder: subprocess.CompletedProcess([], 1, "", "x\nERROR: THESE PACKAGES DO\n")
    with pytest.raises(UserError, match=r"^pip cannot fetch LiteRT 2\.\d+\.\d+ .*: ERROR: THESE P"):
        library.litert_library()
    assert not (tmp_path / "cache").exists()


def test_the_pinned_version_is_the_tested_one():
    from importlib.metadata import version

    assert library.litert_version() == version("ai-edge-litert")
    pinned = Path(emulator.__file__).with_name("litert.txt").read_text().splitlines()
    assert len([line for line in pinned if "--hash=sha256:" in line]) == 1
