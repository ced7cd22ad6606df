"""`quantize`: float.keras -> qat.keras."""

from pathlib import Path

from mobilenet_tf.commands.common import start_tensorflow, working_on
from mobilenet_tf.runs.run import Run, requantized
from mobilenet_tf.runs.teacher import TeacherModel


def quantize(
    run: Run | str | Path,
    *,
    io: str | None = None,
    per_tensor: bool | None = None,
    qat_epochs: int | None = None,
    teacher: str | Path | TeacherModel | None = None,
    overwrite: bool = False,
) -> Run:
    """Train the network of a run with int8 rounding, or continue to do so.

    Options that are None keep the settings of the run. Changed settings are written to its
    `config.toml`.

    Args:
        run: The run or its folder.
        io: Type of input and output of the int8 file: uint8, int8 or float32.
        per_tensor: Whether a weight tensor has one scale, or one per channel.
        qat_epochs: Number of epochs of quantization-aware training.
        teacher: Trained network for distillation: `none`, a run folder, or a .keras or .h5 file,
            which a `TeacherModel` says more about.
        overwrite: Whether to discard an earlier quantization with other settings.

    Returns:
        The run with these settings, with `qat.keras` in its folder.

    Raises:
        UserError: The run has no `float.keras`, a setting is not accepted, or the run was
            quantized with other settings and `overwrite` is off.
    """
    with working_on(run, "float.keras") as opened:
        changed = requantized(
            opened,
            io=io,
            per_tensor=per_tensor,
            qat_epochs=qat_epochs,
            teacher=teacher if isinstance(teacher, TeacherModel) else TeacherModel(teacher),
            overwrite=overwrite,
        )
        quantize_run(changed)
    return changed


def quantize_run(run: Run) -> None:
    """Quantize a run with its present settings."""
    start_tensorflow()
    from mobilenet_tf.runs.quantize import quantize as quantize_stage

    quantize_stage(run)
