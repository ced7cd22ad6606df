"""The options for budgets and devices that several commands share, and their old names."""

from typing import Annotated

import typer

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.units import parse_bytes, parse_count, parse_milliseconds
from mobilenet_tf.selection.cost import Budget

MaxFlash = Annotated[str | None, typer.Option(help="Size of the model file, such as 500KB.")]
MaxRam = Annotated[str | None, typer.Option(help="Working memory, such as 200KB.")]
MaxLatency = Annotated[str | None, typer.Option(help="Time of one inference, such as 5ms.")]
MaxMacs = Annotated[str | None, typer.Option(help="Multiply-adds, such as 12M.")]
MaxInstructions = Annotated[
    str | None,
    typer.Option(help="Instructions of one inference on an emulated core, such as 5M."),
]
# Old names, which keep working.
MaxSize = Annotated[str | None, typer.Option(hidden=True)]
MaxArena = Annotated[str | None, typer.Option(hidden=True)]
Adb = Annotated[bool, typer.Option("--adb", hidden=True)]


def parse_budget(
    *,
    max_flash: str | None = None,
    max_ram: str | None = None,
    max_latency: str | None = None,
    max_macs: str | None = None,
    max_instructions: str | None = None,
    max_size: str | None = None,
    max_arena: str | None = None,
) -> Budget:
    """Return the budget of the options; max_size and max_arena are old names of flash and RAM.

    Raises:
        UserError: A value is not a quantity, or an option is given under both names.
    """
    _reject_both("flash", max_flash, "size", max_size)
    _reject_both("ram", max_ram, "arena", max_arena)
    flash, ram = parse_bytes(max_flash, "--max-flash"), parse_bytes(max_ram, "--max-ram")
    return Budget(
        latency=parse_milliseconds(max_latency, "--max-latency"),
        flash=parse_bytes(max_size, "--max-size") if flash is None else flash,
        ram=parse_bytes(max_arena, "--max-arena") if ram is None else ram,
        macs=parse_count(max_macs, "--max-macs"),
        instructions=parse_count(max_instructions, "--max-instructions"),
    )


def _reject_both(new: str, value: str | None, old: str, old_value: str | None) -> None:
    if value is not None and old_value is not None:
        raise UserError(f"--max-{old} is an old name of --max-{new}; give only --max-{new}.")


def parse_device(device: str | None, adb: bool, target: str | None = None) -> str:
    """Return the device of --device, or of the old options --adb (a phone) and --target.

    Raises:
        UserError: The options name different devices.
    """
    if adb and target == "cpu":
        target = "phone"  # the old --adb --target cpu measured the phone's CPU
    names = {name for name in (device, target, "phone" if adb else None) if name is not None}
    if len(names) > 1:
        listed = ", ".join(sorted(names))
        raise UserError(
            f"The options name different devices: {listed}. Give --device alone; --adb is an old "
            "name of --device phone, and --target of --device."
        )
    return names.pop() if names else "cpu"
