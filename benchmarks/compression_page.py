"""The tables of `benchmarks.compression_curve` in docs/compression.md."""

from collections import Counter
from typing import Any

import numpy as np

from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.deployment.report.comparison_tables import points
from mobilenet_tf.deployment.tflite.compressed.compress import INTERPRETER
from mobilenet_tf.selection.bootstrap import Bootstrap, Correct

PLAIN = "plain"
# Of V1 0.25 at 96x96 for two classes.
GOAL = {"bytes": 130_000, "activations": 55_296, "arena": 88_500}
MOST_LOST = 0.005
NPU = "ethos-u55-128"
# Deep Compression's steps: title, form of the weights, codec of the kernels.
STEPS = (
    ("pruned", "75% zeros", "prune"),
    ("and clustered", "16 values, 75% zeros", "lut"),
    ("and Huffman-coded", "16 values, 75% zeros", "huffman"),
    ("hashed", "hashed 1/4", "hash"),
    ("product-quantized", "64 vectors of 2", "pq"),
)
_FLOAT_BITS = 32
_ON_NPU = ("npu_bytes", "npu_cycles")
_SIZES = ("bytes", "activations", "arena", *_ON_NPU)
Rows = list[dict[str, Any]]


def packed(correct: np.ndarray) -> str:
    """Return, as text, which of the test pictures were classified correctly."""
    return np.packbits(correct).tobytes().hex()


def _unpacked(run: dict[str, Any]) -> Correct:
    values = np.frombuffer(bytes.fromhex(run["correct"]), np.uint8)
    bits = np.unpackbits(values, count=run["images"])
    return {str(index): bool(bit) for index, bit in enumerate(bits)}


def curve_rows(measured: dict[str, Any]) -> Rows:
    """Return a row per form of each network and per control, over the seeds that all of them have.

    A form is compared with the widest control that takes no more flash on the same device.
    """
    rows = []
    for name in dict.fromkeys(run["network"] for run in measured["runs"]):
        own = [run for run in measured["runs"] if run["network"] == name]
        counts = Counter(run["seed"] for run in own)
        seeds = {seed for seed, count in counts.items() if count == max(counts.values())}
        complete = [run for run in own if run["seed"] in seeds]
        rows += _rows_of(name, _by_form(complete), _by_form(own))
    return rows


def _by_form(runs: Rows) -> dict[tuple[float, str], Rows]:
    """Return (alpha, form) -> a run per seed."""
    found: dict[tuple[float, str], Rows] = {}
    for run in sorted(runs, key=lambda one: one["seed"]):
        found.setdefault((run["alpha"], run["weights"]), []).append(run)
    return found


def _rows_of(
    name: str, found: dict[tuple[float, str], Rows], begun: dict[tuple[float, str], Rows]
) -> Rows:
    """Return the rows of a network.

    Args:
        name: The network.
        found: (alpha, form) -> a run per seed of which all was measured; the plain form is first.
        begun: The same of all seeds, for the costs on an NPU, which depend little on the seed.
    """
    alpha = next(iter(found))[0]
    outcomes: dict[Any, list[Correct]] = {
        key: [_unpacked(run) for run in runs] for key, runs in found.items()
    }
    bootstrap = Bootstrap(outcomes)

    def mean(key: tuple[float, str], field: str) -> int:
        runs = begun[key] if field in _ON_NPU else found[key]
        known = [run[field] for run in runs if field in run]
        return int(sum(known) // len(known)) if known else 0

    rows = []
    for key, runs in found.items():
        device, plain = runs[0]["device"], key[1] == PLAIN
        flash = mean(key, f"{device}_flash")
        smaller = [one for one in found if one[1] == PLAIN and one[0] < alpha]
        fitting = [one for one in smaller if mean(one, f"{device}_flash") <= flash]
        control = None if plain else max(fitting, default=None)
        difference = None if plain else bootstrap.difference(key, (alpha, PLAIN)).to_dict()
        rows.append(
            {
                "network": name,
                "alpha": key[0],
                "weights": key[1],
                "seeds": len(runs),
                "device": device,
                "flash": flash,
                **{field: mean(key, field) for field in _SIZES},
                "bits": {
                    codec: sum(run["bits"][codec] for run in runs) / len(runs)
                    for codec in runs[0]["bits"]
                },
                "accuracy": bootstrap.accuracy(key).to_dict(),
                "difference": difference,
                "control": control and control[0],
                "to_control": bootstrap.difference(key, control).to_dict() if control else None,
            }
        )
    return rows


def _points(interval: dict[str, float] | None) -> str:
    return "" if interval is None else points(interval)


def _curve(rows: Rows) -> str:
    columns = (
        *("network", "weights", "seeds", "device", "file, bytes", "flash", "activations", "arena"),
        *("NPU, bytes", "NPU, cycles", "accuracy", "vs. plain", "vs. smaller alpha"),
    )
    cells = [
        (
            f"{row['network']} {row['alpha']:g}",
            row["weights"],
            row["seeds"],
            row["device"],
            *_sizes(row),
            _percent(row),
            _points(row["difference"]),
            _points(row["to_control"]) + (f" ({row['control']:g})" if row["control"] else ""),
        )
        for row in rows
    ]
    return markdown(columns, cells)


def _sizes(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the bytes of file, flash, activations and arena, and what the NPU needs.

    File and arena are those on `mcu`; what was not measured is empty.
    """
    fields = ("bytes", "flash", *_SIZES[1:])
    shown = {field: f"{row[field]:,}" if row[field] else "" for field in fields}
    if row["device"] != "mcu":
        shown |= {"bytes": "", "arena": ""}
    return tuple(shown.values())


def curve(measured: dict[str, Any]) -> str:
    """Return the curve of all classes as Markdown."""
    here = measured["machine"]
    note = f"""{measured["size"]}x{measured["size"]} pixels, {measured["epochs"]} epochs of the
        recipe `{measured["recipe"]}` from random weights, then {measured["epochs_to_int8"]} in all
        stages together, on {measured["data"]}. Flash on `mcu` is
        the file for TensorFlow Lite Micro, and where kernels are encoded, {INTERPRETER.code:,}
        bytes for the code of the decoders too; kernels of 4 bits need none. On `c`, it is the
        constants and all code. The arena contains the activations.
        The NPU is an {NPU}, by Arm's compiler.
        Differences are in points, with 95 % intervals of a paired bootstrap over images and seeds:
        from the same network with plain weights, and from the widest plain one, of the alpha in
        brackets, that takes no more flash.
        {here["cores"]} cores, {here["cpu"]}."""
    rows = curve_rows(measured)
    return "\n\n".join((_curve(rows), paragraph(note), *_verdicts(rows)))


def _verdicts(rows: Rows) -> list[str]:
    """Return, for each network, which forms are better or worse than a smaller alpha."""
    found = []
    for name in dict.fromkeys(row["network"] for row in rows):
        forms: dict[str, list[str]] = {"better": [], "worse": [], "not to be told apart": []}
        for row in rows:
            if row["network"] == name and row["to_control"]:
                forms[_beside(row["to_control"])].append(row["weights"])
        parts = [f"{beside}: {'; '.join(own)}" for beside, own in forms.items() if own]
        if parts:
            text = f"Beside a smaller alpha with no more flash, `{name}` is {'. '.join(parts)}."
            found.append(paragraph(text))
    return found


def _beside(difference: dict[str, float]) -> str:
    if difference["low"] > 0:
        return "better"
    return "worse" if difference["high"] < 0 else "not to be told apart"


def deep_compression(measured: dict[str, Any]) -> str:
    """Return Deep Compression's table as Markdown: bits per weight after each step."""
    rows = {(row["network"], row["alpha"], row["weights"]): row for row in curve_rows(measured)}
    cells: list[tuple[str, ...]] = []
    for (name, alpha, weights), row in rows.items():
        if weights != PLAIN or (name, alpha, STEPS[0][1]) not in rows:
            continue
        cells.append((f"{name} {alpha:g}", "int8", *_bits(row["bits"]["plain"]), _percent(row), ""))
        cells += [
            ("", title, *_bits(one["bits"][codec]), _percent(one), _points(one["difference"]))
            for title, form, codec in STEPS
            if (one := rows.get((name, alpha, form)))
        ]
    columns = ("network", "kernels", "bits per weight", "ratio to float", "accuracy", "vs. int8")
    note = """The kernels of all convolutions, depthwise ones and tables included, of the networks
        above. A kernel that a codec does not make smaller by a fifth counts as it is."""
    return f"{markdown(columns, cells)}\n\n{paragraph(note)}"


def _bits(bits: float) -> tuple[str, str]:
    return f"{bits:.2f}", f"{_FLOAT_BITS / bits:.1f}"


def _percent(row: dict[str, Any]) -> str:
    return f"{row['accuracy']['mean']:.1%}"


def two_classes(measured: dict[str, Any]) -> str:
    """Return the table of two classes as Markdown."""
    note = f"""As above, with the classes of {measured["data"]} in two groups:
        {"; and ".join(", ".join(group) for group in measured["groups"])}."""
    rows = curve_rows(measured)
    goal = f"""The goal for `v1` 0.25 is a file of at most {GOAL["bytes"]:,} bytes, with at most
        {GOAL["activations"]:,} bytes of activations and an arena of at most {GOAL["arena"]:,}, at
        most {100 * MOST_LOST:g} points below plain int8: {_reached(rows)}."""
    return "\n\n".join((_curve(rows), paragraph(note), paragraph(goal), *_verdicts(rows)))


def _reached(rows: Rows) -> str:
    """Return which forms of V1 reach the goal."""
    found = [
        row["weights"]
        for row in rows
        if row["network"] == "v1"
        and row["difference"]
        and row["difference"]["mean"] >= -MOST_LOST
        and all(row[field] <= most for field, most in GOAL.items())
    ]
    return f"reached with {'; '.join(found)}" if found else "not reached"


_DOCUMENT = "docs/compression.md"
CURVE = Section("compression_curve", curve, _DOCUMENT)
DEEP = Section("deep_compression", deep_compression, _DOCUMENT, source=CURVE.name)
TWO_CLASSES = Section("two_classes", two_classes, _DOCUMENT)
SECTIONS = (CURVE, DEEP, TWO_CLASSES)
