"""What networks cost on microcontrollers and NPUs: writes docs/micro.md, .json and .png.

    python benchmarks/micro.py [--npu ethos-u55-128] [--only SECTION]

Figures: file and arena from TensorFlow Lite Micro, time from Vela, accuracy from the published
ImageNet table. The latency table's honesty is a ratio, measured side by side.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from export.choose import choose
from export.fuse import fuse_hard_swish
from export.latency import LatencyTable, processor, runner
from export.slim import slim, slimming
from export.synthetic import synthetic
from export.targets import MCU, measure
from export.tflm import measure_arena, record_arena
from export.timing import interleaved
from export.vela import compile_npu
from mobilenet_tf.models.expected import expected_top1
from mobilenet_tf.models.zoo import model_spec

DOCS = Path(__file__).resolve().parents[1] / "docs"
NETWORKS = {"v1": (0.25, 0.35, 0.5, 0.75), "v2": (0.25, 0.35, 0.5), "v3_small": (0.25, 0.5, 0.75)}
SIZES = (64, 96, 128, 160)
CLASSES = 2
# Flash and RAM that a device has left for the model, KiB.
BUDGETS = ((256, 64), (256, 96), (512, 128), (768, 192), (1024, 256), (2048, 512))
SECTIONS = ("budgets", "grid", "steps", "hard_swish", "honesty")
REFERENCE = {"bytes": 333_288, "arena": 103_680}  # MLPerf Tiny's visual wake words model
HONESTY = (
    ("v1", 0.25, 96),
    ("v1", 1.0, 160),
    ("v2", 0.35, 96),
    ("v2", 1.0, 224),
    ("v3_small", 0.5, 96),
    ("v3_small", 1.0, 224),
    ("v3_large", 0.75, 160),
)


def converted(spec) -> bytes:
    """A really built, quantized and converted file, with weights as if trained."""
    import tf_keras as keras

    from export.tflite import convert
    from mobilenet_tf.data.load import load_data
    from mobilenet_tf.data.pipeline import calibration_pictures
    from mobilenet_tf.models.build import build_from_spec
    from mobilenet_tf.quantization.deploy import deploy_form
    from mobilenet_tf.quantization.qat import quantize_aware

    random, model = np.random.default_rng(0), build_from_spec(spec)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [weight.shape for weight in layer.get_weights()]
            layer.set_weights([random.uniform(0.7, 1.3, shape) for shape in shapes])
    pictures = calibration_pictures(load_data("digits", spec).train, spec, 64, 0)
    return convert(quantize_aware(deploy_form(model), pictures, spec.preprocessing), io="int8")


def steps() -> list[dict]:
    """What each step of making a file small is worth."""
    rows = []
    for name, stage in slimming(converted(model_spec("v1", 0.25, 96, CLASSES))):
        arena = measure_arena(stage)
        rows.append({"step": name, "bytes": len(stage), "arena": arena.needed})
    return rows


def budgets() -> list[dict]:
    """The best that fits a microcontroller's flash and RAM."""
    rows = []
    for flash, ram in BUDGETS:
        result = choose({"size": flash * 1024, "ram": ram * 1024}, MCU, CLASSES)
        best = result["best"] or {}
        rows.append({"flash_kib": flash, "ram_kib": ram, "best": best, "binds": result["binds"]})
    return rows


def grid(npu: str) -> list[dict]:
    """alpha x size."""
    rows = []
    for name, alphas in NETWORKS.items():
        for alpha in alphas:
            for size in SIZES:
                spec = model_spec(name, alpha, size, CLASSES)
                micro, accelerated = measure(spec), measure(spec, npu)
                top1, basis = expected_top1(name, alpha, size)
                rows.append(
                    {
                        "model": name,
                        "alpha": alpha,
                        "size": size,
                        "bytes": micro["flash"],
                        "arena": micro["arena"],
                        "npu_ms": accelerated["milliseconds"],
                        "npu_cycles": accelerated["cycles"],
                        "npu_sram": accelerated["arena"],
                        "ops": accelerated["ops"],
                        "ops_on_npu": accelerated["ops_on_npu"],
                        "top1": round(top1, 1),
                        "basis": basis,
                    }
                )
    return rows


def hard_swish(npu: str) -> list[dict]:
    """The same V3-Small with hard-swish as phones run it, and as one operator."""
    plain = synthetic(model_spec("v3_small", 0.75, 96, CLASSES), fused=False)
    rows = []
    for name, content in (("x * relu6(x + 3)", plain), ("HARD_SWISH", fuse_hard_swish(plain))):
        small, figures = slim(content), compile_npu(content, npu)[1]
        rows.append(
            {
                "form": name,
                "bytes": len(small),
                "arena": record_arena(small).needed,
                "npu_cycles": figures["cycles"],
                "npu_sram": figures["sram_bytes"],
            }
        )
    return rows


def honesty(folder: Path) -> list[dict]:
    """The sum of measured parts over the time of the whole file, processor time, one thread."""
    rows, table = [], LatencyTable(1, folder / "latency.json")
    for values in HONESTY:
        spec = model_spec(*values, 10)
        # Parts and whole one right after the other: a busy machine changes from minute to minute.
        table.measure([spec])
        whole = {"whole": runner(synthetic(spec, fused=False))}
        times = interleaved(whole, 40, clock=time.thread_time)["whole"]
        row = {"model": spec.name, "alpha": spec.alpha, "size": spec.size}
        rows.append(row | {"sum_over_whole": table.milliseconds(spec) / float(np.median(times))})
    return rows


def budget_row(row: dict) -> tuple:
    """A row of the first table."""
    best = row["best"]
    head = f"{row['flash_kib']} KiB", f"{row['ram_kib']} KiB"
    if not best:
        return (*head, f"none: {', '.join(row['binds'])} binds", *"-----")
    sizes = f"{best['bytes']:,}", f"{best['ram']:,}"
    return (*head, best["model"], best["alpha"], best["size"], *sizes, f"{best['top1']:.1f}")


def page(result: dict) -> str:
    """docs/micro.md."""
    npu = result["npu"]
    first, last = result["steps"][0], result["steps"][-1]

    def rows(names: list[str], entries) -> str:
        lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
        return "\n".join(
            [*lines, *("| " + " | ".join(map(str, entry)) + " |" for entry in entries)]
        )

    return f"""# Networks on microcontrollers and NPUs

Written by `benchmarks/micro.py`; do not edit. {CLASSES} classes, 3 channels, int8. File and arena
as TensorFlow Lite Micro's interpreter needs them on a 64-bit machine (a 32-bit device needs less);
time by Vela for {npu}, its default system. ImageNet accuracy is that of the published float
models: a guide for choosing, no promise for other data.

![trade-off](micro.png)

## I have N KB

The best expected accuracy in the flash and the RAM that are left for the model, by
`mobilenet-tf choose --target mcu --max-size FLASH --max-ram RAM --classes {CLASSES}`.

{
        rows(
            [
                "flash",
                "RAM",
                "network",
                "alpha",
                "size",
                "file, bytes",
                "arena, bytes",
                "ImageNet top-1, %",
            ],
            map(budget_row, result["budgets"]),
        )
    }

## alpha x size

{
        rows(
            [
                "network",
                "alpha",
                "size",
                "file, bytes",
                "arena, bytes",
                f"{npu}, ms",
                "its SRAM, bytes",
                "operators on NPU",
                "ImageNet top-1, %",
                "known by",
            ],
            (
                (
                    r["model"],
                    r["alpha"],
                    r["size"],
                    f"{r['bytes']:,}",
                    f"{r['arena']:,}",
                    f"{r['npu_ms']:.2f}",
                    f"{r['npu_sram']:,}",
                    f"{r['ops_on_npu']} of {r['ops']}",
                    r["top1"],
                    r["basis"],
                )
                for r in result["grid"]
            ),
        )
    }

## Visual wake words: what each step is worth

V1 0.25 at 96x96, {CLASSES} classes, really converted. MLPerf Tiny's reference for the same network
has {REFERENCE["bytes"]:,} bytes and takes an arena of {REFERENCE["arena"]:,}; here
{last["bytes"]:,} ({last["bytes"] / REFERENCE["bytes"]:.0%}) and
{last["arena"]:,} ({last["arena"] / REFERENCE["arena"]:.0%}), from {first["bytes"]:,} as converted.

{
        rows(
            ["after", "file, bytes", "arena, bytes"],
            ((r["step"], f"{r['bytes']:,}", f"{r['arena']:,}") for r in result["steps"]),
        )
    }

## Hard-swish

V3-Small 0.75 at 96x96, the same integers in both files.

{
        rows(
            ["form", "file, bytes", "arena, bytes", f"{npu}, cycles", "its SRAM, bytes"],
            (
                (
                    f"`{r['form']}`",
                    f"{r['bytes']:,}",
                    f"{r['arena']:,}",
                    f"{r['npu_cycles']:,}",
                    f"{r['npu_sram']:,}",
                )
                for r in result["hard_swish"]
            ),
        )
    }

## How honest the latency table is

The sum of a network's parts from the table of `choose`, over the measured whole.

{
        rows(
            ["network", "alpha", "size", "sum / whole"],
            (
                (r["model"], r["alpha"], r["size"], f"{r['sum_over_whole']:.2f}")
                for r in result["honesty"]
            ),
        )
    }
"""


def plot(result: dict, path: Path) -> None:
    """Accuracy against arena and against NPU time; marker area is the file's size."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 5), sharey=True)
    for name in NETWORKS:
        own = [row for row in result["grid"] if row["model"] == name]
        top1, area = [r["top1"] for r in own], [r["bytes"] / 8000 for r in own]
        left.scatter([r["arena"] / 1024 for r in own], top1, s=area, alpha=0.6, label=name)
        right.scatter([r["npu_ms"] for r in own], top1, s=area, alpha=0.6, label=name)
    left.set(xscale="log", xlabel="arena, KiB", ylabel="ImageNet top-1, %")
    for limit in (64, 128, 256):
        left.axvline(limit, ls=":", color="grey")
    right.set(xscale="log", xlabel=f"{result['npu']}, ms")
    right.legend(title="area: file size")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def main() -> None:
    """Measure and write."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--npu", default="ethos-u55-128")
    parser.add_argument("--only", choices=SECTIONS, help="measure one section again, keep the rest")
    options = parser.parse_args()
    kept = DOCS / "micro.json"
    result = json.loads(kept.read_text(encoding="utf-8")) if options.only else {}
    npu = result.setdefault("npu", options.npu)
    result["processor"] = processor()
    with tempfile.TemporaryDirectory() as folder:
        measures = (budgets, grid, steps, hard_swish, honesty)
        arguments = ((), (npu,), (), (npu,), (Path(folder),))
        for name, measure_it, given in zip(SECTIONS, measures, arguments, strict=True):
            if options.only in (None, name):
                result[name] = measure_it(*given)
    DOCS.mkdir(exist_ok=True)
    kept.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (DOCS / "micro.md").write_text(page(result), encoding="utf-8")
    plot(result, DOCS / "micro.png")


if __name__ == "__main__":
    main()
