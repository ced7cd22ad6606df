"""`result.json` as a type: everything that the stages of a run have measured so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rich.console import Group

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_json
from mobilenet_tf.core.outcome import Shown
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.core.settings import number
from mobilenet_tf.runs.adaptation import Adaptation
from mobilenet_tf.runs.compression import Compression
from mobilenet_tf.runs.exports import Calibration, Device, File, ModelFile, PtqFile
from mobilenet_tf.runs.sections import (
    Block,
    ByForm,
    ClassMetrics,
    Data,
    History,
    Machine,
    Mistake,
    Model,
    Parity,
    Robustness,
    Source,
)
from mobilenet_tf.runs.suspects import Suspects
from mobilenet_tf.runs.tables import run_table
from mobilenet_tf.runs.task_sections import Chart, Picture, Table
from mobilenet_tf.tasks.registry import DEFAULT as DEFAULT_TASK
from mobilenet_tf.tasks.registry import task_class
from mobilenet_tf.tasks.task import Task

VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Result(Shown):
    """The metrics of a run; a section is empty until its stage has finished.

    Attributes:
        task: Name of what the network is for; None in files of earlier versions, which knew
            classification only.
        model: The network.
        data: The dataset.
        source: How a model of somebody else was quantized.
        adaptation: How the network was cut from another one.
        seed: Seed of split, initial weights, order and augmentation.
        history: Curves of training.
        compression: Pruning and weight sharing.
        accuracy, top5, calibration_error: Metrics of a classifier on the test images; top 5 is
            measured from six classes on, the calibration error where scores are probabilities.
        metrics: `Task.shares` of any other task on the test images.
        tables, charts: What else that task measures of the int8 file.
        pictures: Test images with what it found in them.
        per_class: Class -> metrics of the int8 file.
        confusion: Number of test images by true class (row) and class predicted by the int8 file.
        parity: Agreement of the int8 file with its network.
        blocks: Tensors inside the file, from input to output.
        worst: Most confident mistakes of the int8 file.
        suspects: Pictures whose labels are probably wrong.
        robustness: Metrics on damaged copies of the test images.
        files: Name of a model file -> what it is and what it was made from.
        tflite: The int8 file.
        ptq: The file of plain post-training quantization.
        calibration: Images that set the ranges of post-training quantization.
        devices: Target -> export for it.
        versions: Library -> version.
        machine: Computer on which the metrics were measured.
        seconds: Stage -> duration.
        conversion_seconds: Duration of the conversion alone.
    """

    task: str | None = None
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    source: Source = field(default_factory=Source)
    adaptation: Adaptation = field(default_factory=Adaptation)
    seed: int | None = None
    history: History = field(default_factory=History)
    compression: Compression = field(default_factory=Compression)
    accuracy: ByForm = field(default_factory=ByForm)
    top5: ByForm = field(default_factory=ByForm)
    calibration_error: ByForm = field(default_factory=ByForm)
    metrics: dict[str, ByForm] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    pictures: tuple[Picture, ...] = ()
    per_class: dict[str, ClassMetrics] = field(default_factory=dict)
    confusion: tuple[tuple[int, ...], ...] = ()
    parity: Parity = field(default_factory=Parity)
    blocks: tuple[Block, ...] = ()
    worst: tuple[Mistake, ...] = ()
    suspects: Suspects = field(default_factory=Suspects)
    robustness: tuple[Robustness, ...] = ()
    files: dict[str, ModelFile] = field(default_factory=dict)
    tflite: File = field(default_factory=File)
    ptq: PtqFile = field(default_factory=PtqFile)
    calibration: Calibration = field(default_factory=Calibration)
    devices: dict[str, Device] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    seconds: dict[str, float | None] = field(default_factory=dict)
    conversion_seconds: float | None = number(None, least=0)

    def __post_init__(self) -> None:
        """Reject a confusion matrix that is not square or has negative counts."""
        for index, row in enumerate(self.confusion):
            if len(row) != len(self.confusion):
                raise UserError(
                    f"confusion[{index}] has {len(row)} values; it must be a row of "
                    f"{len(self.confusion)} numbers of images, one per class."
                )
            if min(row) < 0:
                column = row.index(min(row))
                raise UserError(
                    f"confusion[{index}][{column}] is {row[column]}; it must be at least 0."
                )

    def __bool__(self) -> bool:
        return self != Result()

    def __rich__(self) -> Group:
        return run_table(self)

    @property
    def task_class(self) -> type[Task]:
        """What the network is for.

        Raises:
            UserError: This version does not know that task.
        """
        return task_class(self.task or DEFAULT_TASK.name, "result.json")

    @property
    def test_images(self) -> int:
        """Number of test images behind the metrics; 0 if unknown."""
        return self.parity.images or self.data.test or 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names, or numbers where there are none."""
        known = len(self.confusion) or self.model.classes or 0
        return self.data.classes or tuple(map(str, range(known)))

    @property
    def shares(self) -> dict[str, ByForm]:
        """`Task.shares` on the test images."""
        names = self.task_class.shares
        return {name: self.metrics.get(name, getattr(self, name, ByForm())) for name in names}

    @property
    def score(self) -> ByForm:
        """The first of `shares`."""
        return next(iter(self.shares.values()))

    @property
    def int8_difference(self) -> float | None:
        """Score of the int8 file minus that of the float network."""
        int8, base = self.score.int8, self.score.float
        return None if int8 is None or base is None else int8 - base

    @property
    def peak_activation_bytes(self) -> int | None:
        """Peak of the file's activations or, before there is a file, that of the network."""
        peak = self.tflite.peak_activation_bytes
        return self.model.peak_activation_bytes if peak is None else peak

    @property
    def worst_block(self) -> str | None:
        """Name of the block with the lowest signal-to-noise ratio."""
        known = [(block.sqnr_db, block.name) for block in self.blocks if block.sqnr_db is not None]
        return self.parity.worst_block or (min(known)[1] if known else None)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `result.json`; empty sections are left out."""
        empty = Result()
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        filled = {name: held for name, held in known.items() if held != getattr(empty, name)}
        return {"version": VERSION, **to_plain(filled)}

    @classmethod
    def from_dict(cls, values: Any, name: str = "result.json", *, strict: bool = False) -> "Result":
        """Return the result that `to_dict` described, or the one of a file of version 1.

        Args:
            values: The parsed JSON.
            name: What errors call the file.
            strict: Whether to reject unknown fields instead of ignoring them.

        Raises:
            UserError: A field has the wrong type, shape or range, or the version is unknown.
        """
        if not isinstance(values, Mapping):
            raise UserError(f"{name} holds no table of results; a file written by a run is needed.")
        version = values.get("version", 1)
        if version not in (1, VERSION) or isinstance(version, bool):
            raise UserError(f"{name}: version is {version!r}; it must be 1 or {VERSION}.")
        if version == 1:
            values = _from_version_1(values, name)
        values = {key: value for key, value in values.items() if key != "version"}
        result: Result = from_plain(cls, values, f"{name}:", strict=strict)
        return result


def _from_version_1(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Move size, channels and preprocessing of the model into its input."""
    model = values.get("model")
    if not isinstance(model, Mapping) or "size" not in model:
        return dict(values)
    preprocessing = model.get("preprocessing", {})
    if not isinstance(preprocessing, Mapping):
        raise UserError(f"{name}: model.preprocessing is {preprocessing!r}; it must be a table.")
    image = {key: model[key] for key in ("size", "channels") if key in model}
    others = {key: model[key] for key in model.keys() - {"size", "channels", "preprocessing"}}
    return {**values, "model": others | {"input": {**image, **preprocessing}}}


def merge(result: Result, **sections: Any) -> Result:
    """Return the result with new sections.

    The keys of a dict are merged into those that the section has. Any other value, such as a
    list or a `Section`, replaces the section.

    Raises:
        UserError: A section or one of its fields is unknown or has the wrong type.
    """
    values = result.to_dict()
    for name, value in sections.items():
        before, after = values.get(name), to_plain(value)
        merged = isinstance(before, dict) and isinstance(value, Mapping)
        values[name] = before | after if merged else after
    return Result.from_dict(values, "The result", strict=True)


def read_result(path: Path) -> Result:
    """Read `result.json`; an absent file is an empty result.

    Raises:
        UserError: The file cannot be read, is not JSON, or has a field that is not accepted.
    """
    if not path.exists():
        return Result()
    try:
        values = read_json(path)
    except UserError as error:
        raise UserError(
            f"{str(error).rstrip('.')}; restore it, or delete it and repeat the stages whose "
            "results are needed."
        ) from error
    return Result.from_dict(values, str(path))


def write_result(path: Path, result: Result) -> None:
    """Write `result.json` atomically.

    Raises:
        UserError: The file cannot be written.
    """
    write_json(path, result.to_dict())
