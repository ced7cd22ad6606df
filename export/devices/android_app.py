"""Put a model into the Android demo, with proof to compare against on the phone. No TensorFlow.

Beside `NAME.tflite` lies `NAME.golden.json`: pictures, and the scores that LiteRT gives here. The
app's benchmark screen runs them on the phone and shows by how much it differs.
"""

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically, write_text
from mobilenet_tf.datasets.images import prepare
from mobilenet_tf.deployment.proof.evaluate import model_input
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import required_runtime
from mobilenet_tf.deployment.tflite.parse import read_file
from mobilenet_tf.runs.folder import RunFolder

DEMO = Path(__file__).resolve().parents[2] / "android_demo"
# The older of the app's two builds, see android_demo/pom.xml: what it runs, both run.
RUNTIME = "2.16.1"
PICTURES = 8
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def install(source: str | Path, name: str | None = None, demo: str | Path = DEMO) -> dict:
    """Copy a model into the app's assets and write its golden vectors.

    Args:
        source: a run folder, or a `.tflite` file.
        name: of the file in the app, without `.tflite`; None takes the source's.
        demo: the Android project.

    Returns:
        {"model", "golden", "required_runtime", "runtime", "pictures", "bytes"}.

    Raises:
        UserError: the file is no classifier of square pictures, needs a newer runtime than the
            app has, or there is no Android project.
    """
    source, demo = Path(source), Path(demo)
    if not (demo / "settings.gradle.kts").is_file():
        raise UserError(f"{demo} is no Android project: it has no settings.gradle.kts.")
    path = RunFolder.open(source, "model_int8.tflite").tflite if source.is_dir() else source
    name = _asset_name(source) if name is None else name
    if not _NAME.fullmatch(name):
        raise UserError(
            f"name is {name!r}; lower-case letters, digits, '_', '-' and '.' are accepted."
        )
    data, called = read_file(path)
    model = TFLiteModel(path)
    model_input(model)
    needed = required_runtime(data)
    if _version(needed) > _version(RUNTIME):
        raise UserError(
            f"{called} needs runtime {needed}, and the app has {RUNTIME}; export it as full int8."
        )
    assets = demo / "app/src/main/assets"
    written = {"model": assets / f"{name}.tflite", "golden": assets / f"{name}.golden.json"}
    golden = golden_vectors(model)
    write_atomically(written["model"], lambda partial: partial.write_bytes(data))
    write_text(written["golden"], json.dumps(golden) + "\n")
    return {
        **{what: str(path) for what, path in written.items()},
        "required_runtime": needed,
        "runtime": RUNTIME,
        "pictures": len(golden["pictures"]),
        "bytes": len(data),
    }


def golden_vectors(model: TFLiteModel) -> dict:
    """Pictures, and what this machine makes of them.

    Returns:
        {"pictures": [{"width", "height", "rgb", "scores"}]}; rgb is the picture before
        preprocessing, in hexadecimal, row by row.
    """
    spec = model_input(model)
    pictures = []
    for image in _pictures():
        pixels = prepare(image, spec)
        scores = model.run(pixels[None])[0]
        pictures.append(
            {
                "width": image.width,
                "height": image.height,
                "rgb": image.tobytes().hex(),
                "scores": [round(float(score), 6) for score in scores],
            }
        )
    return {"pictures": pictures}


def _pictures():
    """Handwritten digits and, for every other, colours of odd sides. No photos: they are large."""
    from sklearn.datasets import load_digits

    digits = np.round(load_digits().images[: PICTURES // 2] * (255 / 16)).astype(np.uint8)
    random = np.random.default_rng(0)
    for number, digit in enumerate(digits):
        yield Image.fromarray(digit).convert("RGB")
        small = random.integers(0, 256, (5, 4, 3), dtype=np.uint8)
        sides = (21 + 6 * number, 33 - 4 * number)
        yield Image.fromarray(small).resize(sides, Image.Resampling.BICUBIC)


def _asset_name(source: Path) -> str:
    """runs/Digits V2 -> digits_v2."""
    name = source.resolve().name if source.is_dir() else source.name.removesuffix(".tflite")
    return re.sub(r"[^a-z0-9_.-]+", "_", name.lower()).strip("_.-") or "model"


def _version(text: str) -> tuple[int, ...]:
    """ "1.14.0" -> (1, 14, 0); a file that does not say may be as old as any."""
    return tuple(int(part) for part in re.findall(r"\d+", text))
