"""What the files of a run were made from, so that none is used with another source than its own.

`float.keras` -> `qat.keras` -> `model_int8.tflite`; `result.json` records the fingerprint of each
file and of its source.
"""

import hashlib
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.core.ownership import sha256
from mobilenet_tf.runs.own_files import TRIALS, remove_exports
from mobilenet_tf.runs.result import Result, write_result
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.compression_settings import STAGES

if TYPE_CHECKING:
    from mobilenet_tf.runs.folder import RunFolder

_SOURCES = {
    "qat.keras": "float.keras",
    "model_ptq_int8.tflite": "float.keras",
    "model_int8.tflite": "qat.keras",
}
_COMMANDS = {
    "qat.keras": "quantize",
    "model_ptq_int8.tflite": "export",
    "model_int8.tflite": "export",
}
_SETTINGS = "config.toml"
# File -> files made from it, directly or indirectly.
_AFTER_EXPORT = ("report.html", "MODEL_CARD.md", "worst/*.png")
_AFTER_QUANTIZE = ("model_int8.tflite", *_AFTER_EXPORT)
_DERIVED: dict[str, tuple[str, ...]] = {
    "model_int8.tflite": _AFTER_EXPORT,
    "qat.keras": _AFTER_QUANTIZE,
    "float.keras": (
        *(f"checkpoints/{stage}.npz" for stage in STAGES),
        f"checkpoints/{TRIALS}",
        *("qat.keras", "model_ptq_int8.tflite"),
        *_AFTER_QUANTIZE,
    ),
}
_VERIFIED: tuple[str, ...] = (
    *("accuracy", "top5", "calibration_error", "per_class", "confusion", "parity", "blocks"),
    *("metrics", "tables", "charts", "pictures", "worst", "robustness"),
)


def command_for(name: str) -> str:
    """Return the command that writes a file of a run, up to the run folder."""
    return _COMMANDS.get(name, "train --resume --out")


def fingerprint(path: Path) -> str | None:
    """Return what identifies the content of a model file; None if there is no such file.

    Two `.keras` files with the same network and weights have the same fingerprint, whenever they
    were saved.
    """
    try:
        if path.suffix == ".keras" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts = [
                    (one.filename, one.CRC, one.file_size)
                    for one in archive.infolist()
                    if one.filename != "metadata.json"  # the date
                ]
            return hashlib.sha256(repr(sorted(parts)).encode()).hexdigest()
        return sha256(path)
    except (OSError, zipfile.BadZipFile):
        return None


def write_model(
    folder: "RunFolder",
    name: str,
    write: Callable[[Path], Any],
    settings: RunSettings | None = None,
) -> None:
    """Write a model file of a run and record what it was made from.

    If its content is another one than before, what was made from it is removed: files, and
    sections of `result.json`.

    Args:
        folder: The run folder.
        name: Name of the file.
        write: Writes it to a path; see `write_atomically`.
        settings: The settings that it was made with, if the run may be given others later.

    Raises:
        UserError: A file cannot be written.
    """
    path = folder.path / name
    recorded = folder.result().files.get(name)
    before = fingerprint(path) if recorded is None else recorded.fingerprint
    write_atomically(path, write)
    now = fingerprint(path)
    if before not in (None, now):
        _remove_derived(folder, name)
    source = _SOURCES.get(name)
    known = fingerprint(folder.path / source) if source else None
    made_from = {source: known} if source and known else {}
    if settings is not None:
        made_from[_SETTINGS] = _int8_settings(settings)
    folder.update_result(files={name: {"fingerprint": now, "made_from": made_from}})


def _remove_derived(folder: "RunFolder", name: str) -> None:
    derived = _DERIVED.get(name, ())
    for pattern in derived:
        for path in folder.path.glob(pattern):
            path.unlink()
    with suppress(OSError):  # it is absent, or holds something else
        (folder.path / "worst").rmdir()
    result, empty = folder.result(), Result()
    gone: tuple[str, ...] = _VERIFIED if derived else ()
    if name in ("qat.keras", "float.keras"):
        remove_exports(folder.path)
        gone += ("tflite", "devices", "compression")
    files = {known: facts for known, facts in result.files.items() if known not in derived}
    write_result(
        folder.result_file,
        replace(result, files=files, **{section: getattr(empty, section) for section in gone}),
    )


def _int8_settings(settings: RunSettings) -> str:
    """Return what identifies the settings of `quantize`."""
    recipe = settings.recipe
    compressed = recipe.made_by(recipe.stages[-1])
    used = (
        *(settings.int8.per_tensor, settings.teacher, recipe.qat, recipe.calibration),
        *(recipe.self_distillation, *settings.teacher_labels),
        *((recipe.post_training,) if recipe.rounds_only else ()),
        *([compressed] if compressed else []),  # as in earlier versions otherwise
    )
    return hashlib.sha256(repr(used).encode()).hexdigest()


def require_current(folder: "RunFolder", name: str) -> None:
    """Check that a file is the one that the run wrote, and its source the one that it had then.

    Files of earlier versions, of which nothing is recorded, are accepted.

    Raises:
        UserError: It is not; the sentence names the command that makes it again.
    """
    facts = folder.result().files.get(name)
    if facts is None:
        return
    again = f"run `mobilenet-tf {command_for(name)} {folder.path}` to make it again"
    path = folder.path / name
    if facts.fingerprint != fingerprint(path):
        raise UserError(f"{path} is not the file that this run wrote; {again}.")
    for source, known in facts.made_from.items():
        if source == _SETTINGS and known != _int8_settings(folder.settings()):
            raise UserError(f"{path} was made with other settings than {_SETTINGS} has; {again}.")
        if source not in _SOURCES.values():
            continue
        now = fingerprint(folder.path / source)
        if now not in (None, known):
            raise UserError(f"{path} was made from an earlier {source}; {again}.")
        if source in _SOURCES:
            require_current(folder, source)
