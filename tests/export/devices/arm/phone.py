"""The phone's own library for the emulator; `arm.sh` puts it into build/arm."""

from pathlib import Path

from mobilenet_tf.deployment.devices.arm.emulator import Runtime
from tests.sources import ROOT

PHONE = ROOT / "build" / "arm" / "libtensorflowlite_jni.so"
VERSION = "2.16.1"


def phone() -> Runtime:
    """TensorFlow Lite for Android, on a stand-in for Android's C library."""
    source = Path(__file__).with_name("phone.c")
    flags = ("-Wl,--allow-shlib-undefined",)
    return Runtime(f"tensorflow-lite {VERSION}", PHONE, source, flags)
