"""What a reader copies: the program that feeds a run's `.tflite`, the command that repeats it."""

import shlex

from mobilenet_tf.deployment.report.wording import measured, source

_READ = """\
import math

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

image = ImageOps.exif_transpose(Image.open("picture.jpg")).convert("RGB")
side = {side}
left, top = (image.width - side) // 2, (image.height - side) // 2
square = image.crop((left, top, left + side, top + side))
square = square.resize(({width}, {height}), Image.Resampling.BILINEAR){grey}
pixels = np.asarray(square).reshape({shape}){convert}

"""
_RUN = """\
model = Interpreter("{file}")
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], pixels)
model.invoke()
scores = model.get_tensor(model.get_output_details()[0]["index"])[0]
labels = open("labels.txt", encoding="utf-8").read().split("\\n")
best = scores.argmax()
print(labels[best], {score})
"""


def feeding(result: dict, file: str) -> tuple[str, str] | None:
    """What the input takes, as a sentence and as Python; None while there is no file.

    Args:
        result: of the run.
        file: name of the `.tflite`.
    """
    tflite, values = result.get("tflite", {}), result.get("model", {}).get("preprocessing", {})
    picture, scores = tflite.get("input"), tflite.get("output")
    if not picture or not scores or len(picture.get("shape", ())) != 4 or not values:
        return None
    shape, dtype = tuple(picture["shape"]), picture["dtype"]
    _, height, width, channels = shape
    sentence, convert = _conversion(picture, values)
    crop = values.get("crop", 1.0)
    least = "min(image.size)"
    score = "scores[best]"
    if measured(scores.get("scale")):
        score = f"(int({score}) - {scores['zero_point']}) * {scores['scale']:.9g}"
    reading = _READ.format(
        side=least if crop == 1 else f"max(1, math.floor({crop:g} * {least} + 0.5))",
        width=width,
        height=height,
        grey='.convert("L")' if channels == 1 else "",
        shape=shape,
        convert=convert,
    )
    if crop == 1:
        reading = reading.removeprefix("import math\n\n")
    colour = "RGB" if channels == 3 else "grey"
    part = "the centre square" if crop == 1 else f"{crop:.1%} of the centre square"
    head = f"{part[0].upper()}{part[1:]} of the picture at {width} × {height}, {colour}, {dtype}"  # noqa: RUF001
    return f"{head}: {sentence}", reading + _RUN.format(file=file, score=score)


def _conversion(picture: dict, values: dict) -> tuple[str, str]:
    """From pixels to the input: the sentence's end, and what follows the pixels' array."""
    dtype, scale, zero = picture["dtype"], picture.get("scale"), picture.get("zero_point")
    mean, std = values["mean"], values["std"]
    if not measured(scale):
        return (
            f"(pixel - {mean:g}) / {std:g}.",
            f'\npixels = (pixels.astype("float32") - {mean:g}) / {std:g}',
        )
    # Half a step at the far end of the grey levels: nothing is rounded away below it.
    if 255 * abs(scale * std - 1) < 0.5:
        if dtype == "uint8" and zero == mean:
            return (
                "the pixels as they are, 0 to 255. Scale and zero point are the normalisation.",
                "",
            )
        if dtype == "int8" and zero == mean - 128:
            return (
                "the pixel minus 128. Scale and zero point are the normalisation.",
                '\npixels = (pixels.astype("int16") - 128).astype("int8")',
            )
    return (
        f"(pixel - {mean:g}) / {std:g}, divided by the scale, rounded, plus the zero point.",
        f'\nreal = (pixels.astype("float32") - {mean:g}) / {std:g}'
        f"\nlimits = np.iinfo({dtype!r})"
        f"\npixels = np.clip(np.rint(real / {scale:.9g}) + {zero}, limits.min, limits.max)"
        f"\npixels = pixels.astype({dtype!r})",
    )


def reproduce(result: dict, settings: dict) -> str:
    """The command line that starts the same run.

    Args:
        result: of the run.
        settings: what `config.toml` holds; may be empty.
    """
    model, history = result.get("model", {}), result.get("history", {})
    options = {
        "data": source(result) if "data" in result else None,
        "model": model.get("name"),
        "alpha": f"{model['alpha']:g}" if measured(model.get("alpha")) else None,
        "size": model.get("size"),
        "channels": model.get("channels"),
        "epochs": len(history.get("float", {}).get("loss", ())) or None,
        "qat-epochs": len(history["qat"].get("loss", ())) if "qat" in history else None,
        "batch": settings.get("recipe", {}).get("batch"),
        "weights": settings.get("weights"),
        "seed": result.get("seed"),
    }
    words = (f"--{k} {shlex.quote(str(v))}" for k, v in options.items() if v is not None)
    return " ".join(("python -m mobilenet_tf run", *words))
