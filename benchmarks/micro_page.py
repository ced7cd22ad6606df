"""Render docs/micro.md and docs/micro.png from docs/micro.json, which `benchmarks.micro` writes."""

from pathlib import Path
from typing import Any

from benchmarks.sections import DOCS, Section, markdown, paragraph
from mobilenet_tf.core.files import write_text
from mobilenet_tf.core.plotting import legend, log_axis, quiet_pyplot, save

CLASSES = 2
REFERENCE = {"bytes": 333_288, "arena": 103_680}  # MLPerf Tiny's visual wake words model
_RAM_LINES = (64, 96, 128, 192, 256)  # KiB, as in the table of budgets
Measurements = dict[str, Any]  # the content of docs/micro.json


def page(result: Measurements) -> str:
    """Return the whole document."""
    npu = result["npu"]
    conditions = f"""Written by `python -m benchmarks.micro`; do not edit. All networks have
        {CLASSES} classes, three input channels and int8 arithmetic. File and arena are what
        TensorFlow Lite Micro's interpreter needs on a 64-bit machine; a 32-bit device needs less.
        Time is Vela's estimate for {npu} with its default system. ImageNet accuracy is that of the
        published float models: a guide for choosing, not a promise for other data."""
    head = f"""# Networks on microcontrollers and NPUs

{paragraph(conditions)}

![trade-off](micro.png)
"""
    sections = (_budgets, _grid, _steps, _anatomy, _tried, _hard_swish, _honesty)
    return "\n".join([head, *(section(result) for section in sections)])


def write_page() -> None:
    """Write docs/micro.md and docs/micro.png from docs/micro.json."""
    result = SECTION.content()
    write_text(DOCS / "micro.md", page(result))
    plot(result, DOCS / "micro.png")


def budgets_table(result: Measurements) -> str:
    """Return the best network for each flash and RAM as Markdown."""
    rows = []
    for row in result["budgets"]:
        best, device = row["best"], (f"{row['flash_kib']} KiB", f"{row['ram_kib']} KiB")
        if best:
            name = f"{best['model']} {best['alpha']:g}", best["size"]
            expected = f"{best['top1']:.1f} ±{best['error']:.1f}"
            rows.append((*device, *name, *_thousands(best, "flash", "ram"), expected))
        else:
            rows.append((*device, "none", *"----"))
    names = ("flash", "RAM", "network", "size", "file, bytes", "arena, bytes", "ImageNet top-1, %")
    return markdown(names, rows)


SECTION = Section("budgets", budgets_table, "README.md", source="micro")


def _budgets(result: Measurements) -> str:
    return f"""## What fits

The network with the best expected accuracy in the flash and RAM that a device has left for the
model, chosen by
`mobilenet-tf choose --device mcu --max-flash FLASH --max-ram RAM --classes {CLASSES}`. Accuracies
are estimates from published results, with their typical error.

{budgets_table(result)}
"""


def _grid(result: Measurements) -> str:
    npu = result["npu"]
    names = ("network", "size", "file, bytes", "arena, bytes", "+ M4", "+ M55")
    names += (f"{npu}, ms", "SRAM, bytes", "operators on the NPU", "ImageNet top-1, %")
    rows = [
        (
            f"{row['model']} {row['alpha']:g}",
            row["size"],
            *_thousands(row, "bytes", "arena", "cortex-m4", "cortex-m55"),
            f"{row['npu_ms']:.2f}",
            *_thousands(row, "npu_sram"),
            f"{row['ops_on_npu']} of {row['ops']}",
            f"{row['top1']} {row['basis']}",
        )
        for row in result["grid"]
    ]
    return f"""## Cost by alpha and size

"+ M4" and "+ M55" are the bytes by which CMSIS-NN's kernels enlarge the arena on Cortex-M4, M7 and
M33, and on Cortex-M55 and M85. They are computed from its formulas.

{markdown(names, rows)}
"""


def _steps(result: Measurements) -> str:
    first, last = result["steps"][0], result["steps"][-1]
    rows = [(row["step"], *_thousands(row, "bytes", "arena")) for row in result["steps"]]
    share = {name: f"{last[name] / REFERENCE[name]:.0%}" for name in REFERENCE}
    text = f"""V1 0.25 at 96x96 with {CLASSES} classes, built and converted by TensorFlow. MLPerf
        Tiny's reference file of the same network has {REFERENCE["bytes"]:,} bytes and needs an
        arena of {REFERENCE["arena"]:,} bytes. Here the file has {first["bytes"]:,} bytes as
        converted and {last["bytes"]:,} after all steps ({share["bytes"]} of the reference), and the
        arena {last["arena"]:,} bytes ({share["arena"]})."""
    return f"""## Visual wake words: what each step saves

{paragraph(text)}

{markdown(("after", "file, bytes", "arena, bytes"), rows)}
"""


def _anatomy(result: Measurements) -> str:
    tables = (
        markdown((f"the {where}", "bytes"), [(name, f"{size:,}") for name, size in parts.items()])
        for where, parts in result["anatomy"].items()
    )
    return (
        """### What the remaining bytes are for

No memory plan can need less for activations than the lower bound, which is the most that a single
operator needs, and this plan reaches it. The operators form a chain, so they cannot run in another
order. The interpreter stores a multiplier and a shift per channel, even for a tensor with a single
scale.

"""
        + "\n\n".join(tables)
        + "\n"
    )


def _tried(result: Measurements) -> str:
    rows = [(row["what"], *_change(row, "bytes", "arena"), row["why"]) for row in result["tried"]]
    return f"""### What was tried and rejected

{markdown(("change", "file, bytes", "arena, bytes", "rejected because"), rows)}
"""


def _hard_swish(result: Measurements) -> str:
    names = ("form", "file, bytes", "arena, bytes", f"{result['npu']}, cycles", "SRAM, bytes")
    keys = ("bytes", "arena", "npu_cycles", "npu_sram")
    rows = [(f"`{row['form']}`", *_thousands(row, *keys)) for row in result["hard_swish"]]
    return f"""## Hard-swish

V3-Small 0.75 at 96x96 with the same integers in both files.

{markdown(names, rows)}
"""


def _honesty(result: Measurements) -> str:
    rows = [
        (f"{row['model']} {row['alpha']:g}", row["size"], f"{row['sum_over_whole']:.2f}")
        for row in result["honesty"]
    ]
    text = f"""`choose` adds up the measured times of a network's parts. The table compares this sum
        with the measured time of the whole file, on one thread of {result["processor"]}. The
        goal is a ratio between 0.85 and 1.15."""
    return f"""## Accuracy of the latency table

{paragraph(text)}

{markdown(("network", "size", "sum / whole"), rows)}
"""


def _thousands(row: dict[str, int], *names: str) -> tuple[str, ...]:
    return tuple(f"{row[name]:,}" for name in names)


def _change(row: dict[str, int], *names: str) -> tuple[str, ...]:
    return tuple(f"{row[name]:+,}" for name in names)


def plot(result: Measurements, path: Path) -> None:
    """Plot accuracy against arena, file size and NPU time."""
    pyplot = quiet_pyplot()
    figure, panels = pyplot.subplots(1, 3, figsize=(13, 5), sharey=True, layout="constrained")
    axes = (
        ("arena", 1024, "arena, KiB", _RAM_LINES),
        ("bytes", 1024, "file, KiB", sorted({row["flash_kib"] for row in result["budgets"]})),
        ("npu_ms", 1, f"{result['npu']}, ms", ()),
    )
    for panel, (key, unit, title, lines) in zip(panels, axes, strict=True):
        for index, name in enumerate(dict.fromkeys(row["model"] for row in result["grid"])):
            own = [row for row in result["grid"] if row["model"] == name]
            for alpha in sorted({row["alpha"] for row in own}):
                same = [row for row in own if row["alpha"] == alpha]
                points = [row[key] / unit for row in same], [row["top1"] for row in same]
                label = name if alpha == own[0]["alpha"] else None
                panel.plot(*points, "o-", ms=4, lw=1, color=f"C{index}", label=label)
                panel.annotate(f" {alpha:g}", (points[0][-1], points[1][-1]), fontsize=7)
        values = [row[key] / unit for row in result["grid"]]
        log_axis(panel, title, [line for line in lines if min(values) < line < max(values)])
    panels[0].set_ylabel("ImageNet top-1, %")
    legend(figure, "one line per alpha, sizes 64 to 160")
    save(figure, path)
