"""`runs/NAME/`: the only place of a run's settings, checkpoints, models and metrics."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli_w

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import PARTIAL_PREFIX, read_toml, write_text
from mobilenet_tf.core.lock import at_work
from mobilenet_tf.core.ownership import Marker, new_identity, read_marker, write_marker
from mobilenet_tf.core.settings import flatten
from mobilenet_tf.runs.own_files import is_ours, remove_written, visible
from mobilenet_tf.runs.provenance import command_for
from mobilenet_tf.runs.result import Result, merge, read_result, write_result
from mobilenet_tf.runs.settings import RunSettings, read_settings


class RunFolder:
    """Paths and files of one run.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def config_file(self) -> Path:
        """The settings."""
        return self.path / "config.toml"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints, one per phase of training."""
        return self.path / "checkpoints"

    @property
    def logs(self) -> Path:
        """Folder of the training curves, as CSV and for TensorBoard."""
        return self.path / "logs"

    @property
    def float_model(self) -> Path:
        """The trained float network."""
        return self.path / "float.keras"

    @property
    def qat_model(self) -> Path:
        """The network after quantization-aware training."""
        return self.path / "qat.keras"

    @property
    def tflite(self) -> Path:
        """The int8 file."""
        return self.path / "model_int8.tflite"

    @property
    def ptq_tflite(self) -> Path:
        """The float network after plain post-training quantization, for comparison."""
        return self.path / "model_ptq_int8.tflite"

    @property
    def labels_file(self) -> Path:
        """One class name per line."""
        return self.path / "labels.txt"

    @property
    def result_file(self) -> Path:
        """The metrics."""
        return self.path / "result.json"

    @property
    def suspects(self) -> Path:
        """Pictures whose labels are probably wrong, as a table that can be corrected.

        It is the user's to edit, so that overwriting the run leaves it alone.
        """
        return self.path / "suspects.csv"

    @property
    def report(self) -> Path:
        """The report as a web page."""
        return self.path / "report.html"

    @property
    def card(self) -> Path:
        """The model card."""
        return self.path / "MODEL_CARD.md"

    @classmethod
    def open(cls, path: str | Path, *needed: str) -> "RunFolder":
        """Open an existing run.

        Raises:
            UserError: It is not a run folder, or a file listed in `needed` does not exist yet.
        """
        folder = cls(path)
        if not folder.config_file.is_file():
            raise UserError(
                f"{folder.path} has no config.toml; a folder written by `train` or `run` is needed."
            )
        for name in needed:
            if not (folder.path / name).is_file():
                raise UserError(
                    f"{folder.path} has no {name}; `mobilenet-tf {command_for(name)} "
                    f"{folder.path}` writes it."
                )
        return folder

    def at_work(self) -> AbstractContextManager[None]:
        """Return a context in which no other process may write into the folder.

        Raises:
            UserError: Another process is at work in it, or it cannot be written.
        """
        return at_work(self.path)

    @property
    def identity(self) -> str:
        """What tells this run from every other; empty if the folder has no marker."""
        marker = read_marker(self.path)
        return "" if marker is None else marker.identity

    def claim(self, kind: str = "run", *, new: bool = True) -> None:
        """Mark the folder as written by this project.

        Args:
            kind: What the folder holds; see `Marker`.
            new: Whether it is a new run; otherwise a marker that is there stays.

        Raises:
            UserError: The marker cannot be written.
        """
        if new or read_marker(self.path) is None:
            write_marker(self.path, Marker(kind=kind, identity=new_identity()))

    def rename_kind(self, kind: str) -> None:
        """Change what the marker says that the folder holds."""
        marker = read_marker(self.path) or Marker(kind=kind, identity=new_identity())
        write_marker(self.path, replace(marker, kind=kind))

    def require_free(self, overwrite: bool) -> None:
        """Check that a new run may use the folder.

        Raises:
            UserError: It is in use and `overwrite` is off, or this project did not write it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file; --out must be a folder.")
        held = visible(self.path)
        if not held:
            return
        if not is_ours(self.path):
            raise UserError(
                f"{self.path} is not a run folder, so it is not overwritten; it holds {held[0]}"
                f"{' and other files' if len(held) > 1 else ''}. Use --out for another folder, or "
                "move that elsewhere."
            )
        if overwrite:
            return
        if not self.config_file.is_file():
            raise UserError(
                f"{self.path} holds an exported model or what is left of an earlier run; use "
                "--overwrite to replace it, or --out for another folder."
            )
        raise UserError(
            f"{self.path} holds an earlier run; use --resume to continue it, --overwrite to "
            "replace it, or --out for another folder."
        )

    def require_same(
        self, config: Mapping[str, Any], before: Mapping[str, Any] | None = None
    ) -> None:
        """Check that the folder was started with this configuration.

        Args:
            config: The configuration now.
            before: The one it was started with; by default the content of `config.toml`.

        Raises:
            UserError: They are different.
        """
        now, old = flatten(config), flatten(self.config() if before is None else before)
        for name in now | old:
            if now.get(name) == old.get(name):
                continue
            difference = f"{name} = {old.get(name)!r}, not {now.get(name)!r}"
            if isinstance(now.get(name), list):  # rows of a network are too long to print
                difference = f"another {name}"
            raise UserError(
                f"{self.path} was started with {difference}; --resume needs the same settings."
            )

    def sweep(self) -> None:
        """Remove the partial files of processes that have ended."""
        for partial in self.path.rglob(f"{PARTIAL_PREFIX}*"):
            process = int(partial.name.removeprefix(PARTIAL_PREFIX).split("-")[0])
            if process == os.getpid() or not _is_running(process):
                partial.unlink(missing_ok=True)

    def clear(self, kind: str = "run") -> None:
        """Remove the files of an earlier run, if there is one, and claim the folder.

        Files that this project did not write stay.

        Args:
            kind: What the folder will hold; see `Marker`.

        Raises:
            UserError: The folder cannot be written.
        """
        self.claim(kind)
        remove_written(self.path)

    def config(self) -> dict[str, Any]:
        """Read `config.toml`.

        Raises:
            UserError: It cannot be read.
        """
        return read_toml(self.config_file)

    def write_config(self, values: Mapping[str, Any]) -> None:
        """Write `config.toml`."""
        write_text(self.config_file, tomli_w.dumps(values))

    def settings(self) -> RunSettings:
        """Return the settings in `config.toml`, which may be of version 1.

        Raises:
            UserError: It cannot be read, or a field is not accepted.
        """
        try:
            return read_settings(self.config_file)
        except UserError as error:
            raise UserError(
                f"{str(error).rstrip('.')}; restore the file, or start the run again."
            ) from error

    def result(self) -> Result:
        """Read the metrics measured so far; they are empty before the first stage.

        Raises:
            UserError: `result.json` cannot be read, or a field is not accepted.
        """
        return read_result(self.result_file)

    def update_result(self, **sections: Any) -> Result:
        """Write new sections into `result.json` and return the whole result.

        The keys of a dict are merged into the existing section; see `runs.result.merge`.
        """
        result = merge(self.result(), **sections)
        write_result(self.result_file, result)
        return result


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        pass
    return True
