"""The command line: the only place that sees everything.

Commands import what they need when they run, because TensorFlow takes ten seconds.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf import tables
from mobilenet_tf.errors import UserError

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
Seed = Annotated[int, typer.Option(help="Of split, weights, order and augmentation.")]
Weights = Annotated[str, typer.Option(help="Start: `none`, `imagenet` or a weights file.")]
Out = Annotated[
    Path | None, typer.Option(help="Run folder.", show_default="runs/DATA_MODEL_ALPHA_SIZE")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Run = Annotated[Path, typer.Argument(help="A folder made by `train` or `run`.")]
File = Annotated[Path, typer.Argument(help="A .tflite file.", metavar="FILE.tflite")]


def _begin(data, model, alpha, size, channels, epochs, qat_epochs, batch, seed, weights, **folder):
    from mobilenet_tf.job import begin
    from mobilenet_tf.models.zoo import model_spec
    from mobilenet_tf.training.recipe import load_recipe

    digits = data == "digits"
    spec = model_spec(
        model,
        alpha,
        size if size is not None else (32 if digits else 96),
        channels=channels if channels is not None else (1 if digits else 3),
    )
    recipe = load_recipe("small_data").override(epochs, qat_epochs, batch)
    name = data.removeprefix("tfds:") if data.startswith("tfds:") else Path(data).resolve().name
    out = folder.pop("out") or Path("runs") / f"{name}_{model}_{alpha:g}_{spec.size}"
    if seed < 0:
        raise UserError(f"seed is {seed}; it must be at least 0.")
    if weights not in ("none", "imagenet") and not Path(weights).is_file():
        raise UserError(f"weights is {weights!r}; it must be none, imagenet or an existing file.")
    return begin(out, data, spec, recipe, weights, seed, **folder)


@app.command()
def run(
    data: Data = "digits",
    model: Model = "v2",
    alpha: Alpha = 0.35,
    size: Size = None,
    channels: Channels = None,
    epochs: Epochs = None,
    qat_epochs: QatEpochs = None,
    batch: Batch = None,
    seed: Seed = 0,
    weights: Weights = "none",
    out: Out = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
) -> None:
    """All of it: train, quantize, export, verify, report."""
    settings = dict(locals())
    job = _begin(**settings)
    _train(job)
    _quantize(job)
    _export(job)
    _verify(job)
    _finish(job.run, ("float_model", "qat_model", "tflite", "labels_file", "report", "card"))


@app.command()
def train(
    data: Data = "digits",
    model: Model = "v2",
    alpha: Alpha = 0.35,
    size: Size = None,
    channels: Channels = None,
    epochs: Epochs = None,
    qat_epochs: QatEpochs = None,
    batch: Batch = None,
    seed: Seed = 0,
    weights: Weights = "none",
    out: Out = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
) -> None:
    """Pictures -> float.keras."""
    settings = dict(locals())
    job = _begin(**settings)
    _train(job)
    _finish(job.run, ("float_model",))


@app.command()
def quantize(run: Run, overwrite: Overwrite = False) -> None:
    """float.keras -> qat.keras, by quantization-aware training. Goes on if interrupted."""
    from mobilenet_tf.job import Job

    job = Job.open(run, "float.keras")
    if overwrite:
        (job.run.checkpoints / "qat.npz").unlink(missing_ok=True)
    _quantize(job)
    _finish(job.run, ("qat_model",))


@app.command()
def export(run: Run) -> None:
    """qat.keras -> model_int8.tflite with labels and preprocessing inside."""
    from mobilenet_tf.job import Job

    job = Job.open(run, "qat.keras")
    _export(job)
    _finish(job.run, ("tflite", "labels_file"))


@app.command()
def verify(run: Run) -> None:
    """Prove the .tflite against what was trained, on the test pictures, and report."""
    from mobilenet_tf.job import Job

    job = Job.open(run, "model_int8.tflite")
    _verify(job)
    _finish(job.run, ("report", "card", "result_file"))


@app.command()
def evaluate(
    what: Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")],
    data: Annotated[
        str | None, typer.Option(help="Pictures in a folder per class.", show_default="the run's")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Accuracy of a .tflite on labelled pictures."""
    from export.evaluate import evaluate_file

    if what.is_dir():
        from mobilenet_tf.run_folder import RunFolder

        folder = RunFolder.open(what, "model_int8.tflite")
        what = folder.tflite
        if data is None:
            config = folder.config()
            data, seed = config["source"], config["seed"]
            result = _own_test(folder)
            return _show(result, as_json, tables.evaluation_table)
    if data is None:
        raise UserError("evaluate needs --data for a .tflite file: a folder with one per class.")
    return _show(evaluate_file(what, data, seed), as_json, tables.evaluation_table)


def _own_test(folder) -> dict:
    """`evaluate_file` on the run's own test pictures."""
    from export.evaluate import figures, run_all
    from export.runtime import TFLiteModel
    from mobilenet_tf.job import Job

    job = Job.open(folder.path)
    scores = run_all(TFLiteModel(folder.tflite, threads=2), job.data.test.pictures, "Evaluating")
    return {
        "file": str(folder.tflite),
        "source": job.source,
        **figures(scores, job.data.test.labels, job.classes),
        "skipped": job.data.skipped,
    }


@app.command()
def predict(
    file: File,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...")],
    top: Annotated[int, typer.Option(help="Classes per picture.", min=1)] = 3,
    as_json: Json = False,
) -> None:
    """The likeliest classes of pictures."""
    from export.evaluate import predict as predict_file

    _show(predict_file(file, images, top), as_json, tables.prediction_table)


@app.command()
def inspect(file: File, as_json: Json = False) -> None:
    """What is in a .tflite: ops, sizes, quantization, metadata."""
    from export.inspect import format_inspection
    from export.inspect import inspect as inspect_file

    _show(inspect_file(file), as_json, format_inspection)


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
    from mobilenet_tf.models.cost import summary as count
    from mobilenet_tf.models.cost import table
    from mobilenet_tf.models.zoo import model_spec

    if name is None:
        return _show({"networks": table(size, classes, channels)}, as_json, tables.cost_table)
    figures = count(model_spec(name, alpha, size, classes, channels))
    return _show(figures, as_json, tables.layer_table)


@app.command()
def android(
    what: Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")],
    name: Annotated[
        str | None, typer.Option(help="Of the file in the app.", show_default="the run's or file's")
    ] = None,
    demo: Annotated[
        Path | None, typer.Option(help="The Android project.", show_default="android_demo")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a .tflite into the Android demo, with pictures and scores to compare on the phone."""
    from export.android import DEMO, install

    demo = DEMO if demo is None else demo
    _show(install(what, name, demo), as_json, lambda result: tables.android_text(result, demo))


def _train(job) -> None:
    from mobilenet_tf.training.train import train

    train(job)


def _quantize(job) -> None:
    from mobilenet_tf.quantization.quantize import quantize

    quantize(job)


def _export(job) -> None:
    from export.tflite import export
    from mobilenet_tf.console import console

    with console.status("Converting"):
        export(job)


def _verify(job) -> None:
    from export.card import write_card
    from export.report import write_report

    from export.verify import verify

    verify(job)
    write_report(job.run)
    write_card(job.run)


def _finish(run, files: tuple[str, ...]) -> None:
    """The closing table, and where the files are."""
    from mobilenet_tf.console import console

    console.print(tables.run_table(run.result()))
    for name in files:
        console.print(str(getattr(run, name)), highlight=False, soft_wrap=True)


def _show(result: dict, as_json: bool, render) -> None:
    """A result on standard output: JSON and nothing else, or a table."""
    if as_json:
        typer.echo(json.dumps(result))
    else:
        from rich.console import Console

        Console().print(render(result))
