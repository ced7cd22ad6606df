"""Folders of C from templates: the values that all of them have, and how they are filled in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from math import prod
from string import Template
from typing import Any, cast

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.text import clean, markdown
from mobilenet_tf.deployment.devices.mcu.c_code import c_float, c_strings
from mobilenet_tf.deployment.devices.model import PREFIX, Int8Model
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo

GOLDEN_PICTURES = 4
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,30}")
_NAMES = re.compile(r"(?<![A-Za-z0-9_])(?:model|MODEL)(?=_[A-Za-z]|\.[ch]\b)")
_FRAMES = {
    "crop": "the largest centred rectangle of the frame with the input's shape",
    "stretch": "the frame, whatever its shape",
    "pad": "the whole frame, with the mean around it,",
}


def check_prefix(prefix: str) -> None:
    """Reject a prefix that does not make names in C.

    Raises:
        UserError: It is not lower-case letters, digits and underscores after a letter.
    """
    if not _PREFIX.fullmatch(prefix) or prefix.startswith("mtf_"):
        raise UserError(
            f"--prefix is {prefix!r}; it must begin with a lower-case letter, have only lower-case "
            "letters, digits and underscores, at most 31, and not begin with mtf_."
        )


def fill(
    package: str, values: Mapping[str, Any], prefix: str = PREFIX, folder: str = "templates"
) -> dict[str, bytes]:
    """Return file name -> content of a package's templates.

    Args:
        package: Name of the package.
        values: Name -> what stands in its place after a `$`. Folders `example` and `kernels` have
            no places.
        prefix: What stands in the place of `model` in the names of functions, macros and files.
        folder: Folder of the package that has them.
    """
    contents = {}
    for name, template in _files(resources.files(package) / folder):
        text = renamed(template.read_text(encoding="utf-8"), prefix)
        if not {"example", "kernels"} & {folder, *name.split("/")}:
            # In Markdown a title is escaped otherwise than in C.
            title = markdown(values["title"]) if name.endswith(".md") else values["title"]
            text = Template(text).substitute(values, title=title)
        contents[renamed(name, prefix)] = text.encode()
    return contents


def renamed(text: str, prefix: str) -> str:
    """Return C with another prefix of its functions, macros and files."""
    return _NAMES.sub(lambda found: prefix.upper() if found[0].isupper() else prefix, text)


def _files(root: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    for entry in sorted(root.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, f"{above}{entry.name}/")
        else:
            yield above + entry.name, entry


def model_values(reference: TFLiteModel, model: Int8Model) -> dict[str, Any]:
    """Return what a header says of a model: title, sizes, quantization, labels."""
    _, height, width, channels = reference.input.shape
    spec = model.network.input
    title = " ".join(model.title.replace("*/", "* /").replace("\\", "/").split())
    return {
        "title": clean(title),
        "width": width,
        "height": height,
        "channels": channels,
        "colours": "grey" if channels == 1 else "red, green, blue",
        "colour_order": "" if channels == 1 else ", red, green, blue for each",
        "frame": _FRAMES[spec.fit] if spec.crop == 1 else f"{spec.crop:g} of {_FRAMES[spec.fit]}",
        "classes": max(1, len(model.labels)),
        "outputs": len(reference.outputs),
        "output_sizes": ", ".join(str(prod(output.shape)) for output in reference.outputs),
        "output_bytes": sum(prod(output.shape) for output in reference.outputs),
        "input_scale": c_float(cast(float, reference.input.scale)),
        "input_zero_point": reference.input.zero_point,
        "output_grids": "\n".join(_grids(reference.outputs, model.prefix.upper())),
        "labels": c_strings(model.labels or ("",)),
    }


def _grids(outputs: Sequence[TensorInfo], prefix: str) -> Iterator[str]:
    """Yield the macros with scale and zero point of each output; several are numbered from 0."""
    for number, output in enumerate(outputs):
        name = f"{prefix}_OUTPUT" if len(outputs) == 1 else f"{prefix}_OUTPUT_{number}"
        yield f"#define {name}_SCALE {c_float(cast(float, output.scale))}"
        yield f"#define {name}_ZERO_POINT ({output.zero_point})"


def golden_numbers(count: int) -> np.ndarray:
    """Return the numbers of up to `GOLDEN_PICTURES` pictures, evenly from `count`."""
    return np.linspace(0, count - 1, min(GOLDEN_PICTURES, count)).astype(int)
