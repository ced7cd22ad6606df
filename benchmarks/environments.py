"""Environments of other runtimes, whose packages do not go with this project's.

`make test-mediapipe` creates `build/mediapipe`, and benchmarks/interop.txt has the packages of
`build/interop`.
"""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.sections import ROOT
from mobilenet_tf.core.errors import UserError

RUNNER = Path(__file__).with_name("interop_runtimes.py")
ENVIRONMENTS = {
    "mediapipe": "mediapipe",
    "mediapipe_detector": "mediapipe",
    "openvino": "interop",
    "tflite2onnx": "interop",
    "onnxruntime": "interop",
}


def interpreter(runtime: str) -> Path:
    """Return the Python that has a runtime; it need not exist."""
    return ROOT / "build" / ENVIRONMENTS[runtime] / "bin" / "python"


def outputs_of(
    runtime: str, content: bytes, pictures: Iterable[np.ndarray]
) -> dict[str, np.ndarray]:
    """Run a `.tflite` on pictures in another runtime, see `interop_runtimes`.

    Returns:
        outputs (N, classes), and version.

    Raises:
        UserError: The runtime cannot run it; the text is the last line of what it says.
    """
    with tempfile.TemporaryDirectory() as folder:
        model, inputs, outputs = (Path(folder) / name for name in ("m.tflite", "i.npz", "o.npz"))
        model.write_bytes(content)
        np.savez(inputs, **{f"{number:06}": one for number, one in enumerate(pictures)})
        command = [
            str(interpreter(runtime)),
            str(RUNNER),
            runtime,
            *map(str, (model, inputs, outputs)),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"{runtime}: {done.stderr.strip().splitlines()[-1].strip()}")
        with np.load(outputs) as found:
            return dict(found)
