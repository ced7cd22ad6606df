"""Tables of the commands for devices and searches."""

import shlex
from os.path import abspath, commonpath, dirname, relpath
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mobilenet_tf.cli.tables import percent, table


def device_table(facts: dict[str, Any]) -> Table:
    """Return what a model needs on a microcontroller or an NPU."""
    rows: list[tuple[str, Any]] = [("file, bytes", f"{facts['bytes']:,}")]
    if "arena" in facts:
        arena, parity = facts["arena"], facts["parity"]
        rows += [
            ("  without compression", f"{facts['plain_bytes']:,}"),
            ("kernels", _kernels(facts)),
            ("arena, bytes", f"{arena['needed']:,}"),
            ("  of which activations", f"{arena['activations']:,}"),
            *(
                (f"  additionally with CMSIS-NN, {core}", f"{more:,}")
                for core, more in facts["cmsis_nn"].items()
            ),
            ("operators", ", ".join(facts["ops"])),
            ("equal to LiteRT within 1 LSB", percent(parity["litert"]["within_1_lsb"])),
            ("equal to XNNPACK within 1 LSB", percent(parity["xnnpack"]["within_1_lsb"])),
            ("as plain C", _plain_c(facts["plain_c"])),
        ]
    elif "arenas" in facts:
        rows = [
            ("constants in flash, bytes", f"{facts['bytes']:,}"),
            ("  without compression", f"{facts['plain_bytes']:,}"),
            ("kernels", _kernels(facts)),
            ("flash with code, at most", f"{facts['flash_bytes']:,}"),
            *(
                (f"arena, {kernels} kernels", f"{size:,}")
                for kernels, size in facts["arenas"].items()
            ),
            ("  largest decoded kernel in it", f"{facts['decoded_bytes']:,}"),
            ("operators", facts["ops"]),
            ("equal to TensorFlow Lite Micro, images", facts["pictures"]),
        ]
    elif "operators" in facts:
        listed = (f"{count} {name}" for name, count in facts["operators"].items())
        rows.append(("operators", ", ".join(listed)))
    else:
        rows += [
            ("SRAM, bytes", f"{facts['sram_bytes']:,}"),
            ("cycles", f"{facts['cycles']:,}"),
            ("milliseconds", f"{facts['milliseconds']:.3f}"),
            ("at", f"{facts['clock_hz'] / 1e6:g} MHz, {facts['system']}"),
            ("operators on the NPU", f"{facts['ops_on_npu']} of {facts['ops']}"),
        ]
    return table([facts["target"], ""], rows)


def _kernels(facts: dict[str, Any]) -> str:
    return ", ".join(f"{count} {form}" for form, count in facts["kernels"].items())


def _plain_c(facts: dict[str, Any]) -> str:
    if "left_out" in facts:
        return f"left out: {facts['left_out']}"
    return f"{facts['bytes']:,} bytes of constants, arena {facts['arenas']['portable']:,} bytes"


_CHOICES = 12  # rows that are shown
_CLOSE = 5  # names that are shown
_SPEEDS = {"latency": ("ms", 1.0), "instructions": ("M instructions", 1e6)}
_BASIS = {"published": "p", "interpolated": "i", "extrapolated": "e"}


def choice_table(result: dict[str, Any]) -> Group:
    """Return the most accurate options, the best one marked, and the next command."""
    rows, best = [], result["best"]
    shown = sorted(result["pareto"], key=lambda option: -option["top1"])
    if best:
        within = [option for option in shown if not option["breaks"]]
        shown = [best, *(option for option in within if option != best)]
    speed = "latency" if shown[0]["instructions"] is None else "instructions"
    unit, divisor = _SPEEDS[speed]
    for option in shown[:_CHOICES]:
        fast = "-" if option[speed] is None else f"{option[speed] / divisor:.2f}"
        mark = " *" if option == best else ""
        name = f"{option['model']} {option['alpha']:g}{mark}"
        known = f"{option['top1']:.1f} {_precision(option)}"
        known += " o" if option["model"] in result["other_recipes"] else ""
        kilobytes = (f"{option[cost] / 1e3:,.1f}" for cost in ("flash", "ram"))
        rows.append((name, option["size"], known, fast, *kilobytes))
    columns = ["network", "size", "ImageNet %", unit, "flash KB", "RAM KB"]
    title = f"Of {result['considered']} configurations; costs by {result['measured_by']}"
    parts: list[RenderableType] = [Text(title), table(columns, rows)]
    parts.append(Text(_origin(result)))
    if close := result["close"]:
        shown = [f"{one['model']} {one['alpha']:g} at {one['size']}" for one in close[:_CLOSE]]
        more = [f"{len(close) - _CLOSE} more"] if len(close) > _CLOSE else []
        parts.append(
            Text(
                "Closer to the best than the error of the estimates, so that only a trial can "
                f"tell (--trials): {', '.join(shown + more)}."
            )
        )
    for trial in result.get("trials", ()):
        name = f"{trial['model']} {trial['alpha']:g} {trial['size']}"
        parts.append(Text(f"trained briefly: {name}: {percent(trial['validation_accuracy'])}"))
    if result["best"] is None:
        near = result["nearest"]
        parts.append(Text(f"Nothing fits: {' and '.join(near['breaks'])} would be exceeded."))
        fast = "" if near[speed] is None else f"{near[speed] / divisor:.2f} {unit}, "
        parts.append(
            Text(
                f"Nearest: {near['model']} {near['alpha']:g} at {near['size']}: {fast}"
                f"{near['flash']:,} bytes of flash, RAM {near['ram']:,} bytes."
            )
        )
    else:
        parts.append(Text(result["command"]))
    return Group(*parts)


def _precision(option: dict[str, Any]) -> str:
    """Return the error of an expected accuracy in points, and what it rests on."""
    known, error = option["basis"], option["error"]
    return _BASIS[known] if not error else f"±{error:.1f} {_BASIS[known]}"


def _origin(result: dict[str, Any]) -> str:
    """Return where the expected accuracies come from."""
    mark = "* best that fits. " if result["best"] else ""
    text = (
        f"{mark}Accuracy: published (p), interpolated (i) or extrapolated (e), with the error that "
        "such estimates have where published values are left out; an estimate, not a promise. "
        f"Recipe: {result['recipe']}"
    )
    others: dict[str, list[str]] = {}
    for name, recipe in result["other_recipes"].items():
        others.setdefault(recipe, []).append(name)
    if not others:
        return f"{text}."
    listed = "; ".join(f"{', '.join(names)}: {recipe}" for recipe, names in others.items())
    return f"{text}. Other recipes (o), which may be points better or worse: {listed}."


def tuning_table(result: dict[str, Any]) -> Group:
    """Return one row per trial, the best one marked, its fields, and the next command."""
    best, costs = result["best"], [name for name in result["limits"] if name != "macs"]
    rows = [
        (
            f"{row['trial']} *" if row == best else row["trial"],
            row["network"],
            percent(row["validation_accuracy"]),
            row["epochs"],
            *(f"{row[name]:,}" for name in ("macs", *costs)),
        )
        for row in result["trials"]
    ]
    columns = ["trial", "network", "validation", "epochs", "multiply-adds", *costs]
    title = f"{len(rows)} trials by {result['algorithm']}, {result['networks']} networks allowed"
    fields = list(best["fields"].items())
    next_steps = Text(f"{result['recipe']}\n{result['plot']}\n{result['command']}")
    return Group(table(columns, rows, title), table(["* best", ""], fields), next_steps)


def benchmark_table(result: dict[str, Any]) -> Group:
    """Return one row per file and number of threads, and the times of operators.

    On an emulated core: one row per file, and the instructions of operators.
    """
    if "instructions" in result["files"][0]:
        return _instructions_table(result)
    rows: list[tuple[Any, ...]] = []
    parts: list[RenderableType] = []
    for name, file in zip(_short_names(result), result["files"], strict=True):
        memory = file["peak_memory_bytes"]
        facts = ("-" if memory is None else f"{memory / 1e6:.1f}", file["partitions"])
        for count, timed in file["threads"].items():
            spread = f"{timed['p10_ms']:.3f} - {timed['p90_ms']:.3f}"
            times = (f"{timed['median_ms']:.3f}", spread, f"{timed['ratio']:.2f}")
            rows.append((name, count, *times, *facts))
            name, facts = "", ("", "")
        if file["ops"]:
            ops = [(name, op["count"], f"{op['ms']:.3f}") for name, op in file["ops"].items()]
            parts.append(
                table(["operators, each measured alone", "count", "ms"], ops, file["file"])
            )
    columns = ["file", "threads", "ms", "10 - 90 %", "ratio", "MB", "partitions"]
    return Group(Text(result["processor"]), table(columns, rows), *parts)


def _instructions_table(result: dict[str, Any]) -> Group:
    names = _short_names(result)
    rows = [
        (name, f"{file['instructions']:,}", f"{file['ratio']:.2f}", file["partitions"])
        for name, file in zip(names, result["files"], strict=True)
    ]
    parts: list[RenderableType] = [
        table(
            ["operators, each alone", "count", "instructions"],
            [(op, held["count"], f"{held['instructions']:,}") for op, held in file["ops"].items()],
            file["file"],
        )
        for file in result["files"]
        if file["ops"]
    ]
    columns = ["file", "instructions", "ratio", "partitions"]
    return Group(Text(result["processor"]), table(columns, rows), *parts)


def _short_names(result: dict[str, Any]) -> list[str]:
    """Return the files' paths from the folder that they share."""
    files = [file["file"] for file in result["files"]]
    folder = commonpath([dirname(abspath(file)) for file in files])
    return [relpath(file, folder) for file in files]


def android_text(result: dict[str, Any], demo: Path) -> Text:
    """Return where the model is now, and what to do next."""
    text = (
        f"{result['model']}: {result['bytes']:,} bytes, needs runtime"
        f" {result['required_runtime']} of the app's {result['runtime']}.\n"
        f"{result['golden']}: {result['pictures']} images with their outputs.\n"
        f"Next: open {demo} in Android Studio and press Run, or with a phone on USB:"
        f" cd {shlex.quote(str(demo))} && ./gradlew installDebug"
    )
    return Text(text)


def web_text(result: dict[str, Any]) -> Text:
    """Return where the page is, and what to do next."""
    folder = shlex.quote(result["folder"])
    text = (
        f"{result['folder']}: a page for {result['classes']} classes, {result['files']} files, "
        f"{result['bytes']:,} bytes.\n"
        f"Next: python -m http.server --bind 127.0.0.1 --directory {folder} 8000, and open "
        "http://localhost:8000/; elsewhere a camera needs https."
    )
    return Text(text)
