"""The folder of a page: the page itself, LiteRT.js, and the model."""

import base64
import hashlib
import json
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.ownership import EXPORT, Marker, require_export, write_export
from mobilenet_tf.deployment.devices.web.packages import LITERT, PACKAGES, package_files
from mobilenet_tf.deployment.proof.opening import model_input, task_of
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.parse import read_file
from mobilenet_tf.deployment.tflite.uint8_ends import with_uint8_ends
from mobilenet_tf.tasks.registry import distinction

TARGET = "web"
LARGEST = 1 << 27  # bytes of a model; page/tflite.js has the same limit
_IMPORTS = {
    "@litertjs/core": "./litert/core.js",
    "@litertjs/wasm-utils": "./litert/wasm_utils.js",
}


def write_page(
    file: Path, folder: Path, origin: str = "", *, overwrite: bool = False
) -> dict[str, Any]:
    """Write the page of a model.

    Args:
        file: A `.tflite`; int8 input and output become uint8.
        folder: Where to write; created if absent.
        origin: Identity of the run that the model comes from; empty if that is unknown.
        overwrite: Whether to replace another export in the folder, and files of it that were
            changed.

    Returns:
        {"folder", "classes", "labelled", "input": type that the page's model takes,
        "model_bytes", "bytes": of all files, "files": their number}.

    Raises:
        UserError: The page cannot show the model; a file would be lost (see `require_export`); or
            LiteRT.js cannot be had (see `fetch`).
    """
    marker = Marker(kind=EXPORT, target=TARGET, identity=origin)
    require_export(folder, marker, overwrite=overwrite)
    model, content = _checked(file)
    contents = page_files() | {"model.tflite": content}
    for package in PACKAGES:
        contents |= package_files(package)
    write_export(folder, marker, contents, overwrite=overwrite)
    return {
        "folder": str(folder),
        "classes": model.classes,
        "labelled": model.labels is not None,
        "input": model.input.dtype,
        "model_bytes": len(content),
        "bytes": sum(map(len, contents.values())),
        "files": len(contents),
    }


def _checked(file: Path) -> tuple[TFLiteModel, bytes]:
    """Return a model and its file as the page takes them, after it has run once."""
    data, name = read_file(file)
    if len(data) > LARGEST:
        raise UserError(f"{name} has {len(data):,} bytes; a page takes at most {LARGEST:,}.")
    model = TFLiteModel(file)
    task = task_of(model)
    model_input(model)
    if model.input.shape[0] != 1:
        raise UserError(
            f"{name} takes {model.input.shape[0]} pictures at a time; a page gives one."
        )
    if not distinction(task) and model.classes == 1:
        raise UserError(f"{name} has one score per picture; a page shows one for each class.")
    model.run_raw(np.zeros(model.input.shape, np.uint8))
    content = with_uint8_ends(data)
    return (model, data) if content == data else (TFLiteModel(content), content)


def page_files() -> dict[str, bytes]:
    """Return the page without LiteRT.js and model: file name -> content."""
    folder = resources.files("mobilenet_tf.deployment.devices.web") / "page"
    contents = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    imports = json.dumps({"imports": _IMPORTS})
    values = {"policy": policy(imports), "importmap": imports, "litert": LITERT.version}
    page = Template(contents["index.html"].decode()).substitute(values)
    licence = contents.pop("LICENSE-LiteRT.txt")
    return contents | {"index.html": page.encode(), "litert/LICENSE": licence}


def policy(imports: str) -> str:
    """Return the page's content-security policy: everything from its own folder, and no more.

    Args:
        imports: The import map, the only script within the page.
    """
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
