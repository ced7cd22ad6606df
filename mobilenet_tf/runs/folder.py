"""`runs/NAME/`: the one place of a run's configuration, checkpoints, models and figures.

Every file is written beside its final name, brought to the disk and moved into place, so a reader,
or a run that is resumed after a kill or a power failure, sees the old file or the new one, never
half of one.
"""

import json
import os
import shutil
from pathlib import Path

import tomli_w

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import PARTIAL_PREFIX, read_toml, write_text
from mobilenet_tf.core.settings import flatten


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


class RunFolder:
    """Paths and figures of one run.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    @property
    def config_file(self) -> Path:
        return self.path / "config.toml"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def logs(self) -> Path:
        """The curves, as CSV and for TensorBoard."""
        return self.path / "logs"

    @property
    def float_model(self) -> Path:
        return self.path / "float.keras"

    @property
    def qat_model(self) -> Path:
        return self.path / "qat.keras"

    @property
    def tflite(self) -> Path:
        return self.path / "model_int8.tflite"

    @property
    def ptq_tflite(self) -> Path:
        """The yardstick: the float model after plain post-training quantization."""
        return self.path / "model_ptq_int8.tflite"

    @property
    def labels_file(self) -> Path:
        return self.path / "labels.txt"

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def card(self) -> Path:
        return self.path / "MODEL_CARD.md"

    @classmethod
    def open(cls, path: str | Path, *needed: str) -> "RunFolder":
        """An existing run.

        Raises:
            UserError: it is no run folder, or a file named in `needed` is not there yet.
        """
        run = cls(path)
        for name in ("config.toml", *needed):
            if not (run.path / name).is_file():
                raise UserError(
                    f"{run.path} has no {name}; a folder written by `train` or `run` is needed."
                )
        return run

    def require_free(self, overwrite: bool) -> None:
        """Check that a new run may take the folder.

        Raises:
            UserError: it is in use and `overwrite` is off, or it is not one of ours.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file; --out takes a folder.")
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not overwrite:
            raise UserError(
                f"{self.path} holds an earlier run; use --resume to go on, --overwrite to replace "
                "it, or --out for another folder."
            )
        self.require_ours(self.config_file)

    def require_ours(self, mark: Path) -> None:
        """Check that what is to be overwritten has a file that only this project writes.

        Raises:
            UserError: it has not.
        """
        if not mark.is_file():
            raise UserError(f"{self.path} is no run folder, so it is not overwritten.")

    def require_same(self, config: dict) -> None:
        """Check that a run may go on with the settings of now.

        Raises:
            UserError: it was begun with others.
        """
        now, then = flatten(config), flatten(self.config())
        for name in now | then:
            if now.get(name) != then.get(name):
                raise UserError(
                    f"{self.path} was begun with {name} = {then.get(name)!r}, not "
                    f"{now.get(name)!r}; --resume needs the same settings."
                )

    def sweep(self) -> None:
        """Remove what killed processes were writing."""
        for partial in self.path.rglob(f"{PARTIAL_PREFIX}*"):
            process = int(partial.name.removeprefix(PARTIAL_PREFIX).split("-")[0])
            if process == os.getpid() or not _is_running(process):
                partial.unlink(missing_ok=True)

    def clear(self) -> None:
        """Throw away what the folder holds, if it is there.

        Raises:
            UserError: it cannot be written.
        """
        try:
            if self.path.is_dir():
                shutil.rmtree(self.path)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from error

    def config(self) -> dict:
        """Every value the run was started with, resolved."""
        return read_toml(self.config_file)

    def write_config(self, values: dict) -> None:
        write_text(self.config_file, tomli_w.dumps(values))

    def result(self) -> dict:
        """The figures so far; empty before the first stage."""
        if not self.result_file.exists():
            return {}
        return json.loads(self.result_file.read_text(encoding="utf-8"))

    def update_result(self, **sections: dict) -> dict:
        """Merge sections into `result.json`, a section's keys into those it has."""
        result = self.result()
        for name, value in sections.items():
            merge = isinstance(value, dict) and isinstance(result.get(name), dict)
            result[name] = result[name] | value if merge else value
        write_text(self.result_file, json.dumps(result, indent=2) + "\n")
        return result
