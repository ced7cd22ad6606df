"""The protocol of a task: everything that depends on what a network is for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mobilenet_tf.core.inputs import FITS, Framing, InputSpec
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.records import to_plain
from mobilenet_tf.core.settings import Checked
from mobilenet_tf.core.terminal import announce
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.contents import describe
from mobilenet_tf.datasets.dataset import Dataset, Progress, Split, TestImages
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.agreement import Decisions, agreement
from mobilenet_tf.tasks.rejection import Rejection
from mobilenet_tf.tasks.sources import Sources
from mobilenet_tf.tasks.words import Words
from mobilenet_tf.tasks.worst import Mistakes

if TYPE_CHECKING:
    from mobilenet_tf.tasks.objective import Objective


@dataclass(frozen=True)
class Task(Words, Rejection, Sources, Checked, ABC):
    """What a network is for. Subclasses are frozen dataclasses whose fields are its settings.

    `outputs` are the real outputs of a network for N pictures: float32 (N, ...), or a tuple of such
    arrays in the order of `Graph.outputs` where there are several. Each task states which.

    Attributes:
        name: Name in `[task]`, `result.json` and the metadata of files.
        recipe: Name of the recipe of its runs, where none is given.
        fits: How pictures can be brought into the shape of the input, see `InputSpec`; the first
            is the default.
        curve: Metric of `Objective.metrics`, from 0 to 1 and the higher the better, that epochs
            print and that scores a trial.
        settles: Whether `settled` chooses anything.
        narrowed: Whether `adapt` can narrow its networks, which it compares by `curve`.
        compares: Whether `answers` compares pictures with each other, so that it needs all of them.
        explains: Whether the only output scores classes, so that heat maps can show where.
        one_class: Whether the label of a picture is its class, and the output its probabilities.
        same_classes: Whether a teacher must have the classes of its student.
        details: Further entries of `metrics`, which `result.json` has for the int8 file only.
        decoding: How programs in C decode outputs, see `deployment/devices/firmware/decodings`.
    """

    name: ClassVar[str]
    recipe: ClassVar[str] = "small_data"
    fits: ClassVar[tuple[str, ...]] = FITS
    curve: ClassVar[str]
    settles: ClassVar[bool] = False
    narrowed: ClassVar[bool] = False
    compares: ClassVar[bool] = False
    explains: ClassVar[bool] = False
    one_class: ClassVar[bool] = False
    same_classes: ClassVar[bool] = True
    details: ClassVar[tuple[str, ...]] = ("tables", "charts")
    decoding: ClassVar[str] = "real_values"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML and JSON: the name and the settings."""
        settings = {item.name: to_plain(getattr(self, item.name)) for item in fields(self)}
        # TOML has no None.
        given = {name: value for name, value in settings.items() if value is not None}
        return {"name": self.name, **given}

    def read(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        say: bool = True,
        judge_depth: bool = True,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load the images of a source with a progress bar, and say in one line what was found.

        Args:
            source: Source of the images, as for `load`.
            input_spec: Input that the images are prepared for.
            seed: Seed of the splits.
            say: Whether to print the line.
            judge_depth: As for `load`.
            arrangement: As for `load`.

        Raises:
            UserError: See `load`.
        """
        with picture_progress(f"Reading {source}") as progress:
            data = self.load(source, input_spec, seed, progress, judge_depth, arrangement)
        if say:
            announce(describe(data))
        return data

    @abstractmethod
    def load(
        self,
        source: str,
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
        judge_depth: bool,
        arrangement: Arrangement = Arrangement(),  # noqa: B008  frozen
    ) -> Dataset:
        """Load the images of a source with their labels, and assign them to splits.

        The arguments and errors are those of `datasets.load.load_data`.
        """

    @abstractmethod
    def load_test(
        self,
        source: str,
        labels: Sequence[str],
        input_spec: InputSpec,
        seed: int,
        progress: Progress | None,
    ) -> TestImages:
        """Load the images on which a finished model is evaluated.

        The arguments and errors are those of `datasets.load.load_test`.
        """

    @abstractmethod
    def class_names(self, source: str) -> tuple[str, ...]:
        """Return the names of a source's classes without reading its images.

        Raises:
            UserError: There is no such source, or it has no classes.
        """

    def usual_input(self, source: str) -> tuple[int, int]:
        """Return side and channels of the input that a network has for a source by default."""
        return (32, 1) if source == "digits" else (96, 3)

    def framed(self, network: Network) -> Network:
        """Return a network whose input shows as much of a picture as this task needs."""
        return replace(network, input=replace(network.input, fit=self.fits[0]))

    def check_recipe(self, fields: Mapping[str, Any]) -> None:
        """Reject a recipe that does not suit this task.

        Args:
            fields: Path -> value, such as `train.augmentation.mixup`.

        Raises:
            UserError: A field has a value that this task cannot be trained with.
        """

    def fitted(self, data: Dataset) -> "Task":
        """Return this task with what training images and classes alone decide, such as anchors."""
        return self

    @abstractmethod
    def with_head(self, network: Network, classes: int) -> Network:
        """Return the network with the head of this task for a number of classes."""

    def accepts(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Return whether the outputs of a file can be those of this task.

        Args:
            shapes: Shape of each output for one picture. By default, there is one vector.
        """
        return [len(shape) for shape in shapes] == [1]

    @abstractmethod
    def objective(self, network: Network) -> "Objective":
        """Return how a network is trained. Imports TensorFlow."""

    @abstractmethod
    def metrics(
        self,
        outputs: Any,
        labels: np.ndarray,
        classes: Sequence[str],
        name: str = "The model",
    ) -> dict[str, Any]:
        """Return the metrics of outputs.

        Args:
            outputs: Any for the N pictures.
            labels: Their labels, as in `Split.labels`.
            classes: Class names.
            name: What errors call the model.

        Returns:
            images, their number; all of `shares` and `details`: by default tables and charts, as
            the sections of `result.json` with these names.

        Raises:
            UserError: The outputs are no numbers, or not those of this task.
        """

    @abstractmethod
    def worst(self, test: Split, classes: Sequence[str], outputs: Any) -> Mistakes:
        """Return the worst results for the test pictures, see `worst_first`.

        The paths of the pictures begin with `worst/` and end in .png.
        """

    @abstractmethod
    def decisions(self, outputs: Any, steps: Sequence[float]) -> Decisions:
        """Return what outputs decide.

        Args:
            outputs: Any for the N pictures.
            steps: One LSB of each output, in its unit.
        """

    def agreement(self, expected: Any, found: Any, steps: Sequence[float]) -> dict[str, Any]:
        """Return how far outputs of a network and of its file decide the same."""
        return agreement(self.decisions(expected, steps), self.decisions(found, steps))

    def settled(self, outputs: Any, labels: np.ndarray, other: Any = None) -> "Task":
        """Return this task with what is chosen on validation images, such as thresholds.

        It is called where `settles` is true, and the files have the result in their metadata.

        Args:
            outputs: Outputs of the int8 file.
            labels: Labels of the images.
            other: Outputs for the images of `other_images`, or None if there are none.
        """
        return self

    def for_files(self) -> "Task":
        """Return this task without settings that only training needs, as files name it."""
        return self

    def labels(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that files have: the names of what their outputs stand for."""
        return tuple(classes)

    def output_texts(self, network: Network) -> tuple[tuple[str, str], ...]:
        """Return name and description of each output, for the metadata of files.

        By default, files say that their output is a score for each class.
        """
        return ()

    def constants(self, network: Network, classes: Sequence[str]) -> dict[str, Any]:
        """Return the numbers that decoding needs outside Python, as JSON, for files' metadata."""
        return {}

    @abstractmethod
    def answers(
        self,
        outputs: Any,
        labels: Sequence[str],
        top: int,
        name: str,
        framings: Sequence[Framing],
    ) -> dict[str, Any]:
        """Return what `predict` says about pictures, ready for JSON.

        Args:
            outputs: Any for the N pictures.
            labels: Class names.
            top: Number of results per picture at most.
            name: What errors call the model.
            framings: How each picture lies in the input.

        Returns:
            predictions, a dictionary per picture; and what holds for all of them.

        Raises:
            UserError: See `metrics`.
        """

    @abstractmethod
    def answer_rows(self, found: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, ...]]]:
        """Return `answers`, in which each prediction has its image, as a table for the terminal.

        Returns:
            The columns, and the rows.
        """

    def sections(self, by_form: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return the sections of `result.json` from the `metrics` of each form of a network.

        Args:
            by_form: Form, such as float or int8 -> `metrics`; int8 is needed.
        """
        shares = {key: {form: value[key] for form, value in by_form.items()} for key in self.shares}
        return {"metrics": shares} | {key: by_form["int8"][key] for key in self.details}

    def shares_of(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `result.json` has of the `metrics` of damaged pictures."""
        return {"metrics": {key: metrics[key] for key in self.shares}}
