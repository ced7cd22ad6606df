"""What networks cost on microcontrollers and NPUs: docs/micro.md, .json, .png, a table in README.

    python -m benchmarks.micro [--npu ethos-u55-128] [--only SECTION]

Figures: file and arena from TensorFlow Lite Micro, time from Vela, accuracy from the published
ImageNet table. The latency table's honesty is a ratio, measured side by side.
"""

import argparse
import json
import tempfile
import time
from functools import cache
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from benchmarks.micro_page import CLASSES, budgets_table, page, plot
from benchmarks.tables import replace_section
from mobilenet_tf.core.system import processor
from mobilenet_tf.core.terminal import import_tensorflow
from mobilenet_tf.deployment.devices.cpu import Cpu, runner
from mobilenet_tf.deployment.devices.ethos_u import compile_npu
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.interpreter import measure_arena, record_arena
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.devices.tables import MCU, cost_table
from mobilenet_tf.deployment.devices.timing import interleaved
from mobilenet_tf.deployment.tflite.flatbuffer import SharingBuilder, pack
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.memory_plan import lifetimes, lower_bound
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.shrink import STEPS, drop_unused, shrink, shrink_steps
from mobilenet_tf.networks.published.accuracy import expected_top1
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.choose import choose
from mobilenet_tf.selection.cost import Budget

DOCS = Path(__file__).resolve().parents[1] / "docs"
NETWORKS = {"v1": (0.25, 0.35, 0.5, 0.75), "v2": (0.25, 0.35, 0.5), "v3_small": (0.25, 0.5, 0.75)}
SIZES = (64, 96, 128, 160)
# Flash and RAM that a device has left for the model, KiB.
BUDGETS = ((256, 64), (256, 96), (512, 128), (768, 192), (1024, 256), (2048, 512))
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
    import_tensorflow()
    import tf_keras as keras

    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import calibration_images
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.networks.keras_model import build_network

    random, model = np.random.default_rng(0), build_network(spec)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [weight.shape for weight in layer.get_weights()]
            layer.set_weights([random.uniform(0.7, 1.3, shape) for shape in shapes])
    pictures = calibration_images(load_data("digits", spec.input).train, spec, 64, 0)
    return convert(quantize_aware(deploy_form(model), pictures, spec.input), io="int8")


@cache
def wake_words() -> bytes:
    """Visual wake words as converted: V1 0.25 at 96x96."""
    return converted(make_network("v1", 0.25, 96, CLASSES))


def steps(content: bytes) -> list[dict]:
    """What each step of making a file small is worth."""
    rows = []
    for name, stage in shrink_steps(content):
        arena = measure_arena(stage)
        rows.append({"step": name, "bytes": len(stage), "arena": arena.needed})
    return rows


def anatomy(content: bytes) -> dict[str, dict[str, int]]:
    """What the bytes of the small file and of its arena are for."""
    small = shrink(content)
    model, arena = parse_model(small), measure_arena(small)
    kernels = biases = scales = 0
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        count = 0 if data is None else len(data)
        if len(tensor.shape) == 4 and count:
            kernels += count
            scales += 4 * len(tensor.quantization.scale)
        elif tensor.type == schema.TensorType.INT32 and tensor.shape[0] > 2:
            biases += count
    # A multiplier and a shift for each of the kernels' scales.
    channels, bound = 2 * scales, lower_bound(lifetimes(model).values())
    return {
        "file": {
            "kernels, int8": kernels,
            "biases, int32": biases,
            "scales of kernels, float32": scales,
            "structure, plan, alignment": len(small) - kernels - biases - scales,
        },
        "arena": {
            "activations": arena.activations,
            "their lower bound": bound,
            "multipliers and shifts of channels": channels,
            "other structures of the interpreter": arena.needed - arena.activations - channels,
        },
    }


def tried(content: bytes) -> list[dict]:
    """What other changes would do to the small file, and why they are not made."""
    small = shrink(content)
    before = len(small), measure_arena(small).needed
    without = parse_model(content)
    graph = without.subgraphs[0]
    graph.operators = graph.operators[:-2]
    graph.outputs = graph.operators[-1].outputs
    drop_unused(without)
    model = parse_model(content)
    for _, step in STEPS:
        step(model)
    changes = (
        ("no SOFTMAX and its RESHAPE", shrink(pack(without)), "scores would be no probabilities"),
        ("weights on 4 bytes, not 16", pack(model, Narrow), "kernels may read 16 bytes at once"),
    )
    return [
        {
            "what": what,
            "bytes": len(data) - before[0],
            "arena": measure_arena(data).needed - before[1],
            "why": why,
        }
        for what, data, why in changes
    ]


class Narrow(SharingBuilder):
    """Weights on 4 bytes."""

    def StartVector(self, elemSize, numElems, alignment):
        return flatbuffers.Builder.StartVector(self, elemSize, numElems, max(4, alignment))


def budgets() -> list[dict]:
    """The best that fits a microcontroller's flash and RAM."""
    rows = []
    for flash, ram in BUDGETS:
        budget = Budget(flash=flash * 1024, ram=ram * 1024)
        best = choose(budget, cost_table(MCU), classes=CLASSES).best
        rows.append({"flash_kib": flash, "ram_kib": ram, "best": best.to_dict() if best else {}})
    return rows


def grid(npu: str) -> list[dict]:
    """alpha x size."""
    rows = []
    for name, alphas in NETWORKS.items():
        for alpha in alphas:
            for size in SIZES:
                spec = make_network(name, alpha, size, CLASSES)
                content = int8_file(spec)
                small, estimate = shrink(content), compile_npu(content, npu)[1]
                top1, basis = expected_top1(name, alpha, size)
                rows.append(
                    {
                        "model": name,
                        "alpha": alpha,
                        "size": size,
                        "bytes": len(small),
                        "arena": record_arena(small).needed,
                        **{core: scratch_beyond(small, core) for core in CORES},
                        "npu_ms": estimate["milliseconds"],
                        "npu_cycles": estimate["cycles"],
                        "npu_sram": estimate["sram_bytes"],
                        "ops": estimate["ops"],
                        "ops_on_npu": estimate["ops_on_npu"],
                        "top1": round(top1, 1),
                        "basis": basis,
                    }
                )
    return rows


def hard_swish(npu: str) -> list[dict]:
    """The same V3-Small with hard-swish as phones run it, and as one operator."""
    plain = int8_file(make_network("v3_small", 0.75, 96, CLASSES), fuse_hard_swish=False)
    rows = []
    for name, content in (("x * relu6(x + 3)", plain), ("HARD_SWISH", fuse_hard_swish(plain))):
        small, figures = shrink(content), compile_npu(content, npu)[1]
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
    rows, table = [], PartsTable(Cpu(1), path=folder / "latency.json")
    for values in HONESTY:
        spec = make_network(*values, 10)
        # Parts and whole one right after the other: a busy machine changes from minute to minute.
        table.measure([spec])
        whole = {"whole": runner(int8_file(spec, fuse_hard_swish=False))}
        times = interleaved(whole, 40, clock=time.thread_time)["whole"]
        row = {"model": spec.name, "alpha": spec.alpha, "size": spec.input.side}
        rows.append(row | {"sum_over_whole": table.milliseconds(spec) / float(np.median(times))})
    return rows


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        measures = {
            "budgets": lambda npu: budgets(),
            "grid": grid,
            "steps": lambda npu: steps(wake_words()),
            "anatomy": lambda npu: anatomy(wake_words()),
            "tried": lambda npu: tried(wake_words()),
            "hard_swish": hard_swish,
            "honesty": lambda npu: honesty(Path(folder)),
        }
        parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
        parser.add_argument("--npu", default="ethos-u55-128")
        parser.add_argument("--only", choices=measures, nargs="+", help="measure these again")
        parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
        options = parser.parse_args()
        kept = DOCS / "micro.json"
        again = options.only or options.page
        result = json.loads(kept.read_text(encoding="utf-8")) if again else {}
        npu = result.setdefault("npu", options.npu)
        for name, measure_it in measures.items():
            if not again or name in (options.only or ()):
                result[name] = measure_it(npu)
                if name == "honesty":
                    result["processor"] = processor()
    kept.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (DOCS / "micro.md").write_text(page(result), encoding="utf-8")
    replace_section(DOCS.parent / "README.md", "budgets", budgets_table(result))
    plot(result, DOCS / "micro.png")


if __name__ == "__main__":
    main()
