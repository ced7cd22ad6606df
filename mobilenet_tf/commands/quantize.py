"""`quantize`: float.keras -> qat.keras."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.common import start_tensorflow, working_on
from mobilenet_tf.runs.requantize import requantized
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.teacher import TeacherModel

if TYPE_CHECKING:
    import tf_keras as keras

    from mobilenet_tf.runs.sensitivity import Storage


@applicable
def quantize(
    run: Run | str | Path,
    *,
    io: str | None = None,
    per_tensor: bool | None = None,
    qat_epochs: int | None = None,
    fields: Mapping[str, Any] | None = None,
    teacher: str | Path | TeacherModel | None = None,
    overwrite: bool = False,
) -> Run:
    """Take the network of a run through the stages to int8, or continue to do so.

    By default it is trained with int8 rounding. `Recipe.compress` can also prune it and let its
    weights share few values. What a stage trained with the same settings is not trained again.
    Options that are None keep the settings of the run. Changed settings are written to its
    `config.toml`.

    Args:
        run: The run or its folder.
        io: Type of input and output of the int8 file: uint8, int8 or float32.
        per_tensor: Whether a weight tensor has one scale, or one per channel.
        qat_epochs: Number of epochs of quantization-aware training.
        fields: Other fields of the recipe by path, such as `{"compress": "prune,qat"}`, the stages
            and their order.
        teacher: Trained network for distillation: `none`, a run folder, or a .keras or .h5 file,
            which a `TeacherModel` says more about.
        overwrite: Whether to discard an earlier quantization with other settings.

    Returns:
        The run with these settings, with `qat.keras` in its folder.

    Raises:
        UserError: The run has no `float.keras`, a setting is not accepted, or the run was
            quantized with other settings and `overwrite` is off; or the network, which is written,
            does not fit into `Recipe.max_flash`.
    """
    with working_on(run, "float.keras") as opened:
        changed = requantized(
            opened,
            io=io,
            per_tensor=per_tensor,
            fields={"qat.epochs": qat_epochs, **(fields or {})},
            teacher=teacher if isinstance(teacher, TeacherModel) else TeacherModel(teacher),
            overwrite=overwrite,
        )
        quantize_run(changed)
        changed.folder.result().compression.require_within_limit()
    return changed


def quantize_run(run: Run) -> None:
    """Quantize a run with its present settings."""
    start_tensorflow()
    from mobilenet_tf.runs.quantize import quantize as quantize_stage

    quantize_stage(run, storage())


def storage() -> "Storage":
    """Return how large a microcontroller stores networks and kernels."""
    from mobilenet_tf.deployment.devices.mcu.form import McuForm
    from mobilenet_tf.deployment.tflite.compressed.compress import AUTO
    from mobilenet_tf.deployment.tflite.compressed.kernel_facts import stored_size
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.runs.sensitivity import Storage

    def form(model: "keras.Model", limit: float | None = None) -> McuForm:
        return McuForm(convert(model, "int8"), AUTO, max_bytes=limit)

    return Storage(
        file=lambda model: len(form(model).plain),
        encoded_file=lambda model, limit: len(form(model, limit).small),
        kernel=stored_size,
    )
