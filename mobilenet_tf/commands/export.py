"""`export`: a run, or another trained model, -> .tflite, or what a device needs."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import described, settled_task, start_tensorflow, working_on
from mobilenet_tf.commands.export_device import export_device
from mobilenet_tf.commands.foreign_model import ForeignClassifier
from mobilenet_tf.commands.outcomes.devices import DeviceFacts, Exported, FileFacts
from mobilenet_tf.commands.post_training import Classifier, ModelData, export_classifier
from mobilenet_tf.commands.published_model import Pretrained, PublishedClassifier
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_lines
from mobilenet_tf.core.terminal import console, say
from mobilenet_tf.deployment.devices.tables import CPU
from mobilenet_tf.deployment.devices.targets import Target
from mobilenet_tf.deployment.tflite.compressed.compress import NONE
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.kernels import INT4
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.provenance import require_current, write_model
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.cost import Budget
from mobilenet_tf.tasks.task import Task

if TYPE_CHECKING:
    from mobilenet_tf.runs.models import Models


@applicable
def export(
    what: Run | Pretrained | str | Path,
    *,
    target: str | Target = CPU,
    out: str | Path | None = None,
    budget: Budget = Budget(),  # noqa: B008  frozen
    io: str | None = None,
    data: ModelData = ModelData(),  # noqa: B008  frozen
    overwrite: bool = False,
) -> Exported:
    """Convert a network to integers for a target.

    Args:
        what: A run or its folder; or, to be quantized after training, a network of the zoo with
            trained weights, or a .h5 or .keras file or a SavedModel of somebody else.
        target: `cpu` for a .tflite for phones and computers, `mcu` for TensorFlow Lite Micro, `c`
            for plain C, `npu`, or an Ethos-U such as `ethos-u55-128`; `mediapipe` for a detector
            that MediaPipe runs; or a `Target` with options.
        out: Output folder; by default RUN/TARGET, or runs/MODEL_int8 for what is not a run.
            The .tflite of a run for `cpu` is always in the run folder.
        budget: Limits on flash and ram, in bytes, for `mcu`, `c` and Ethos-U.
        io: Type of input and output for `cpu`: uint8, int8 or float32; by default that of the run,
            or uint8. Other targets decide it.
        data: Pictures for what is not a run, and the preprocessing of somebody else's model.
        overwrite: Whether to replace an earlier export in the folder, and files of it that were
            changed.

    Raises:
        UserError: An option does not apply, the model cannot be used, or it does not fit.
    """
    form = Target.of(target)
    classifier = _classifier(what, data) if form.name == CPU else None
    if classifier is not None and form.compress != NONE:
        raise UserError("--compress applies only to runs.")
    if classifier is not None:
        folder = export_classifier(classifier, data, io=io or "uint8", out=out, overwrite=overwrite)
        return _exported(folder)
    if isinstance(what, Pretrained):
        raise UserError(f"--target {form.name} needs a run; {what.name} is a network by its name.")
    if form.name != CPU:
        with working_on(what, "qat.keras") as run:
            return _export_device(run, form, budget, out, overwrite)
    with working_on(what, "qat.keras") as run:
        require_current(run.folder, "qat.keras")
        start_tensorflow()
        from mobilenet_tf.runs.models import load_models

        models = load_models(run.folder)
        run = run.with_settings(replace(run.settings, int8=run.settings.int8.changed(io=io)))
        convert_run(run, models, form.compress)
    return _exported(run.folder)


def _classifier(what: Run | Pretrained | str | Path, data: ModelData) -> Classifier | None:
    """Return what is quantized after training; None for a run."""
    if isinstance(what, Pretrained):
        return PublishedClassifier(what, data)
    if isinstance(what, Run) or not Path(what).exists() or (Path(what) / "config.toml").is_file():
        return None
    return ForeignClassifier(what, data)


def _exported(folder: RunFolder) -> Exported:
    """Return what there is of the `.tflite` in a folder."""
    return Exported(CPU, folder.path, FileFacts(folder.result().to_dict()["tflite"]))


def _export_device(
    run: Run, target: Target, budget: Budget, out: str | Path | None, overwrite: bool
) -> Exported:
    start_tensorflow()
    folder = None if out is None else Path(out)
    with console.status(f"Converting for {target.name}"):
        facts = DeviceFacts(export_device(run, target, budget, folder, overwrite=overwrite))
    return Exported(target.name, Path(facts.folder), facts)


def convert_run(run: Run, models: "Models", compress: str = NONE) -> None:
    """Write the int8 files of a run: after quantization-aware training and after plain PTQ.

    Args:
        run: The run.
        models: Its networks.
        compress: `int4` stores the first file's narrow kernels so; see `int4_weights`.

    Raises:
        UserError: No kernel is narrow, or LiteRT computes other outputs with 4 bits.
    """
    from mobilenet_tf.datasets.pipeline import calibration_images
    from mobilenet_tf.deployment.tflite.compressed.kernel_facts import kernel_facts
    from mobilenet_tf.deployment.tflite.convert import convert

    started, settings, folder = time.monotonic(), run.settings, run.folder
    with console.status("Converting"):
        content = convert(models.qat, settings.int8.io)
        conversion_seconds = round(time.monotonic() - started, 1)
        task = settled_task(run, content)
        stored = described(content, run, task)
        if compress == INT4:
            stored = _in_4_bits(run, task, content, stored)
        _write(folder, folder.tflite, stored)
        write_lines(folder.labels_file, task.labels(run.classes))

        images = calibration_images(
            run.data.train, run.network, settings.recipe.calibration, settings.seed
        )
        ptq = convert(models.float, settings.int8.io, images)
        _write(folder, folder.ptq_tflite, described(ptq, run, task))
    if folder.result().compression.stages:
        folder.update_result(compression={"kernels": tuple(kernel_facts(content))})
    folder.update_result(
        conversion_seconds=conversion_seconds,
        tflite=file_facts(folder.tflite),
        ptq={"bytes": folder.ptq_tflite.stat().st_size},
        seconds={"export": round(time.monotonic() - started, 1)},
    )


def _in_4_bits(run: Run, task: Task, content: bytes, plain: bytes) -> bytes:
    """Return the described file of a run with kernels of 4 bits, proven to compute the same."""
    from mobilenet_tf.deployment.proof.same import require_same_outputs
    from mobilenet_tf.deployment.tflite.compressed.int4 import int4_weights

    stored = described(int4_weights(content, dense=True), run, task)
    require_same_outputs(plain, stored, run.data.test.images, f"--compress {INT4}")
    say(
        "Kernels of 4 bits take as long as those of 8 with LiteRT 2 on cores with dot-product "
        "instructions; elsewhere they can be much slower (docs/compression.md)."
    )
    return stored


def _write(folder: RunFolder, path: Path, content: bytes) -> None:
    write_model(folder, path.name, lambda partial: partial.write_bytes(content))
