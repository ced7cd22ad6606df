"""What compressed kernels save on a microcontroller and an NPU: tables in docs/compression.md.

    python -m benchmarks.compressed

Networks have random weights, which are pruned and clustered as integers, without training: size,
memory and results do not depend on what a network has learned. Accuracy is not measured here.
"""

import json
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.compression.clustering import cluster
from mobilenet_tf.compression.product_quantization import product_quantize
from mobilenet_tf.compression.pruning import prune
from mobilenet_tf.core.weight_hash import hash_weights, stored_values
from mobilenet_tf.deployment.devices.ethos_u import compile_npu
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel, record_arena
from mobilenet_tf.deployment.tflite.compressed.compress import AUTO, INTERPRETER
from mobilenet_tf.deployment.tflite.compressed.decode_operator import (
    CONVOLUTIONS,
    KERNEL,
    kernel_forms,
    kernels_of,
)
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model
from mobilenet_tf.networks.zoo import make_network

SIZE, CLASSES = 96, 2
NPU = "ethos-u55-128"
NETWORKS = (("v1", 0.25), ("v2", 0.35), ("v3_small", 0.35))
# Title -> (clusters, sparsity).
WEIGHTS: dict[str, tuple[int | None, float]] = {
    "as they are": (None, 0.0),
    "16 values": (16, 0.0),
    "75 % zeros": (None, 0.75),
    "16 values, 75 % zeros": (16, 0.75),
}
SHOWN = "16 values, 75 % zeros"  # of the first network: whose kernels are listed
_LAYER_FIELDS = ("op", "shape", "stored_as", "stored_bytes", "ratio", "entropy")
_LAYERS_SHOWN = 8
_SQUARE = 200  # pixels of the photos that are cut out
Rows = list[dict[str, Any]]


def with_shared_weights(content: bytes, clusters: int | None, sparsity: float) -> bytes:
    """Return an int8 file with the integers of its convolutions pruned, then clustered.

    Depthwise kernels stay as they are.
    """

    def share(kernel: np.ndarray) -> np.ndarray:
        kernel = prune(kernel, sparsity)
        return cluster(kernel, clusters, keep_zeros=sparsity > 0).kernel if clusters else kernel

    return with_kernels(content, share)


def with_vectors(content: bytes, count: int = 64, length: int = 2) -> bytes:
    """Return an int8 file whose full convolutions consist of few vectors where `length` fits."""

    def quantize(kernel: np.ndarray) -> np.ndarray:
        if kernel.shape[-1] % length:
            return kernel
        rows = kernel.reshape(len(kernel), -1)
        return product_quantize(rows, count, length).rows.reshape(kernel.shape)

    return with_kernels(content, quantize)


def with_hashed_weights(content: bytes, ratio: int = 2) -> bytes:
    """Return an int8 file with hashed weights in its full convolutions."""

    def hashed(kernel: np.ndarray) -> np.ndarray:
        size = stored_values(kernel.size, ratio)
        places, signs = hash_weights(np.arange(kernel.size), size)
        sums = np.bincount(places, kernel.reshape(-1) * signs, size)
        means = sums / np.maximum(np.bincount(places, minlength=size), 1)
        return (means[places] * signs).reshape(kernel.shape)

    return with_kernels(content, hashed)


def with_narrow_kernels(content: bytes) -> bytes:
    """Return an int8 file with integers from -7 to 7 in all convolutions, at such scales."""
    return with_kernels(content, lambda kernel: kernel * (7 / 127), CONVOLUTIONS, 127 / 7)


def with_kernels(
    content: bytes,
    change: Callable[[np.ndarray], np.ndarray],
    kinds: Collection[str] = ("CONV_2D",),
    scale: float = 1.0,
) -> bytes:
    """Return an int8 file with other kernels, rounded, in the convolutions of some kinds.

    Args:
        content: The file.
        change: Kernel, output channels first -> the other kernel.
        kinds: Operators that are changed.
        scale: Factor of the kernels' scales.
    """
    model = parse_model(content)
    names = op_names(model)
    for _, op, values, _ in list(kernels_of(model)):
        if names[op.opcodeIndex] in kinds:
            kernel = model.subgraphs[0].tensors[op.inputs[KERNEL]]
            integers = np.rint(change(values)).astype(np.int8)
            model.buffers[kernel.buffer].data = integers.view(np.uint8).reshape(-1)
            kernel.quantization.scale = kernel.quantization.scale * np.float32(scale)
    return pack_shared(model)


def photos() -> np.ndarray:
    """Return int8 (12, SIZE, SIZE, 3): squares of the photos that come with scikit-learn."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    squares = [
        Image.fromarray(photo[top : top + _SQUARE, left : left + _SQUARE]).resize((SIZE, SIZE))
        for photo in load_sample_images().images
        for top in range(0, photo.shape[0] - _SQUARE + 1, _SQUARE)
        for left in range(0, photo.shape[1] - _SQUARE + 1, _SQUARE)
    ]
    return (np.stack([np.asarray(square) for square in squares]).astype(int) - 128).astype(np.int8)


def measure() -> dict[str, Rows]:
    """Return a row per network and kind of weights, and the kernels of one of the files."""
    rows: Rows = []
    layers: Rows = []
    inputs = photos()
    for name, alpha in NETWORKS:
        content = int8_file(make_network(name, alpha, SIZE, CLASSES))
        for title, settings in WEIGHTS.items():
            shared = with_shared_weights(content, *settings)
            form, (_, estimate) = McuForm(shared, AUTO), compile_npu(shared, NPU)
            before, after = record_arena(form.plain), record_arena(form.small)
            outputs = [MicroModel(data).run(inputs) for data in (form.plain, form.small)]
            rows.append(
                {
                    "network": f"{name} {alpha:g}",
                    "weights": title,
                    "plain_bytes": len(form.plain),
                    "bytes": len(form.small),
                    "kernels": kernel_forms(form.small),
                    "plain_arena": before.needed,
                    "arena": after.needed,
                    "plain_activations": before.activations,
                    "activations": after.activations,
                    "pictures": len(inputs),
                    "different": int((outputs[0] != outputs[1]).any(axis=1).sum()),
                    "npu": estimate,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
            layers = layers or [
                {field: layer[field] for field in _LAYER_FIELDS}
                for layer in (inspect(form.small)["layers"] if title == SHOWN else ())
            ]
    return {"rows": rows, "layers": layers}


def savings(result: dict[str, Rows]) -> str:
    """Return the table of files as Markdown, and what it was measured with."""
    cells = [
        (
            row["network"],
            row["weights"],
            f"{row['plain_bytes']:,}",
            f"{row['bytes']:,}",
            f"{row['bytes'] / row['plain_bytes'] - 1:+.0%}",
            ", ".join(f"{count} {form}" for form, count in row["kernels"].items()),
            f"{row['plain_arena']:,}",
            f"{row['arena']:,}",
            f"{row['activations'] - row['plain_activations']:,}",
            f"{row['different']} of {row['pictures']}",
        )
        for row in result["rows"]
    ]
    names = (
        *("network", "weights", "plain, bytes", "auto, bytes", "change", "kernels stored as"),
        *("plain arena", "arena", "more activations", "pictures with other outputs"),
    )
    note = f"""{SIZE}x{SIZE} pixels, {CLASSES} classes, in TensorFlow Lite Micro's interpreter on a
        64-bit machine. Activations are the part of the arena that operators share; the rest of its
        growth is what the interpreter keeps of each additional operator. The code of the decoders,
        up to {INTERPRETER.code:,} bytes, is linked once and not in the table."""
    return f"{markdown(names, cells)}\n\n{paragraph(note)}"


def on_npu(result: dict[str, Rows]) -> str:
    """Return the table of what Vela makes of the same files as Markdown."""
    plain = next(iter(WEIGHTS))
    before = {row["network"]: row["npu"] for row in result["rows"] if row["weights"] == plain}
    cells = [
        (
            row["network"],
            row["weights"],
            f"{row['npu']['flash_bytes']:,}",
            f"{row['npu']['flash_bytes'] / before[row['network']]['flash_bytes'] - 1:+.0%}",
            f"{row['npu']['cycles']:,}",
            f"{row['npu']['cycles'] / before[row['network']]['cycles'] - 1:+.0%}",
            f"{row['npu']['milliseconds']:.2f}",
            f"{row['npu']['sram_bytes']:,}",
            f"{row['npu']['ops_on_npu']} of {row['npu']['ops']}",
        )
        for row in result["rows"]
    ]
    names = (
        *("network", "weights", "flash, bytes", "change", "cycles", "change", "ms"),
        *("SRAM, bytes", "operators on the NPU"),
    )
    note = f"""The files of the table of [savings](#what-it-saves), with plain kernels, compiled for
        {NPU} by Vela, which estimates all figures. Flash is weights and commands."""
    return f"{markdown(names, cells)}\n\n{paragraph(note)}"


def kernels(result: dict[str, Rows]) -> str:
    """Return the kernels of one file as Markdown: the last ones, which are the largest."""
    cells = [
        (
            f"{layer['op']} {' x '.join(map(str, layer['shape']))}",
            layer["stored_as"],
            f"{layer['stored_bytes']:,}",
            f"{layer['ratio']:.2f}",
            f"{layer['entropy']:.2f}",
        )
        for layer in result["layers"][-_LAYERS_SHOWN:]
    ]
    names = ("kernel", "stored as", "bytes", "ratio", "entropy, bits")
    return markdown(names, cells)


_SOURCE = "compressed"
SECTIONS = (
    Section("savings", savings, "docs/compression.md", source=_SOURCE),
    Section("kernels", kernels, "docs/compression.md", source=_SOURCE),
    Section("compressed_npu", on_npu, "docs/compression.md", source=_SOURCE),
)


if __name__ == "__main__":
    measured = measure()
    for section in SECTIONS:
        section.save(measured)
