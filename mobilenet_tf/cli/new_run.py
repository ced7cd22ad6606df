"""`run` and `train`, which start a run with the settings on the command line."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.budget import MaxFlash
from mobilenet_tf.cli.network_input import input_of
from mobilenet_tf.cli.output import print_run, show
from mobilenet_tf.core.units import parse_bytes

if TYPE_CHECKING:
    from mobilenet_tf.runs.run import Run
    from mobilenet_tf.runs.settings import RunSettings


def _starts_a_run(body: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of a new run; its body receives the settings made of them."""

    def command(
        context: typer.Context,
        config: opt.Config = None,
        task: opt.Task = None,
        task_options: opt.TaskOptions = None,
        pairs: opt.Pairs = False,
        data: opt.Data = "digits",
        group_by: opt.GroupBy = None,
        find_duplicates: opt.FindDuplicates = True,
        class_order: opt.ClassOrder = None,
        corrections: opt.Corrections = None,
        model: opt.Model = "v1",
        alpha: opt.Alpha = 0.25,
        size: opt.Size = None,
        channels: opt.Channels = None,
        fit: opt.Fit = None,
        front_end: opt.For = None,
        factorize: opt.Factorize = "",
        recipe: opt.TaskRecipe = None,
        fields: opt.Set = None,
        epochs: opt.Epochs = None,
        qat_epochs: opt.QatEpochs = None,
        compress: opt.Compress = None,
        max_flash: MaxFlash = None,
        batch: opt.Batch = None,
        seed: opt.Seed = 0,
        weights: opt.Weights = "none",
        teacher: opt.Teacher = None,
        teacher_labels: opt.TeacherLabels = None,
        trust_code: opt.TrustCode = False,
        io: opt.Io = None,
        per_tensor: opt.PerTensor = None,
        deterministic: opt.Deterministic = False,
        strategy: opt.Strategy = "none",
        out: opt.Out = None,
        overwrite: opt.Overwrite = False,
        resume: opt.Resume = False,
        dry_run: opt.DryRun = False,
    ) -> None:
        settings = _settings(context.params) if config is None else _read(config)
        settings = _corrected(replace(settings, trust_code=trust_code), corrections)
        if dry_run:
            from mobilenet_tf.commands.dry_run import dry_run as rehearse

            show(rehearse(settings, body.__name__), False)
            return
        body(settings, out=out, overwrite=overwrite, resume=resume, strategy=strategy)

    command.__name__, command.__doc__ = body.__name__, body.__doc__
    return command


@_starts_a_run
def run(settings: "RunSettings", **options: Any) -> None:
    """Train, quantize, export and verify a network, and write the report."""
    from mobilenet_tf.commands.run import run as start

    _print(
        start(settings, **options),
        *("float_model", "qat_model", "tflite", "labels_file", "report", "card"),
    )


@_starts_a_run
def train(settings: "RunSettings", **options: Any) -> None:
    """Train a float network on images; writes float.keras."""
    from mobilenet_tf.commands.train import train as start

    _print(start(settings, **options), "float_model")


def _print(finished: "Run", *files: str) -> None:
    if finished.is_chief:
        print_run(finished.folder, *files)


def _settings(options: Mapping[str, Any]) -> "RunSettings":
    """Return the settings that the options of `command` describe, by parameter name."""
    from mobilenet_tf.compression.settings import DEFAULT
    from mobilenet_tf.core.bounds import check_choice
    from mobilenet_tf.core.front_ends import find_front_end
    from mobilenet_tf.networks.lower import factorized
    from mobilenet_tf.networks.zoo import make_network
    from mobilenet_tf.runs.settings import RunSettings
    from mobilenet_tf.runs.teacher import TeacherModel
    from mobilenet_tf.tasks.registry import make_task

    task_options = [*(options["task_options"] or ()), *["pairs=true"] * options["pairs"]]
    task = make_task(options["task"], task_options)
    prepared = ("size", "channels", "fit", "front_end")
    input_spec = input_of(task, options["data"], **{name: options[name] for name in prepared})
    changes = {
        "train.epochs": options["epochs"],
        "qat.epochs": options["qat_epochs"],
        "compress": options["compress"],
        "max_flash": parse_bytes(options["max_flash"], "--max-flash"),
        "batch": options["batch"],
        "deterministic": options["deterministic"] or None,
    }
    network = make_network(options["model"], options["alpha"], input_spec.size)
    if options["factorize"]:
        network = factorized(network, options["factorize"])
    int8 = DEFAULT.changed(io=options["io"], per_tensor=options["per_tensor"])
    if options["front_end"]:
        check_choice("io", int8.io, find_front_end(options["front_end"]).io)
    return RunSettings(
        data=options["data"],
        network=replace(network, input=input_spec),
        task=task,
        recipe=opt.changed_recipe(options["recipe"] or task.recipe, options["fields"], changes),
        weights=options["weights"],
        **TeacherModel(options["teacher"], options["teacher_labels"]).settings(),
        group_by=options["group_by"] or "",
        find_duplicates=options["find_duplicates"],
        class_order=opt.ordered_classes(options["class_order"], task, options["data"]),
        seed=options["seed"],
        int8=int8,
    )


def _corrected(settings: "RunSettings", table: Path | None) -> "RunSettings":
    from mobilenet_tf.datasets.corrections import read_corrections

    if table is None:
        return settings
    return replace(settings, corrections={**settings.corrections, **read_corrections(table)})


def _read(config: Path) -> "RunSettings":
    from mobilenet_tf.runs.settings import read_settings

    return read_settings(config)
