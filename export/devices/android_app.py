"""Put a model into the Android demo app, with outputs to compare with on the phone.

Beside `NAME.tflite`, a file `NAME.golden.json` has pictures and the outputs that LiteRT computes on
this machine. The app's benchmark screen runs the pictures on the phone and shows the differences.
No TensorFlow.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text, write_bytes, write_text
from mobilenet_tf.core.outputs import each
from mobilenet_tf.core.ownership import Marker, read_marker, write_marker
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.deployment.proof.opening import model_input, task_of
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import required_runtime
from mobilenet_tf.deployment.tflite.parse import read_file
from mobilenet_tf.tasks.registry import distinction

DEMO = Path(__file__).resolve().parents[2] / "android_demo"
# The older runtime of the app's two builds, see android_demo/pom.xml: both run what it runs.
RUNTIME = "2.16.1"
PICTURES = 8
RESIZES = ("bilinear", "mediapipe")  # the app has no others, see Resize.kt
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def install(
    file: Path,
    name: str | None = None,
    demo: Path = DEMO,
    *,
    asset: str | None = None,
    origin: str | None = None,
) -> dict[str, Any]:
    """Copy a model into the app's assets and write its golden vectors.

    Args:
        file: A `.tflite` file.
        name: Name of the file in the app, without `.tflite`; None takes `asset`, and does not
            replace a model of another origin.
        demo: The Android project.
        asset: The name if none is given; by default derived from the file's.
        origin: What the model comes from; by default the file's path.

    Returns:
        {"model", "golden", "required_runtime", "runtime", "pictures", "bytes"}.

    Raises:
        UserError: The file has no square input or an unknown task, is prepared as the app cannot,
            or needs a newer runtime than the app has; or there is no Android project.
    """
    if not (demo / "settings.gradle.kts").is_file():
        raise UserError(f"{demo} is not an Android project: it has no settings.gradle.kts.")
    chosen = name is not None
    if name is None:
        name = asset or asset_name(file.name.removesuffix(".tflite"))
    if not _NAME.fullmatch(name):
        raise UserError(
            f"name is {name!r}; lower-case letters, digits, '_', '-' and '.' are accepted."
        )
    data, title = read_file(file)
    model = TFLiteModel(file)
    task, spec = task_of(model), model_input(model)
    if spec.resize not in RESIZES:
        raise UserError(
            f"{title} has resize {spec.resize!r}; the app has only {' and '.join(RESIZES)}."
        )
    if not distinction(task) and model.shapes == [(1,)]:
        raise UserError(
            f"{title} has one score per image, and the app shows one for each class; export the "
            "Keras model with `mobilenet-tf export`, which gives two."
        )
    needed = required_runtime(data)
    if _version(needed) > _version(RUNTIME):
        raise UserError(
            f"{title} needs runtime {needed}, and the app has {RUNTIME}; export it as full int8."
        )
    assets = demo / "app/src/main/assets"
    written = {"model": assets / f"{name}.tflite", "golden": assets / f"{name}.golden.json"}
    origin = origin or str(file.resolve())
    if not chosen:
        _require_same_origin(written["model"], origin, data)
    golden = golden_vectors(model)
    write_bytes(written["model"], data)
    write_text(written["golden"], json_text(golden) + "\n")
    before = read_marker(assets)
    origins = dict(before.files) if before else {}
    origins[written["model"].name] = _hashed(origin)
    write_marker(assets, Marker(kind="assets", files=origins))
    return {
        **{kind: str(path) for kind, path in written.items()},
        "required_runtime": needed,
        "runtime": RUNTIME,
        "pictures": len(golden["pictures"]),
        "bytes": len(data),
    }


def _require_same_origin(asset: Path, origin: str, content: bytes) -> None:
    """Check that a model in the app may be replaced by one from this origin.

    Raises:
        UserError: It comes from something else, or from where is unknown.
    """
    if not asset.exists() or asset.read_bytes() == content:
        return
    marker = read_marker(asset.parent)
    if marker is None or marker.files.get(asset.name) != _hashed(origin):
        name = asset.name.removesuffix(".tflite")
        raise UserError(
            f"{asset} is another model; give this one a name with --name, or replace that one with "
            f"--name {name}."
        )


def _hashed(origin: str) -> str:
    """Return the origin as the project's files may have it: without private paths."""
    return hashlib.sha256(origin.encode(errors="surrogateescape")).hexdigest()


def golden_vectors(model: TFLiteModel) -> dict[str, Any]:
    """Return pictures and the outputs that the model computes for them on this machine.

    Returns:
        {"pictures": [{"width", "height", "rgb", "outputs"}]}; rgb is the picture before
        preprocessing, row by row, and outputs the bytes of each output, all in hexadecimal.
    """
    spec = model_input(model)
    pictures = []
    for image in _pictures():
        pixels = prepare(image, spec)
        outputs = each(model.run_raw(pixels[None]))
        pictures.append(
            {
                "width": image.width,
                "height": image.height,
                "rgb": image.tobytes().hex(),
                "outputs": [
                    one.astype(one.dtype.newbyteorder("<")).tobytes().hex() for one in outputs
                ],
            }
        )
    return {"pictures": pictures}


def _pictures() -> Iterator[Image.Image]:
    """Yield handwritten digits and small coloured pictures in turn; photos would be too large."""
    from sklearn.datasets import load_digits

    digits = np.round(load_digits().images[: PICTURES // 2] * (255 / 16)).astype(np.uint8)
    random = np.random.default_rng(0)
    for number, digit in enumerate(digits):
        yield Image.fromarray(digit).convert("RGB")
        small = random.integers(0, 256, (5, 4, 3), dtype=np.uint8)
        sides = (21 + 6 * number, 33 - 4 * number)
        yield Image.fromarray(small).resize(sides, Image.Resampling.BICUBIC)


def asset_name(text: str) -> str:
    """Return a name that assets may have, such as `digits_v2` for `Digits V2`."""
    return re.sub(r"[^a-z0-9_.-]+", "_", text.lower()).strip("_.-") or "model"


def _version(text: str) -> tuple[int, ...]:
    """Return "1.14.0" as (1, 14, 0), and the lowest version for text without numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", text))
