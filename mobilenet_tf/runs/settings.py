"""The settings of a run, as `config.toml` holds them."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mobilenet_tf.compression.settings import DEFAULT, Int8Settings
from mobilenet_tf.core.bounds import check_seed
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_toml
from mobilenet_tf.core.settings import flatten, from_flat
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.load import is_bundled
from mobilenet_tf.datasets.sources.table import is_table
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.version_1 import from_version_1
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK
from mobilenet_tf.tasks.registry import task_from_dict
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.training.recipe import Recipe, load_recipe

VERSION = 2


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The settings that determine the result of a run.

    Attributes:
        data: Source of the images, as for `load_data`.
        network: The network. Its number of classes is replaced by that of the dataset.
        task: What the network is for.
        recipe: Training from the first step to the last; by default the recipe of the task.
        weights: Initial weights: `none`, `imagenet` or a weights file.
        teacher: Trained network for distillation: `none`, a run folder, or a .keras or .h5 file.
        teacher_labels: Names of the outputs of a teacher that is a file; empty for its own, or for
            the order of the data.
        trust_code: Whether functions of a teacher's file may run. It is not in `config.toml`, which
            may come from somebody else.
        group_by, find_duplicates, class_order, corrections: See `Arrangement`.
        seed: Seed of split, initial weights, order and augmentation.
        int8: How the network is converted to integers.
        classes: Class names in the order of the labels; empty until the dataset has been read.
    """

    data: str
    network: Network
    task: Task = DEFAULT_TASK
    recipe: Recipe = field(default=None)  # type: ignore[assignment]  # the task's
    weights: str = "none"
    teacher: str = "none"
    teacher_labels: tuple[str, ...] = ()
    trust_code: bool = False
    group_by: str = ""
    find_duplicates: bool = True
    class_order: tuple[str, ...] = ()
    corrections: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    int8: Int8Settings = DEFAULT
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("data", "weights", "teacher"):  # a Path is accepted as well
            object.__setattr__(self, name, str(getattr(self, name)))
        if self.recipe is None:
            object.__setattr__(self, "recipe", load_recipe(self.task.recipe))
        self.task.check_recipe(flatten(self.recipe.to_dict()))
        for file, label in self.corrections.items():
            if not isinstance(label, str):
                raise UserError(f"corrections: the class of {file} is {label!r}; it must be text.")
        for name in ("group_by", "class_order", "corrections"):
            if getattr(self, name) and is_bundled(self.data):
                option = name.replace("_", "-")
                raise UserError(f"--{option} applies only to files; the data is {self.data!r}.")
        check_seed(self.seed)
        if self.int8.per_tensor and self.recipe.cluster.per_channel:
            raise UserError(
                "cluster.per_channel is true; it must be false with --per-tensor, where a "
                "kernel has one scale and one table."
            )

    @property
    def arrangement(self) -> Arrangement:
        """How the images are arranged."""
        return Arrangement(self.group_by, self.find_duplicates, self.class_order, self.corrections)

    def with_data(self, data: Dataset) -> "RunSettings":
        """Return the settings for a dataset: what depends on its classes and training images."""
        fitted = replace(self, task=self.task.fitted(data))
        return fitted.with_classes(data.classes, data.white_level)

    def with_classes(
        self, classes: tuple[str, ...], white_level: float | None = None
    ) -> "RunSettings":
        """Return the settings for a dataset with these classes; None keeps the white level."""
        network = self.task.with_head(self.network, len(classes))
        if white_level is not None:
            network = replace(network, input=replace(network.input, white_level=white_level))
        return replace(self, classes=tuple(classes), network=network)

    def with_absolute_paths(self) -> "RunSettings":
        """Return the settings with absolute paths, which every later stage finds."""

        def absolute(value: str, *words: str) -> str:
            return value if value in words or value.startswith("tfds:") else os.path.abspath(value)

        return replace(
            self,
            data=absolute(self.data, "", "digits"),
            weights=absolute(self.weights, "none", "imagenet"),
            teacher=absolute(self.teacher, "none"),
            group_by=absolute(self.group_by) if is_table(Path(self.group_by)) else self.group_by,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `config.toml`."""
        return {
            "version": VERSION,
            "data": self.data,
            "weights": self.weights,
            "teacher": self.teacher,
            **({"teacher_labels": list(self.teacher_labels)} if self.teacher_labels else {}),
            "group_by": self.group_by,
            "find_duplicates": self.find_duplicates,
            **({"class_order": list(self.class_order)} if self.class_order else {}),
            **({"corrections": dict(self.corrections)} if self.corrections else {}),
            "seed": self.seed,
            "classes": list(self.classes),
            "task": self.task.to_dict(),
            "int8": asdict(self.int8),
            "network": self.network.to_dict(),
            "recipe": self.recipe.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "config.toml") -> "RunSettings":
        """Return the settings that `to_dict` described, or those of a file of version 1.

        Args:
            values: The parsed TOML.
            source: What errors call the file.

        Raises:
            UserError: A field is unknown, missing or not accepted, or so is the version.
        """
        try:
            return _parse(values, source)
        except UserError as error:
            if str(error).startswith(source):
                raise
            raise UserError(f"{source}: {error}") from error


def _parse(values: Mapping[str, Any], source: str) -> RunSettings:
    version = values.get("version", 1)
    if version == 1 and not isinstance(version, bool):
        values = from_version_1(values, source)
    elif version != VERSION:
        raise UserError(
            f"{source}: version is {version!r}; this program reads versions 1 and {VERSION}."
        )
    _check_fields({name: held for name, held in values.items() if name != "version"}, source)
    network = values["network"]
    return RunSettings(
        network=network if isinstance(network, Network) else Network.from_dict(network),
        task=task_from_dict(values.get("task"), source),
        recipe=Recipe.from_dict(values["recipe"], source),
        int8=from_flat(Int8Settings, flatten(values["int8"]), f"{source}: int8"),
        classes=tuple(values["classes"]),
        teacher_labels=tuple(values.get("teacher_labels", ())),
        group_by=values.get("group_by", ""),
        # Earlier versions did not look for duplicates; their runs keep their splits.
        find_duplicates=values.get("find_duplicates", False),
        class_order=tuple(values.get("class_order", ())),
        corrections=values.get("corrections", {}),
        **{name: values[name] for name in ("data", "weights", "teacher", "seed")},
    )


def read_settings(path: str | Path) -> RunSettings:
    """Read the settings of a run, of this version or of version 1.

    Args:
        path: A `config.toml`, or the run folder that it is in.

    Raises:
        UserError: The file cannot be read, or a field is not accepted.
    """
    path = Path(path)
    path = path / "config.toml" if path.is_dir() else path
    values = read_toml(path)
    if not values:
        raise UserError(f"{path} is empty; it must have the settings of a run.")
    return RunSettings.from_dict(values, str(path))


def require_found(data: str, config: Path) -> None:
    """Explain a relative source of images, as runs of version 0.1.0 have it, that is not found.

    Raises:
        UserError: There is no such file or folder in the working directory.
    """
    named = data in ("", "digits") or data.startswith("tfds:")
    if not (named or os.path.isabs(data) or os.path.exists(data)):
        raise UserError(
            f"{config} has data = {data!r}, a path from the folder in which the run was started, "
            f"and {os.getcwd()} has no {data}; start the command there, or write the whole path "
            "into the file."
        )


_KINDS = {
    **dict.fromkeys(("data", "weights", "teacher"), (str, "text")),
    "group_by": (str, "text"),
    "find_duplicates": (bool, "true or false"),
    "seed": (int, "a whole number"),
    **dict.fromkeys(("classes", "teacher_labels", "class_order"), (list, "a list of names")),
    "corrections": (Mapping, "a table of files and classes"),
    **dict.fromkeys(("task", "network", "recipe", "int8"), (Mapping | Network, "a table")),
}
_OPTIONAL = (
    "teacher_labels", "task", "group_by", "find_duplicates", "class_order", "corrections",
)  # fmt: skip


def _check_fields(values: Mapping[str, Any], source: str) -> None:
    for name in values:
        if name not in _KINDS:
            raise UserError(
                f"{source} has an unknown field {name!r}; the fields are {', '.join(_KINDS)}."
            )
    for name, (kind, accepted) in _KINDS.items():
        if name not in values:
            if name in _OPTIONAL:
                continue
            raise UserError(f"{source} is incomplete: it has no {name}.")
        if not isinstance(values[name], kind) or isinstance(values[name], bool) != (kind is bool):
            raise UserError(f"{source}: {name} is {values[name]!r}; it must be {accepted}.")
