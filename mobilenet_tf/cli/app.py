"""The command line: the only place that sees everything.

Commands import what they need when they run, because TensorFlow takes ten seconds.
"""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import device as cli_device
from mobilenet_tf.cli import evaluation as cli_evaluate
from mobilenet_tf.cli import tables
from mobilenet_tf.cli import tuning as cli_tune
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import console, import_tensorflow
from mobilenet_tf.training.cluster import is_chief

app = typer.Typer(
    help="From a folder of pictures to an int8 MobileNet that runs, verified, on the device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    str, typer.Option(help="Folder with a folder per class, `digits`, or `tfds:NAME`.")
]
Model = Annotated[str, typer.Option(help="Network; `summary` lists them.")]
Alpha = Annotated[float, typer.Option(help="Width multiplier.")]
Size = Annotated[
    int | None, typer.Option(help="Input side in pixels.", show_default="96; 32 for digits")
]
Channels = Annotated[
    int | None, typer.Option(help="3 (RGB) or 1 (grey).", show_default="3; 1 for digits")
]
Epochs = Annotated[int | None, typer.Option(help="Of float training.", show_default="the recipe's")]
QatEpochs = Annotated[
    int | None,
    typer.Option(help="Of quantization-aware training.", show_default="the recipe's"),
]
Batch = Annotated[int | None, typer.Option(help="Pictures per step.", show_default="the recipe's")]
Recipe = Annotated[
    str, typer.Option(help="Numbers of training: a name in training/recipes/, or a .toml file.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="One of the recipe's fields, such as train.learning_rate=1e-3."),
]
Seed = Annotated[int, typer.Option(help="Of split, weights, order and augmentation.")]
Weights = Annotated[str, typer.Option(help="Start: `none`, `imagenet` or a weights file.")]
Teacher = Annotated[
    str | None,
    typer.Option(help="Learn also from a trained network: a run, or a .keras or .h5 file."),
]
Out = Annotated[
    Path | None, typer.Option(help="Run folder.", show_default="runs/DATA_MODEL_ALPHA_SIZE")
]
Deterministic = Annotated[
    bool,
    typer.Option("--deterministic", help="Same seed and machine: same weights, to the last bit."),
]
Strategy = Annotated[
    str,
    typer.Option(help="Where to train: none (one device), mirrored, multiworker, tpu."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
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
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Run = Annotated[Path, typer.Argument(help="A folder made by `train` or `run`.")]
File = Annotated[Path, typer.Argument(help="A .tflite file.", metavar="FILE.tflite")]


def _new_run(finish):
    """A command that begins a run with the settings on the command line, for `finish`."""

    def command(
        data: Data = "digits",
        model: Model = "v1",
        alpha: Alpha = 0.25,
        size: Size = None,
        channels: Channels = None,
        recipe: Recipe = "small_data",
        settings: Set = None,
        epochs: Epochs = None,
        qat_epochs: QatEpochs = None,
        batch: Batch = None,
        seed: Seed = 0,
        weights: Weights = "none",
        teacher: Teacher = None,
        io: Io = None,
        per_tensor: PerTensor = None,
        deterministic: Deterministic = False,
        strategy: Strategy = "none",
        out: Out = None,
        overwrite: Overwrite = False,
        resume: Resume = False,
    ) -> None:
        from mobilenet_tf.compression.settings import DEFAULT
        from mobilenet_tf.datasets.load import source_name
        from mobilenet_tf.networks.zoo import make_network
        from mobilenet_tf.runs.run import begin
        from mobilenet_tf.training.recipe import load_recipe, parse_settings

        digits = data == "digits"
        spec = make_network(
            model,
            alpha,
            size if size is not None else (32 if digits else 96),
            channels=channels if channels is not None else (1 if digits else 3),
        )
        fields = {"train.epochs": epochs, "qat.epochs": qat_epochs, "batch": batch}
        fields["deterministic"] = deterministic or None
        numbers = load_recipe(recipe).with_fields(fields | parse_settings(settings or []))
        int8 = DEFAULT.changed(io=io, per_tensor=per_tensor)
        out = out or Path("runs") / f"{source_name(data)}_{model}_{alpha:g}_{spec.input.side}"
        job = begin(
            out,
            data,
            spec,
            numbers,
            weights,
            seed,
            int8,
            overwrite,
            resume,
            strategy,
            teacher or "none",
        )
        finish(job)

    command.__doc__ = finish.__doc__
    return app.command(finish.__name__)(command)


@_new_run
def run(job) -> None:
    """All of it: train, quantize, export, verify, report."""
    _train(job)
    _quantize(job)
    if not is_chief(job.strategy):
        return
    _export(job)
    _verify(job)
    _finish(job.run, ("float_model", "qat_model", "tflite", "labels_file", "report", "card"))


@_new_run
def train(job) -> None:
    """Pictures -> float.keras."""
    _train(job)
    if is_chief(job.strategy):
        _finish(job.run, ("float_model",))


@app.command()
def quantize(
    run: Run,
    io: Io = None,
    per_tensor: PerTensor = None,
    qat_epochs: QatEpochs = None,
    teacher: Teacher = None,
    overwrite: Overwrite = False,
) -> None:
    """float.keras -> qat.keras, by quantization-aware training. Goes on if interrupted."""
    from mobilenet_tf.runs.run import Job

    job = Job.open(run, "float.keras").requantized(io, per_tensor, qat_epochs, overwrite, teacher)
    _quantize(job)
    _finish(job.run, ("qat_model",))


@app.command()
def export(
    what: Annotated[Path, typer.Argument(metavar="RUN|MODEL.h5|MODEL.keras|SAVED_MODEL")],
    target: Annotated[
        str, typer.Option(help="cpu, mcu, npu, or ethos-u55-128 and its like.")
    ] = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for mcu, an NPU or a MODEL.", show_default="RUN/TARGET"),
    ] = None,
    max_arena: Annotated[
        str | None, typer.Option(help="Working memory of the device, such as 256KiB.")
    ] = None,
    max_flash: Annotated[
        str | None, typer.Option(help="Room for the model in the device's flash.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Pictures for a MODEL of your own.")] = None,
    mean: Annotated[float | None, typer.Option(help="A MODEL takes (pixel - mean) / std.")] = None,
    std: Annotated[float | None, typer.Option(help="See --mean.")] = None,
    io: Io = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """qat.keras, or any Keras model -> .tflite; for a device, C or a compiled file."""
    from mobilenet_tf.runs.run import Job

    foreign = {"data": data, "mean": mean, "std": std}
    if target != "cpu":
        _refuse("for models that are no run", **foreign)
        _refuse("for --target cpu; that of devices is int8", io=io)
        return _export_device(what, target, out, max_arena, max_flash, as_json)
    _refuse("for --target mcu and NPUs", max_arena=max_arena, max_flash=max_flash)
    if not (what / "config.toml").is_file() and what.exists():
        return _export_foreign(what, **foreign, io=io, out=out, seed=seed, overwrite=overwrite)
    _refuse("for models that are no run", **foreign)
    _refuse("for --target mcu, NPUs and models that are no run", out=out)
    job = Job.open(what, "qat.keras").with_io(io)
    job.run.write_config(job.config())
    _export(job)
    return _finish(job.run, ("tflite", "labels_file"))


def _refuse(place: str, **options) -> None:
    """What an option would not be heard with is an error."""
    for name, value in options.items():
        if value is not None:
            raise UserError(f"--{name.replace('_', '-')} is {place}.")


def _export_foreign(model, data, mean, std, io, out, seed, overwrite) -> None:
    if data is None:
        raise UserError(f"{model} needs --data: real pictures to calibrate and judge it with.")
    if mean is None or std is None:
        raise UserError(
            f"{model} needs --mean and --std, as it takes (pixel - mean) / std: 127.5 and 127.5 "
            "for -1..1, 0 and 255 for 0..1, 0 and 1 for raw pixels."
        )
    import_tensorflow()
    from mobilenet_tf.deployment.proof.foreign import export_foreign
    from mobilenet_tf.deployment.report.page import write_report

    out = out or Path("runs") / f"{model.stem}_int8"
    run = export_foreign(model, data, mean, std, out, io or "uint8", 1.0, seed, overwrite)
    write_report(run)
    _finish(run, ("tflite", "labels_file", "report", "result_file"))


def _export_device(run, target, out, max_arena, max_flash, as_json) -> None:
    from mobilenet_tf.core.units import parse_bytes
    from mobilenet_tf.deployment.devices.targets import EXPORTS, Limits, check_target, export_for
    from mobilenet_tf.runs.run import Job

    check_target(target, EXPORTS)
    limits = Limits(parse_bytes(max_arena, "--max-arena"), parse_bytes(max_flash, "--max-flash"))
    job = Job.open(run, "qat.keras")
    import_tensorflow()
    with console.status(f"Converting for {target}"):
        figures = export_for(job, target, limits, out)
    tables.show(figures, as_json, tables.device_table)
    console.print(figures["folder"], highlight=False, soft_wrap=True)


@app.command()
def verify(run: Run) -> None:
    """Prove the .tflite against what was trained, on the test pictures, and report."""
    from mobilenet_tf.runs.run import Job

    job = Job.open(run, "model_int8.tflite")
    _verify(job)
    console.print(tables.block_table(job.run.result()))
    _finish(job.run, ("report", "card", "result_file"))


@app.command()
def predict(
    file: File,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...")],
    top: Annotated[int, typer.Option(help="Classes per picture.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """The likeliest classes of pictures."""
    from mobilenet_tf.deployment.proof.evaluate import predict as predict_file

    tables.show(predict_file(file, images, top), as_json, tables.prediction_table)


@app.command()
def inspect(file: File, as_json: Json = False) -> None:
    """What is in a .tflite: ops, sizes, quantization, metadata."""
    from mobilenet_tf.cli.inspection import format_inspection
    from mobilenet_tf.deployment.tflite.inspect import inspect as inspect_file

    tables.show(inspect_file(file), as_json, format_inspection)


@app.command()
def summary(
    name: Annotated[str | None, typer.Argument(help="Network; all of them if left out.")] = None,
    alpha: Alpha = 1.0,
    size: Annotated[int, typer.Option(help="Input side in pixels.")] = 224,
    classes: Annotated[int, typer.Option(help="Outputs of the classifier.")] = 1000,
    channels: Annotated[int, typer.Option(help="3 (RGB) or 1 (grey).")] = 3,
    as_json: Json = False,
) -> None:
    """Parameters, multiply-adds and memory, counted from the papers' rows."""
    from mobilenet_tf.networks.count import summary as count
    from mobilenet_tf.networks.count import table
    from mobilenet_tf.networks.zoo import make_network

    if name is None:
        return tables.show({"networks": table(size, classes, channels)}, as_json, tables.cost_table)
    figures = count(make_network(name, alpha, size, classes, channels))
    return tables.show(figures, as_json, tables.layer_table)


app.command()(cli_evaluate.evaluate)
app.command()(cli_tune.tune)
app.command()(cli_device.choose)
app.command()(cli_device.benchmark)
app.command()(cli_device.android)


def _train(job) -> None:
    import_tensorflow()
    from mobilenet_tf.runs.train_stage import train

    train(job)


def _quantize(job) -> None:
    import_tensorflow()
    from mobilenet_tf.runs.quantize_stage import quantize

    quantize(job)


def _export(job) -> None:
    import_tensorflow()
    from mobilenet_tf.commands.export_stage import export

    with console.status("Converting"):
        export(job)


def _verify(job) -> None:
    import_tensorflow()
    from mobilenet_tf.commands.verify_stage import verify
    from mobilenet_tf.deployment.report.card import write_card
    from mobilenet_tf.deployment.report.page import write_report

    verify(job)
    write_report(job.run)
    write_card(job.run)


def _finish(run, files: tuple[str, ...]) -> None:
    """The closing table, and where the files are."""
    console.print(tables.run_table(run.result()))
    for name in files:
        console.print(str(getattr(run, name)), highlight=False, soft_wrap=True)
