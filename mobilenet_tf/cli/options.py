"""Options that several commands share; each help text is written once.

Commands for devices and searches take them from here too.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mobilenet_tf.cli import names
from mobilenet_tf.core.errors import UserError

if TYPE_CHECKING:  # no command's --help needs it
    from mobilenet_tf.tasks.task import Task as TaskOfRun
    from mobilenet_tf.training.recipe import Recipe as TrainingRecipe

_Value = TypeVar("_Value")

CHANNELS_HELP = "3 (RGB) or 1 (grey)."
DATA_HELP = (
    "Folder with one subfolder per class, table of files, .zip, `digits`, or `tfds:NAME`; for "
    "another task, what its page says."
)
FILES_HELP = (
    "Folder with one subfolder per class, table of files and labels, or .zip of them; for another "
    "task, what its page says."
)
RECIPE_HELP = "Training settings: a name in training/recipes/, or a .toml file."
DEVICE_HELP = (
    "What to measure costs on: cpu (this machine), phone, cortex-a76, mcu, c, "
    "cortex-m4, ethos-u55-128, ..."
)

Device = Annotated[str, typer.Option(help=DEVICE_HELP)]

# A new run.
Config = Annotated[
    Path | None,
    typer.Option(help="Start exactly the run of this config.toml, or of this run folder."),
]
Data = Annotated[str, typer.Option(help=DATA_HELP)]
Model = Annotated[
    str, typer.Option(help="Network; `summary` lists them.", autocompletion=names.models)
]
Alpha = Annotated[float, typer.Option(help="Width multiplier.")]
SIZE_HELP = "Input in pixels: its side, or HEIGHTxWIDTH."
Size = Annotated[str | None, typer.Option(help=SIZE_HELP, show_default="the task's")]
Channels = Annotated[int | None, typer.Option(help=CHANNELS_HELP, show_default="3; 1 for digits")]
Fit = Annotated[
    str | None,
    typer.Option(
        help="How pictures of another shape become the input: crop, stretch or pad.",
        show_default="the task's",
    ),
]
For = Annotated[
    str | None,
    typer.Option(
        "--for",
        help="Program that will prepare the pictures, which decides how: mediapipe.",
        show_default="this project's own",
    ),
]
As = Annotated[
    str | None,
    typer.Option("--as", help="Also with pictures as another program prepares them: mediapipe."),
]
Factorize = Annotated[
    str,
    typer.Option(
        help="Form of full convolutions: flattened, factorized, separable=RANK, spatial=RANK, "
        "tucker=RANK; of 1x1 convolutions: lowrank=RANK.",
        show_default="as they are",
    ),
]
Recipe = Annotated[str, typer.Option(help=RECIPE_HELP)]
TaskRecipe = Annotated[str | None, typer.Option(help=RECIPE_HELP, show_default="the task's")]
Task = Annotated[
    str | None,
    typer.Option(
        help="What the network is for, such as detection.",
        show_default="image classification",
        autocompletion=names.tasks,
    ),
]
TaskOptions = Annotated[
    list[str] | None,
    typer.Option("--task-option", help="A setting of the task, as FIELD=VALUE."),
]
Pairs = Annotated[
    bool,
    typer.Option("--pairs", help="Train a classifier by pairs of similar images (API-Net)."),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        help="What stays in one split: a table of files and groups (.csv), or a regular expression "
        "for a part of their paths.",
        show_default="the data's groups",
    ),
]
FindDuplicates = Annotated[
    bool,
    typer.Option(help="Look for near duplicates, and keep them in one split."),
]
ClassOrder = Annotated[
    str | None,
    typer.Option(
        help="Order of the classes: `number`, or a file with a name per line.",
        show_default="by name",
    ),
]
Corrections = Annotated[
    Path | None,
    typer.Option(
        help="Table of files and their right labels, such as the suspects.csv of a run; - leaves "
        "a file out."
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A field of the recipe, such as train.learning_rate=1e-3."),
]
Epochs = Annotated[
    int | None,
    typer.Option(help="Number of float training epochs.", show_default="the recipe's"),
]
QatEpochs = Annotated[
    int | None,
    typer.Option(help="Number of quantization-aware training epochs.", show_default="the recipe's"),
]
Compress = Annotated[
    str | None,
    typer.Option(
        help="Stages to int8 in their order, such as prune,cluster,qat.", show_default="qat"
    ),
]
Batch = Annotated[int | None, typer.Option(help="Images per step.", show_default="the recipe's")]
Seed = Annotated[int, typer.Option(help="Seed of split, weights, order and augmentation.")]
Weights = Annotated[
    str, typer.Option(help="Initial weights: `none`, `imagenet` or a weights file.")
]
Teacher = Annotated[
    str | None,
    typer.Option(help="Trained network to learn from as well: a run, or a .keras or .h5 file."),
]
TeacherLabels = Annotated[
    Path | None,
    typer.Option(
        help="Class names in the order of the outputs of a teacher's file, one per line.",
        show_default="the file's",
    ),
]
TrustCode = Annotated[
    bool, typer.Option("--trust-code", help="Read a model file that runs functions of its own.")
]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic", help="Same seed on the same machine: identical weights. Slower."
    ),
]
Strategy = Annotated[
    str, typer.Option(help="Where to train: none (one device), mirrored, multiworker, tpu.")
]
Out = Annotated[
    Path | None, typer.Option(help="Run folder.", show_default="runs/DATA_MODEL_ALPHA_SIZE")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only estimate time, memory and disk, from a few steps."),
]

# The int8 file.
Io = Annotated[
    str | None,
    typer.Option(
        help="Input and output of the file: uint8, int8 or float32.", show_default="uint8"
    ),
]
PerTensor = Annotated[
    bool | None,
    typer.Option(
        "--per-tensor/--per-channel",
        help="One weight scale per tensor, for some NPUs, or per channel.",
        show_default="per channel",
    ),
]

# Arguments and output.
Run = Annotated[Path, typer.Argument(help="A folder written by `train` or `run`.")]
RunOrFile = Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")]
File = Annotated[Path, typer.Argument(help="A .tflite file.", metavar="FILE.tflite")]
Images = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, patterns such as 'new/*.jpg', or - for a list on standard input.",
        metavar="IMAGE...",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

# What the metadata of a .tflite do not say.
Mean = Annotated[
    str | None,
    typer.Option(
        help="The input is (pixel - mean) / std: one value, or three, such as 124,116,104.",
        show_default="the file's",
    ),
]
Std = Annotated[str | None, typer.Option(help="See --mean.", show_default="the file's")]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="Class names in the order of the outputs, one per line.", show_default="the file's"
    ),
]


def stated(mean: str | None, std: str | None, labels: Path | None) -> dict[str, Any]:
    """Return these options as arguments of `predict` and `evaluate`.

    Raises:
        UserError: A mean or a std is not a list of numbers.
    """
    named = {"mean": mean, "std": std}
    values = {name: listed(name, text, float, "124,116,104") for name, text in named.items()}
    return {**values, "labels": labels}


def changed_recipe(
    name: str, fields: list[str] | None, changes: Mapping[str, Any] | None = None
) -> "TrainingRecipe":
    """Return a recipe with the fields of --set and those of other options.

    Args:
        name: A name in training/recipes/, or a .toml file.
        fields: Values of --set.
        changes: Field -> value of an option; None leaves the recipe's.

    Raises:
        UserError: There is no such recipe or field, or a value is not accepted.
    """
    from mobilenet_tf.training.recipe import load_recipe, parse_settings

    return load_recipe(name).with_fields({**(changes or {}), **parse_settings(fields or [])})


def ordered_classes(order: str | None, task: "TaskOfRun", data: str) -> tuple[str, ...]:
    """Return the classes in the order of --class-order; none where it is not given.

    Raises:
        UserError: The file cannot be read, or classes that are no numbers are to be sorted by them.
    """
    from mobilenet_tf.core.labels import by_number, read_labels

    if order is None:
        return ()
    return by_number(task.class_names(data)) if order == "number" else read_labels(order)


def listed(
    name: str, text: str | None, kind: Callable[[str], _Value], example: str
) -> tuple[_Value, ...] | None:
    """Return values that are separated by commas; None stays None.

    Args:
        name: Name of the option, for errors.
        text: Such as `64,96`.
        kind: What makes a value of its text.
        example: What is accepted, for errors.

    Raises:
        UserError: `kind` does not accept a value.
    """
    try:
        return None if text is None else tuple(kind(word.strip()) for word in text.split(","))
    except ValueError:
        raise UserError(f"{name} is {text!r}; it must be values such as {example}.") from None
