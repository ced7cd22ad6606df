"""Results as tables for the terminal."""

import json
from os.path import abspath, commonpath, dirname, relpath

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text


def table(columns: list[str], rows: list[tuple], title: str | None = None) -> Table:
    """A plain table; the first column to the left, the others to the right."""
    result = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        result.add_column(column, justify="right" if index else "left", overflow="fold")
    for row in rows:
        # Text, not markup: a file or a class may have brackets in its name.
        result.add_row(*(Text(str(cell)) for cell in row))
    return result


def percent(share: float | None) -> str:
    """A share as per cent, or a dash."""
    return "-" if share is None else f"{share:.2%}"


def run_table(result: dict) -> Group:
    """What a run has come to: accuracy, agreement, size."""
    parts = []
    if "accuracy" in result:
        names = {"float": "float", "qat": "QAT", "int8": "int8 file", "ptq_int8": "plain PTQ"}
        found = result["accuracy"]
        rows = [(title, percent(found[name])) for name, title in names.items() if name in found]
        parts.append(table(["test accuracy", ""], rows))
    facts = []
    if "tflite" in result:
        facts.append(("bytes", f"{result['tflite']['bytes']:,}"))
        facts.append(("float tensors", result["tflite"]["float_tensors"]))
    if "parity" in result:
        facts.append(("model and file within 1 LSB", percent(result["parity"]["within_1_lsb"])))
        facts.append(("model and file, same class", percent(result["parity"]["top1_agreement"])))
    if "seconds" in result:
        facts.append(("seconds", f"{sum(result['seconds'].values()):.0f}"))
    if facts:
        parts.append(table(["int8 file", ""], facts))
    return Group(*parts)


def block_table(result: dict) -> Group:
    """Each tensor inside the file: what is lost against float, how its integers are used."""
    rows = []
    for block in result["blocks"]:
        low, high = block["weight_low"], block["weight_high"]
        weights = "-" if low is None else f"{low:.2f} to {high:.2f}"
        shares = percent(block["within_1_lsb"]), percent(block["range_used"])
        rows.append((block["name"], f"{block['sqnr_db']:.1f}", *shares, weights))
    title = "Inside the file: signal to noise against float; tensors within 1 LSB of QAT's"
    worst = f"Most is lost in {result['parity']['worst_block']}."
    columns = ["block", "dB", "1 LSB", "range used", "weights"]
    return Group(table(columns, rows, title), Text(worst))


_MATRIX = 20  # classes; a larger matrix is wider than a terminal


def evaluation_table(result: dict) -> Group:
    """Accuracy and calibration, precision and recall per class, confusion, damaged copies."""
    head = f"{result['file']}: {percent(result['accuracy'])} of {result['images']} pictures"
    if result["skipped"]:
        head += f", {len(result['skipped'])} skipped"
    figures = [
        ("accuracy", "accuracy"),
        ("top5", "top 5"),
        ("calibration_error", "calibration error"),
    ]
    rows = [(title, percent(result[name])) for name, title in figures]
    parts = [Text(head), table(["of the file", ""], rows)]
    rows = [
        (name, values["images"], percent(values["precision"]), percent(values["recall"]))
        for name, values in result["per_class"].items()
    ]
    parts.append(table(["class", "pictures", "precision", "recall"], rows))
    if len(rows) <= _MATRIX:
        names = list(result["per_class"])
        rows = [
            (name, *(count or "" for count in counts))
            for name, counts in zip(names, result["confusion"], strict=True)
        ]
        parts.append(table(["true class, named", *names], rows))
    if copies := result.get("robustness"):
        rows = [
            (
                f"{copy['corruption']} {copy['strength']:g}",
                *(percent(copy[name]) for name, _ in figures),
            )
            for copy in copies
        ]
        parts.append(table(["damaged", *(title for _, title in figures)], rows))
    return Group(*parts)


def prediction_table(result: dict) -> Table:
    """A row per picture and class."""
    rows = [
        (item["image"] if rank == 0 else "", found["label"], percent(found["score"]))
        for item in result["predictions"]
        for rank, found in enumerate(item["classes"])
    ]
    return table(["picture", "class", "score"], rows)


_COSTS = (
    ("parameters", "parameters"),
    ("multiply-adds", "macs"),
    ("int8 weight bytes", "weight_bytes"),
    ("peak activation bytes", "peak_activation_bytes"),
)


def android_text(result: dict, demo) -> Text:
    """Where the model is now, and what to do next."""
    text = (
        f"{result['model']}: {result['bytes']:,} bytes, needs runtime"
        f" {result['required_runtime']} of the app's {result['runtime']}.\n"
        f"{result['golden']}: {result['pictures']} pictures with their scores.\n"
        f"Next: open {demo} in Android Studio and press Run, or with a phone on USB:"
        f" cd {demo} && ./gradlew installDebug"
    )
    return Text(text)


def cost_table(figures: dict) -> Table:
    """A row for each of `networks`."""
    cells = [
        (row["name"], f"{row['alpha']:g}", row["size"], *(f"{row[key]:,}" for _, key in _COSTS))
        for row in figures["networks"]
    ]
    return table(["network", "alpha", "size", *(title for title, _ in _COSTS)], cells)


def layer_table(figures: dict) -> Group:
    """A network layer by layer, and its totals."""
    rows = [
        (
            layer["name"],
            layer["kind"],
            f"{layer['height']}x{layer['width']}x{layer['channels']}",
            f"{layer['parameters']:,}",
            f"{layer['macs']:,}",
        )
        for layer in figures["layers"]
    ]
    columns = ["layer", "kind", "output", "parameters", "multiply-adds"]
    return Group(table(columns, rows), cost_table({"networks": [figures]}))


def device_table(figures: dict) -> Table:
    """What a model takes on a microcontroller or an NPU."""
    rows = [("file, bytes", f"{figures['bytes']:,}")]
    if "arena" in figures:
        arena, parity = figures["arena"], figures["parity"]
        rows += [
            ("arena, bytes", f"{arena['needed']:,}"),
            ("  of it activations", f"{arena['activations']:,}"),
            *(
                (f"  more with CMSIS-NN, {core}", f"{more:,}")
                for core, more in figures["cmsis_nn"].items()
            ),
            ("operators", ", ".join(figures["ops"])),
            ("= LiteRT within 1 LSB", percent(parity["litert"]["within_1_lsb"])),
            ("= XNNPACK within 1 LSB", percent(parity["xnnpack"]["within_1_lsb"])),
        ]
    elif "operators" in figures:
        listed = (f"{count} {name}" for name, count in figures["operators"].items())
        rows.append(("operators", ", ".join(listed)))
    else:
        rows += [
            ("SRAM, bytes", f"{figures['sram_bytes']:,}"),
            ("cycles", f"{figures['cycles']:,}"),
            ("milliseconds", f"{figures['milliseconds']:.3f}"),
            ("at", f"{figures['clock_hz'] / 1e6:g} MHz, {figures['system']}"),
            ("operators on the NPU", f"{figures['ops_on_npu']} of {figures['ops']}"),
        ]
    return table([figures["target"], ""], rows)


def show(result: dict, as_json: bool, render) -> None:
    """A result on standard output: JSON and nothing else, or a table."""
    if as_json:
        print(json.dumps(result))
    else:
        found = render(result)
        for part in found.renderables if isinstance(found, Group) else (found,):
            # A path or a command that is longer than a line stays whole, to be copied.
            Console().print(part, soft_wrap=isinstance(part, Text), crop=False)


_CHOICES = 12
_BASIS = {"published": "p", "interpolated": "i", "extrapolated": "e"}


def choice_table(result: dict) -> Group:
    """The likeliest options, the best of them marked, and what comes next."""
    rows, best = [], result["best"]
    shown = sorted(result["pareto"], key=lambda option: -option["top1"])
    if best:
        within = [option for option in shown if not option["breaks"]]
        shown = [best, *(option for option in within if option != best)]
    for option in shown[:_CHOICES]:
        latency = "-" if option["latency"] is None else f"{option['latency']:.2f}"
        mark = " *" if option == best else ""
        name = f"{option['model']} {option['alpha']:g}{mark}"
        known = f"{option['top1']:.1f} {_BASIS[option['basis']]}"
        kilobytes = (f"{option[cost] / 1e3:,.1f}" for cost in ("flash", "ram"))
        rows.append((name, option["size"], known, latency, *kilobytes))
    columns = ["network", "size", "ImageNet %", "ms", "flash KB", "RAM KB"]
    title = f"Of {result['considered']} configurations; costs by {result['measured_by']}"
    parts = [Text(title), table(columns, rows)]
    parts.append(
        Text(
            f"{'* best that fits. ' if best else ''}Accuracy: the published ImageNet table (p), "
            "interpolated (i) or extrapolated (e); a guide, no promise."
        )
    )
    for trial in result.get("trials", ()):
        name = f"{trial['model']} {trial['alpha']:g} {trial['size']}"
        parts.append(Text(f"trained briefly: {name}: {percent(trial['validation_accuracy'])}"))
    if result["best"] is None:
        near = result["nearest"]
        parts.append(Text(f"Nothing fits: {' and '.join(near['breaks'])} cannot be kept."))
        latency = "" if near["latency"] is None else f"{near['latency']:.2f} ms, "
        parts.append(
            Text(
                f"Nearest: {near['model']} {near['alpha']:g} at {near['size']}: {latency}"
                f"{near['flash']:,} bytes of flash, RAM {near['ram']:,} bytes."
            )
        )
    else:
        parts.append(Text(result["command"]))
    return Group(*parts)


def tuning_table(result: dict) -> Group:
    """A row per trial, the best of them marked; its fields, and what comes next."""
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


def benchmark_table(result: dict) -> Group:
    """A row per file and count of threads; then what its operators take."""
    rows, parts = [], []
    folder = commonpath([dirname(abspath(file["file"])) for file in result["files"]])
    for file in result["files"]:
        memory = file["peak_memory_bytes"]
        facts = ("-" if memory is None else f"{memory / 1e6:.1f}", file["partitions"])
        name = relpath(file["file"], folder)
        for count, timed in file["threads"].items():
            spread = f"{timed['p10_ms']:.3f} - {timed['p90_ms']:.3f}"
            times = (f"{timed['median_ms']:.3f}", spread, f"{timed['ratio']:.2f}")
            rows.append((name, count, *times, *facts))
            name, facts = "", ("", "")
        if file["ops"]:
            ops = [(name, op["count"], f"{op['ms']:.3f}") for name, op in file["ops"].items()]
            parts.append(table(["operators, each alone", "count", "ms"], ops, file["file"]))
    columns = ["file", "threads", "ms", "10 - 90 %", "ratio", "MB", "partitions"]
    return Group(Text(result["processor"]), table(columns, rows), *parts)
