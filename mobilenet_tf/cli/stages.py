"""`quantize`, `export` and `verify`: the stages of a run after training."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.budget import MaxArena, MaxFlash, MaxRam, parse_budget
from mobilenet_tf.cli.output import print_path, print_run, show
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import announce, console
from mobilenet_tf.core.units import parse_bytes, parse_share

if TYPE_CHECKING:  # no command's --help needs it
    from mobilenet_tf.compression.post_training.settings import PostTraining

_WRITTEN = ("tflite", "labels_file", "report", "result_file")  # by `export` for cpu


def quantize(
    run: opt.Run,
    io: opt.Io = None,
    per_tensor: opt.PerTensor = None,
    qat_epochs: opt.QatEpochs = None,
    compress: opt.Compress = None,
    max_flash: MaxFlash = None,
    fields: opt.Set = None,
    teacher: opt.Teacher = None,
    teacher_labels: opt.TeacherLabels = None,
    trust_code: opt.TrustCode = False,
    overwrite: opt.Overwrite = False,
) -> None:
    """Train the network of a run with int8 rounding, and with pruned or shared weights if asked.

    Writes qat.keras. Continues if interrupted.
    """
    from mobilenet_tf.commands.quantize import quantize as start
    from mobilenet_tf.runs.teacher import TeacherModel
    from mobilenet_tf.training.recipe import parse_settings

    quantized = start(
        run,
        io=io,
        per_tensor=per_tensor,
        qat_epochs=qat_epochs,
        fields={
            "compress": compress,
            "max_flash": parse_bytes(max_flash, "--max-flash"),
            **parse_settings(fields or []),
        },
        teacher=TeacherModel(teacher, teacher_labels, trust_code),
        overwrite=overwrite,
    )
    print_run(quantized.folder, "qat_model")


def export(
    what: Annotated[
        Path | None, typer.Argument(metavar="RUN|MODEL.h5|MODEL.keras|SAVED_MODEL")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="In its place: a network with trained weights.")
    ] = None,
    alpha: opt.Alpha = 1.0,
    size: Annotated[int, typer.Option(help="Input side of --model in pixels.")] = 224,
    weights: Annotated[
        str, typer.Option(help="Weights of --model: imagenet, or a weights file.")
    ] = "imagenet",
    target: Annotated[
        str,
        typer.Option(
            help="Form of the file: cpu, mcu, c, npu, an NPU such as ethos-u55-128, or mediapipe."
        ),
    ] = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for targets other than cpu, or a MODEL.",
            show_default="RUN/TARGET or runs/MODEL_int8",
        ),
    ] = None,
    max_flash: MaxFlash = None,
    max_ram: MaxRam = None,
    max_arena: MaxArena = None,
    data: Annotated[
        str | None,
        typer.Option(help="Pictures to calibrate a MODEL or --model with; labels are optional."),
    ] = None,
    mean: Annotated[
        float | None, typer.Option(help="The input of a MODEL is (pixel - mean) / std.")
    ] = None,
    std: Annotated[float | None, typer.Option(help="See --mean.")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Class names in the order of a MODEL's outputs, one per line.",
            show_default="the MODEL's, ImageNet's for --model, or as in --data",
        ),
    ] = None,
    trust_code: opt.TrustCode = False,
    other: Annotated[
        str | None,
        typer.Option(
            help="Folder of pictures that show none of a run's classes, for the threshold.",
            show_default="the run's",
        ),
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="What names begin with in C, for several models in a firmware.")
    ] = "model",
    compress: Annotated[
        str,
        typer.Option(
            help="How kernels are stored: auto, lut, prune or huffman by mcu and c, pq or hash by "
            "c, int4 by cpu, mcu and c, or none."
        ),
    ] = "none",
    io: opt.Io = None,
    per_tensor: opt.PerTensor = None,
    fields: opt.Set = None,
    seed: opt.Seed = 0,
    overwrite: opt.Overwrite = False,
    as_json: opt.Json = False,
) -> None:
    """Convert a run, or any Keras model, to .tflite; for a device also to C or a compiled file."""
    from mobilenet_tf.commands.export import export as start
    from mobilenet_tf.commands.post_training import ModelData
    from mobilenet_tf.commands.published_model import Pretrained
    from mobilenet_tf.deployment.devices.targets import Target
    from mobilenet_tf.runs.folder import RunFolder

    if model is not None:
        given: Path | Pretrained = Pretrained(model, alpha, size, weights)
    elif what is not None:
        given = what
        if other is not None:
            from mobilenet_tf.commands.other_images import choose_by

            choose_by(what, other)
    else:
        raise UserError("export needs a run, a model file, or a network with --model.")
    exported = start(
        given,
        target=Target(target, prefix, compress),
        out=out,
        budget=parse_budget(max_flash=max_flash, max_ram=max_ram, max_arena=max_arena),
        io=io,
        data=ModelData(
            data,
            mean,
            std,
            seed=seed,
            trust_code=trust_code,
            labels=labels,
            per_tensor=bool(per_tensor),
            post_training=_post_training(fields),
        ),
        overwrite=overwrite,
    )
    if target != "cpu":
        show(exported.facts, as_json)
        print_path(exported.folder)
    elif as_json:
        show(exported.facts, as_json)
    else:
        folder = RunFolder(exported.folder)
        print_run(folder, *filter(lambda name: getattr(folder, name).exists(), _WRITTEN))


def _post_training(fields: list[str] | None) -> "PostTraining":
    """Return the methods of quantization that --set gives for a model that is not a run.

    Raises:
        UserError: A field is another one, or a value is not accepted.
    """
    from mobilenet_tf.compression.post_training.settings import PostTraining
    from mobilenet_tf.core.settings import from_flat
    from mobilenet_tf.training.recipe import parse_settings

    prefix, given = "post_training.", parse_settings(fields or [])
    for path in given:
        if not path.startswith(prefix):
            raise UserError(f"--set is {path!r}; export changes what begins with {prefix}.")
    values = {path.removeprefix(prefix): value for path, value in given.items()}
    settings: PostTraining = from_flat(PostTraining, values, "--set")
    return settings


def verify(
    run: opt.Run,
    min_accuracy: Annotated[
        str | None,
        typer.Option(
            help="Accuracy that the file must have, or another task's score, such as 95%."
        ),
    ] = None,
    max_drop: Annotated[
        str | None,
        typer.Option(help="Most that it may be below that of the float network, such as 1%."),
    ] = None,
) -> None:
    """Verify the .tflite against the networks it came from, on the test images, and report.

    The exit code is 1 if a demand is not met.
    """
    from mobilenet_tf.commands.gate import Gate
    from mobilenet_tf.commands.verify import verify as start
    from mobilenet_tf.runs.tables import block_table

    bounds = Decimal(0), Decimal(1)
    gate = Gate(
        min_accuracy=parse_share(min_accuracy, "--min-accuracy", *bounds),
        max_drop=parse_share(max_drop, "--max-drop", *bounds),
    )
    verified = start(run)
    console.print(block_table(verified.result()))
    print_run(verified.folder, "report", "card", "result_file")
    missed = gate.missed(verified.result())
    for sentence in missed:
        announce(sentence)
    if missed:
        raise typer.Exit(1)
