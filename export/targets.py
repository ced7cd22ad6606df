"""`export --target`: what a trained run becomes for a phone, a microcontroller or an NPU."""

import time
from dataclasses import replace
from pathlib import Path

from mobilenet_tf.errors import UserError
from mobilenet_tf.job import Job
from mobilenet_tf.models.cost import cost
from mobilenet_tf.models.spec import ModelSpec

PHONE, MCU = "phone", "mcu"
NPUS = (
    *(f"ethos-u55-{macs}" for macs in (32, 64, 128, 256)),
    *(f"ethos-u65-{macs}" for macs in (256, 512)),
    *(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048)),
)
TARGETS = (PHONE, MCU, *NPUS)


def check_target(target: str) -> None:
    """Raises UserError for a name that is no target."""
    if target not in TARGETS:
        raise UserError(f"target is {target!r}; it must be one of {', '.join(TARGETS)}.")


def int8_file(job: Job) -> bytes:
    """The run's network as an int8 `.tflite` with int8 input and output."""
    from export.tflite import convert
    from mobilenet_tf.quantization.quantize import load_qat

    return convert(load_qat(job), io="int8")


def export_micro(
    job: Job, out: Path | None = None, max_arena: int | None = None, max_flash: int | None = None
) -> dict:
    """Write `mcu/` in the run folder, or `out`: the proven file as C.

    Args:
        max_arena, max_flash: bytes that the device has for the arena and for the file.

    Returns:
        The figures of `micro.write_folder`, with the folder.

    Raises:
        UserError: it does not fit, with the figures and the largest configuration that does; or
            see `micro.write_folder`.
    """
    from export.micro import PARITY_PICTURES, figures_of, write_folder
    from export.slim import slim
    from mobilenet_tf.data.dataset import balanced

    started = time.monotonic()
    content = int8_file(job)
    if max_arena or max_flash:
        found = figures_of(slim(content))
        require_fit(job.spec, found["arena"]["needed"], found["bytes"], max_arena, max_flash)
    folder = Path(out) if out else job.run.path / MCU
    test = job.data.test
    rows = balanced(test.labels, min(PARITY_PICTURES, len(test)), job.seed)
    figures = write_folder(
        folder,
        content,
        list(job.classes),
        test.pictures[rows],
        title_of(job),
        job.spec.preprocessing.crop,
    )
    figures = {"target": MCU, "folder": str(folder), **figures}
    job.run.update_result(
        micro=figures, seconds={"export_mcu": round(time.monotonic() - started, 1)}
    )
    return figures


def title_of(job: Job) -> str:
    """The model in one line."""
    spec = job.spec
    return (
        f"MobileNet {spec.name} {spec.alpha:g}, {spec.size}x{spec.size}x{spec.channels}, "
        f"{spec.classes} classes of {Path(job.source).name}"
    )
