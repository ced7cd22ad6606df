"""`runs/NAME/`: the only place of a run's settings, checkpoints, models and metrics."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import PARTIAL_PREFIX, read_toml, write_text
from mobilenet_tf.core.settings import flatten
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
        for name in ("config.toml", *needed):
            if not (folder.path / name).is_file():
                raise UserError(
                    f"{folder.path} has no {name}; a folder written by `train` or `run` is needed."
                )
        return folder

    def require_free(self, overwrite: bool) -> None:
        """Check that a new run may use the folder.

        Raises:
            UserError: It is in use and `overwrite` is off, or this project did not write it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file; --out must be a folder.")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not overwrite:
            raise UserError(
                f"{self.path} holds an earlier run; use --resume to continue it, --overwrite to "
                "replace it, or --out for another folder."
            )
        self.require_ours(self.config_file)

    def require_ours(self, mark: Path) -> None:
        """Check that the folder holds `mark`, a file that only this project writes.

        Raises:
            UserError: It does not.
        """
        if not mark.is_file():
            raise UserError(f"{self.path} is not a run folder, so it is not overwritten.")

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

    def clear(self) -> None:
        """Delete the folder if it exists.

        Raises:
            UserError: It cannot be deleted.
        """
        try:
            if self.path.is_dir():
                shutil.rmtree(self.path)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from error

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
        return read_settings(self.config_file)

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
