"""`doctor` says what is there, and how to get what is not."""

import json
import shutil
import subprocess
import sys

from mobilenet_tf.commands.doctor import doctor
from mobilenet_tf.core.packages import PACKAGES
from tests.absent import without


def parts(found: dict) -> dict:
    return {part["name"]: part for part in found["parts"]}


def test_what_is_installed():
    import tensorflow

    found = parts(doctor())
    assert found["TensorFlow"]["version"] == tensorflow.__version__
    assert found["TensorFlow"]["install"] == ""
    assert {package.title for package in PACKAGES} < set(found)


def test_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "adb" else f"/bin/{name}")
    monkeypatch.setattr("mobilenet_tf.deployment.devices.qemu.output", lambda command: "/x")
    found = parts(doctor())
    assert found["TensorFlow Lite Micro"] == {
        "name": "TensorFlow Lite Micro",
        "installed": False,
        "version": "",
        "adds": "microcontrollers: arena and outputs",
        "install": 'pip install "mobilenet-tf[micro]"',
    }
    assert found["adb"]["install"] == "apt install adb"
    assert found["C compiler"]["installed"]
    assert found["npm"]["install"] == ""


def test_it_needs_no_package_that_it_looks_for():
    everywhere = ("numpy", "pillow")  # without them nothing of this project can be imported
    program = without(*(one.module for one in PACKAGES if one.name not in everywhere))
    for words in ([], ["--json"]):
        command = [sys.executable, "-c", program, "doctor", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        if words:
            found = parts(json.loads(done.stdout))
            assert found["LiteRT"]["install"] == 'pip install "ai-edge-litert"'
        else:
            assert 'pip install "mobilenet-tf[micro]": TensorFlow Lite Micro, Vela' in done.stdout
