"""Commands about devices: `choose`, `benchmark` and `android`; `cli` registers them."""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import tables
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import import_tensorflow


def choose(
    max_latency: Annotated[str | None, typer.Option(help="Such as 5ms.")] = None,
    max_size: Annotated[str | None, typer.Option(help="Of the file, such as 500KB.")] = None,
    max_ram: Annotated[str | None, typer.Option(help="Working memory, such as 200KB.")] = None,
    target: Annotated[str, typer.Option(help="cpu (this machine), mcu, ethos-u55-128 ...")] = "cpu",
    classes: Annotated[int, typer.Option(help="Outputs of the classifier.")] = 10,
    channels: Annotated[int, typer.Option(help="3 (RGB) or 1 (grey).")] = 3,
    threads: Annotated[int, typer.Option(help="Of the CPU.", min=1)] = 1,
    adb: Annotated[bool, typer.Option("--adb", help="Latency of the connected phone.")] = False,
    data: Annotated[str | None, typer.Option(help="Pictures for --trials.")] = None,
    trials: Annotated[int, typer.Option(help="Best options to train briefly.", min=0)] = 0,
    epochs: Annotated[int, typer.Option(help="Of each trial.", min=1)] = 5,
    out: Annotated[Path, typer.Option(help="Folder of the trials.")] = Path("runs/trials"),
    plot: Annotated[
        Path | None, typer.Option(help="Draw the trade-off here (.png, .svg or .pdf).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """The network, alpha and size with the best expected accuracy within a budget."""
    from mobilenet_tf.core.plotting import check_plot_file
    from mobilenet_tf.core.progress import bar
    from mobilenet_tf.core.units import parse_bytes, parse_milliseconds
    from mobilenet_tf.selection import chooser as chooser
    from mobilenet_tf.selection.tradeoff import plot as draw

    if adb and target != "cpu":
        raise UserError(f"--adb measures a phone's CPU; it does not go with --target {target}.")
    if trials and not data:
        raise UserError("--trials trains on pictures; give --data.")
    if plot:
        check_plot_file(plot)
    limits = {
        "latency": parse_milliseconds(max_latency, "--max-latency"),
        "size": parse_bytes(max_size, "--max-size"),
        "ram": parse_bytes(max_ram, "--max-ram"),
    }
    limits = {name: value for name, value in limits.items() if value is not None}
    table = _latency_table(threads, adb) if target == "cpu" else None
    with bar() as progress:
        tasks: dict = {}

        def update(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total, note="")
            progress.update(tasks[what], completed=done, note=f"{done} of {total}")

        result = chooser.choose(limits, target, classes, channels, update, table)
    if plot:
        draw(result, plot)
    best = result["best"]
    if trials and best:
        from mobilenet_tf.commands.trials import run_trials

        import_tensorflow()
        fitting = [option for option in result["pareto"] if not option["breaks"]]
        fitting.sort(key=lambda option: -option["top1"])
        result["trials"] = run_trials(fitting[:trials], data, channels, epochs, out)
        best = result["trials"][0]
    if best:
        result["command"] = chooser.command(best, data or "DIR", channels)
    tables.show(result, as_json, tables.choice_table)


def _latency_table(threads: int, adb: bool):
    from mobilenet_tf.deployment.devices.cpu import LatencyTable, ThisMachine

    if adb:
        from mobilenet_tf.deployment.devices.phone import Phone

        return LatencyTable(Phone(threads))
    return LatencyTable(ThisMachine(threads))


def benchmark(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.tflite...")],
    threads: Annotated[str, typer.Option(help="Counts, such as 1,2,4.")] = "1",
    rounds: Annotated[int, typer.Option(help="Measurements per file.")] = 50,
    adb: Annotated[bool, typer.Option("--adb", help="On the connected phone.")] = False,
    profile: Annotated[bool, typer.Option(help="Also every operator alone.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """How fast files are: median and spread, their ratio, operators, memory."""
    from mobilenet_tf.core.progress import bar

    try:
        counts = [int(count) for count in threads.split(",")]
    except ValueError:
        raise UserError(f"threads is {threads!r}; it must be counts such as 1,2,4.") from None
    if adb:
        from mobilenet_tf.deployment.devices.phone import benchmark_phone as measure
    else:
        from mobilenet_tf.deployment.devices.benchmark import benchmark as measure

    with bar() as progress:
        task = progress.add_task("Measuring", total=None, note="")

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, note=f"round {done} of {total}")

        result = measure(files, counts, rounds, profile, update)
    return tables.show(result, as_json, tables.benchmark_table)


def android(
    what: Annotated[Path, typer.Argument(metavar="RUN|FILE.tflite")],
    name: Annotated[
        str | None, typer.Option(help="Of the file in the app.", show_default="the run's or file's")
    ] = None,
    demo: Annotated[
        Path | None, typer.Option(help="The Android project.", show_default="android_demo")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Put a .tflite into the Android demo, with pictures and scores to compare on the phone."""
    from mobilenet_tf.deployment.devices.android_app import DEMO, install

    demo = DEMO if demo is None else demo
    result = install(what, name, demo)
    tables.show(result, as_json, lambda found: tables.android_text(found, demo))
