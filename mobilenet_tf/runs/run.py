"""One run: its folder, its settings and its pictures. Every stage takes a `Job`."""

import atexit
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf.compression.settings import DEFAULT, Int8Settings
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.training.cluster import check_strategy, is_chief
from mobilenet_tf.training.recipe import Recipe

if TYPE_CHECKING:
    from mobilenet_tf.training.fit import Session


@dataclass(frozen=True)
class Job:
    """The settings of a run, as `config.toml` keeps them.

    Attributes:
        run: its folder.
        source: of the pictures, as for `load_data`.
        spec: of the network.
        classes: names, in the order of the labels.
        recipe: of training.
        weights: `none`, `imagenet` or a file, where training starts.
        seed: of split, initial weights, order and augmentation.
        int8: how the network becomes integer.
        strategy: where training runs, see `STRATEGIES`. Not in `config.toml`: a run may go on
            elsewhere.
        teacher: `none`, a run folder, or a .keras or .h5 file, from which the network learns.
    """

    run: RunFolder
    source: str
    spec: Network
    classes: tuple[str, ...]
    recipe: Recipe
    weights: str
    seed: int
    int8: Int8Settings
    strategy: str = "none"
    teacher: str = "none"

    @cached_property
    def data(self) -> Dataset:
        """The pictures, read at first use.

        Raises:
            UserError: they are not those that the run began with.
        """
        with picture_progress(f"Reading {self.source}") as progress:
            return self.checked(load_data(self.source, self.spec.input, self.seed, progress))

    def session(self) -> "Session":
        """Return what training needs of the run."""
        from mobilenet_tf.training.fit import Session  # imports TensorFlow

        return Session(
            dataset=self.data,
            network=self.spec,
            batch=self.recipe.batch,
            seed=self.seed,
            checkpoints=self.run.checkpoints,
            logs=self.run.logs,
        )

    def checked(self, data: Dataset) -> Dataset:
        """The same pictures.

        Raises:
            UserError: they are not those that the run began with.
        """
        known = self.run.result().get("data", {}).get("fingerprint")
        if known not in (None, data.fingerprint):
            raise UserError(
                f"The pictures of {self.source} have changed since {self.run.path} was begun; "
                "start a new run for them."
            )
        return data

    def config(self) -> dict:
        """What `config.toml` holds."""
        return {
            "source": self.source,
            "seed": self.seed,
            "weights": self.weights,
            "teacher": self.teacher,
            "classes": list(self.classes),
            "model": self.spec.to_dict(),
            "recipe": self.recipe.to_dict(),
            "int8": asdict(self.int8),
        }

    def requantized(
        self,
        io: str | None,
        per_tensor: bool | None,
        qat_epochs: int | None,
        overwrite: bool,
        teacher: str | None = None,
    ) -> "Job":
        """The job with other int8 settings, which `config.toml` then has; None keeps the run's.

        Raises:
            UserError: quantization-aware training was begun with others, and `overwrite` is off;
                or there is no such teacher.
        """
        teacher = teacher or self.teacher
        check_teacher(teacher, self.classes)
        self.run.sweep()
        recipe = self.recipe.with_fields({"qat.epochs": qat_epochs})
        int8 = self.int8.changed(per_tensor=per_tensor)
        job = replace(self, int8=int8, recipe=recipe, teacher=teacher)
        state, changed = self.run.checkpoints / "qat.npz", job != self
        # Training has no part in the type of the file's ends: that may change at any time.
        job = job.with_io(io)
        if overwrite:
            state.unlink(missing_ok=True)
        elif state.exists() and changed:
            raise UserError(
                f"{self.run.path} was quantized with other settings; --overwrite replaces that."
            )
        self.run.write_config(job.config())
        return job

    def with_io(self, io: str | None) -> "Job":
        """The job with another type of the file's input and output; None keeps it.

        Raises:
            UserError: another `io` than there are.
        """
        return replace(self, int8=self.int8.changed(io=io))

    @classmethod
    def open(cls, path: str | Path, *needed: str) -> "Job":
        """The job of an existing run folder.

        Raises:
            UserError: it is no run folder, or lacks a file named in `needed`.
        """
        run = RunFolder.open(path, *needed)
        config = run.config()
        return cls(
            run,
            config["source"],
            Network.from_dict(config["model"]),
            tuple(config["classes"]),
            Recipe.from_dict(config["recipe"], str(run.config_file)),
            config["weights"],
            config["seed"],
            Int8Settings(**config["int8"]),
            teacher=config.get("teacher", "none"),
        )


def begin(
    out: str | Path,
    source: str,
    spec: Network,
    recipe: Recipe,
    weights: str = "none",
    seed: int = 0,
    int8: Int8Settings = DEFAULT,
    overwrite: bool = False,
    resume: bool = False,
    strategy: str = "none",
    teacher: str = "none",
    data: Dataset | None = None,
) -> Job:
    """Make a run folder and read the pictures, or go on with one that was interrupted.

    Args:
        out: the folder.
        spec: its number of classes is replaced by the data's.
        overwrite: throw away what the folder holds.
        resume: go on with what the folder holds, if it does.
        strategy: of several workers, all but the chief get a temporary folder instead of `out`.
        data: the pictures of the source, if they have been read already.

    The others are the attributes of `Job`.

    Raises:
        UserError: the folder is in use and neither is asked for, or it belongs to other settings;
            or a value is not one that is accepted.
    """
    if seed < 0:
        raise UserError(f"seed is {seed}; it must be at least 0.")
    check_weights(weights)
    if weights == "none" and recipe.transfer.frozen:
        raise UserError(
            f"The recipe {recipe.name!r} begins with frozen layers, but weights is none; it must "
            "be imagenet or an existing file."
        )
    check_teacher(teacher)
    check_strategy(strategy)
    if not is_chief(strategy):
        out = tempfile.mkdtemp(prefix="mobilenet_tf_worker_")
        atexit.register(shutil.rmtree, out, ignore_errors=True)
    run = RunFolder(out)
    if run.config_file.is_file() and resume:
        job = replace(Job.open(out), strategy=strategy)
        spec = spec.with_classes(job.spec.classes)
        asked = Job(run, source, spec, job.classes, recipe, weights, seed, int8, strategy, teacher)
        run.require_same(asked.config())
        run.sweep()
        # Other pictures are better refused now.
        job.__dict__["data"] = job.data if data is None else job.checked(data)
        return job
    run.require_free(overwrite)
    if data is None:
        with picture_progress(f"Reading {source}") as progress:
            data = load_data(source, spec.input, seed, progress)
    spec = spec.with_classes(len(data.classes))
    check_teacher(teacher, data.classes)
    # Only now: a source that cannot be read must not cost an earlier run.
    run.clear()
    job = Job(run, source, spec, data.classes, recipe, weights, seed, int8, strategy, teacher)
    job.__dict__["data"] = data
    run.write_config(job.config())
    run.update_result(model=_model_facts(spec), data=data_facts(data), seed=seed)
    return job


def check_weights(weights: str) -> None:
    """Refuse what cannot be a start.

    Raises:
        UserError: it is not `none`, `imagenet` or an existing file.
    """
    if weights not in ("none", "imagenet") and not Path(weights).is_file():
        raise UserError(f"weights is {weights!r}; it must be none, imagenet or an existing file.")


def check_teacher(teacher: str, classes: tuple[str, ...] | None = None) -> None:
    """Refuse what cannot be a teacher, as far as can be said without reading the network.

    Args:
        teacher: as in `Job`.
        classes: the student's, once they are known. A run's must be the same.

    Raises:
        UserError: there is no such run or file, or its classes are others.
    """
    path = Path(teacher)
    if teacher == "none" or (path.suffix in (".keras", ".h5") and path.is_file()):
        return
    if not path.is_dir():
        raise UserError(
            f"teacher is {teacher!r}; it must be none, a run folder, or an existing .keras or .h5 "
            "file."
        )
    theirs = tuple(RunFolder.open(path, "float.keras").config()["classes"])
    if classes and theirs != classes:
        raise UserError(f"The classes of {path} are {', '.join(theirs)}, not those of the data.")


def _model_facts(spec: Network) -> dict:
    figures = count(spec)
    facts = {name: getattr(spec, name) for name in ("name", "alpha", "classes")}
    sides = {"size": spec.input.side, "channels": spec.input.channels}
    preprocessing = {name: getattr(spec.input, name) for name in ("mean", "std", "crop")}
    return (
        facts
        | sides
        | {
            "preprocessing": preprocessing,
            "parameters": figures.parameters,
            "macs": figures.macs,
            "peak_activation_bytes": figures.peak_activation_bytes,
        }
    )


def data_facts(data: Dataset) -> dict:
    """What `result.json` keeps of the pictures."""
    return {
        "source": data.source,
        "classes": list(data.classes),
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "skipped": data.skipped,
        "fingerprint": data.fingerprint,
    }
