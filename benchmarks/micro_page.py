"""docs/micro.md and micro.png from docs/micro.json, see `benchmarks.micro`."""

from pathlib import Path

from benchmarks.tables import markdown
from mobilenet_tf.core.plotting import legend, log_axis, quiet_pyplot, save

CLASSES = 2
REFERENCE = {"bytes": 333_288, "arena": 103_680}  # MLPerf Tiny's visual wake words model
_RAM_LINES = (64, 96, 128, 192, 256)  # KiB, as in the table of budgets


def page(result: dict) -> str:
    """The whole document."""
    npu = result["npu"]
    head = f"""# Networks on microcontrollers and NPUs

Written by `benchmarks/micro.py`; do not edit. {CLASSES} classes, 3 channels, int8. File and arena
as TensorFlow Lite Micro's interpreter needs them on a 64-bit machine (a 32-bit device needs less);
time by Vela for {npu}, its default system. ImageNet accuracy is that of the published float
models: a guide for choosing, no promise for other data.

![trade-off](micro.png)
"""
    sections = (_budgets, _grid, _steps, _anatomy, _tried, _hard_swish, _honesty)
    return "\n".join([head, *(section(result) for section in sections)])


def budgets_table(result: dict) -> str:
    """What fits in the flash and the RAM that devices have left."""
    rows = []
    for row in result["budgets"]:
        best, device = row["best"], (f"{row['flash_kib']} KiB", f"{row['ram_kib']} KiB")
        if best:
            name = f"{best['model']} {best['alpha']:g}", best["size"]
            rows.append((*device, *name, *_thousands(best, "flash", "ram"), f"{best['top1']:.1f}"))
        else:
            rows.append((*device, "none fits", *"----"))
    names = ("flash", "RAM", "network", "size", "file, bytes", "arena, bytes", "ImageNet top-1, %")
    return markdown(names, rows)


def _budgets(result: dict) -> str:
    return f"""## I have N KB

The best expected accuracy in the flash and the RAM that are left for the model, by
`mobilenet-tf choose --device mcu --max-flash FLASH --max-ram RAM --classes {CLASSES}`.

{budgets_table(result)}
"""


def _grid(result: dict) -> str:
    npu = result["npu"]
    names = ("network", "size", "file, bytes", "arena, bytes", "+ M4", "+ M55")
    names += (f"{npu}, ms", "its SRAM, bytes", "operators on NPU", "ImageNet top-1, %")
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
    return f"""## alpha x size

"+ M4" and "+ M55": bytes of arena in addition with CMSIS-NN's kernels on Cortex-M4, M7 and M33, or
on M55 and M85, computed from its formulas.

{markdown(names, rows)}
"""


def _steps(result: dict) -> str:
    first, last = result["steps"][0], result["steps"][-1]
    rows = [(row["step"], *_thousands(row, "bytes", "arena")) for row in result["steps"]]
    return f"""## Visual wake words: what each step is worth

V1 0.25 at 96x96, {CLASSES} classes, really converted. MLPerf Tiny's reference for the same network
has {REFERENCE["bytes"]:,} bytes and takes an arena of {REFERENCE["arena"]:,}. Here it is
{last["bytes"]:,} bytes ({last["bytes"] / REFERENCE["bytes"]:.0%}), from {first["bytes"]:,} as
converted, and an arena of {last["arena"]:,} ({last["arena"] / REFERENCE["arena"]:.0%}).

{markdown(("after", "file, bytes", "arena, bytes"), rows)}
"""


def _anatomy(result: dict) -> str:
    tables = (
        markdown((f"the {where}", "bytes"), [(name, f"{size:,}") for name, size in parts.items()])
        for where, parts in result["anatomy"].items()
    )
    return (
        """### What is left of it

No plan of the arena can take less for activations than its lower bound, the most that is needed
at one operator, and this one takes just that. The operators form a chain, so there is no other
order to run them in. The interpreter keeps a multiplier and a shift per channel, also where a
whole tensor has one scale.

"""
        + "\n\n".join(tables)
        + "\n"
    )


def _tried(result: dict) -> str:
    rows = [(row["what"], *_change(row, "bytes", "arena"), row["why"]) for row in result["tried"]]
    return f"""### What else was tried, and not taken

{markdown(("", "file, bytes", "arena, bytes", "because"), rows)}
"""


def _hard_swish(result: dict) -> str:
    names = ("form", "file, bytes", "arena, bytes", f"{result['npu']}, cycles", "its SRAM, bytes")
    keys = ("bytes", "arena", "npu_cycles", "npu_sram")
    rows = [(f"`{row['form']}`", *_thousands(row, *keys)) for row in result["hard_swish"]]
    return f"""## Hard-swish

V3-Small 0.75 at 96x96, the same integers in both files.

{markdown(names, rows)}
"""


def _honesty(result: dict) -> str:
    rows = [
        (f"{row['model']} {row['alpha']:g}", row["size"], f"{row['sum_over_whole']:.2f}")
        for row in result["honesty"]
    ]
    return f"""## How honest the latency table is

The sum of a network's parts from the table of `choose`, over the measured whole, one thread of
{result["processor"]}. Between 0.85 and 1.15 is what is asked of it.

{markdown(("network", "size", "sum / whole"), rows)}
"""


def _thousands(row: dict, *names: str) -> tuple[str, ...]:
    return tuple(f"{row[name]:,}" for name in names)


def _change(row: dict, *names: str) -> tuple[str, ...]:
    return tuple(f"{row[name]:+,}" for name in names)


def plot(result: dict, path: Path) -> None:
    """Accuracy against arena, file and NPU time."""
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
    legend(figure, "a line per alpha, sizes 64 to 160")
    save(figure, path)
