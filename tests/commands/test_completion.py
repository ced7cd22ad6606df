"""What shells complete, asked as bash asks."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("mobilenet-tf ver", ["verify"]),
        ("mobilenet-tf run --dry", ["--dry-run"]),
        ("mobilenet-tf run --model v3_small_", ["v3_small_minimalistic"]),
        ("mobilenet-tf train --task seg", ["segmentation"]),
    ],
)
def test_completion(line, completed):
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    environment = os.environ | asked | {"_MOBILENET_TF_COMPLETE": "complete_bash"}
    command = [sys.executable, "-m", "mobilenet_tf"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == completed


def test_completion_is_installed(tmp_path):
    """A shell is the parent, as it is when a user types the command."""
    line = f"{sys.executable} -m mobilenet_tf --install-completion; exit $?"
    environment = os.environ | {"HOME": str(tmp_path)}
    subprocess.run(["bash", "-c", line], env=environment, capture_output=True, check=True)
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any("_MOBILENET_TF_COMPLETE=complete_bash" in text for text in written)
    assert ".bash_completions" in (tmp_path / ".bashrc").read_text()
