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
