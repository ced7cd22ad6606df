"""Store the kernels of an int8 file encoded, with a DECODE operator before each convolution.

A decoded kernel is an activation: it is in the arena from its DECODE to its convolution. Kernels
are encoded where they find room below the peak that the activations have anyway, so that the arena
grows by the interpreter's structures only, or below a multiple of that peak where flash is short.
Where one does not fit as a whole, the convolution is split by output channels.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.compressed.codecs import (
    C_CODECS,
    CODECS,
    best_encoding,
    bytes_of,
)
from mobilenet_tf.deployment.tflite.compressed.decode_operator import (
    KERNEL,
    insert_decode,
    kernels_of,
    reader_counts,
)
from mobilenet_tf.deployment.tflite.compressed.layout import Encoded, Layout, Part
from mobilenet_tf.deployment.tflite.compressed.split import split_convolution
from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
from mobilenet_tf.deployment.tflite.memory_plan import (
    ALIGNMENT,
    arena_size,
    lifetimes,
    plan_offsets,
)
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused

NONE, AUTO = "none", "auto"
_FLASH_PER_RAM = 4  # bytes of flash that a byte of RAM is worth; microcontrollers have that ratio


@dataclass(frozen=True)
class Decoders:
    """What a program pays for decoding kernels.

    Attributes:
        code: Bytes of its decoders.
        flash: Bytes of flash that one more operator takes with its tensors.
        ram: Bytes of RAM that it takes.
        parts: The most inputs of a CONCATENATION, and so the most parts of a convolution.
        codecs: Names of the codecs that it can decode.
    """

    code: int
    flash: int
    ram: int
    parts: int
    codecs: tuple[str, ...] = tuple(C_CODECS)

    @property
    def forms(self) -> tuple[str, ...]:
        """What `compress_weights` accepts."""
        return NONE, AUTO, *self.codecs


# TensorFlow Lite Micro: the code that `AddDecode` links on a Cortex-M4 at -O2; 8,700 at -Os.
INTERPRETER = Decoders(code=22_000, flash=160, ram=240, parts=8, codecs=tuple(CODECS))


@dataclass(frozen=True)
class _Candidate:
    """A convolution whose kernel is worth encoding.

    Attributes:
        step: Number of the operator in the file.
        parts: The kernel, or its parts by output channels, encoded.
        decoded: Bytes of the whole kernel.
    """

    step: int
    parts: tuple[Encoded, ...]
    decoded: int

    @property
    def operators(self) -> int:
        """Operators that are added: a DECODE; or each part with its DECODE, and CONCATENATION."""
        return 1 if len(self.parts) == 1 else 2 * len(self.parts)

    @property
    def saved(self) -> int:
        """Bytes of weights that are saved."""
        return self.decoded - bytes_of(self.parts)


def compress_weights(
    content: bytes, form: str = AUTO, decoders: Decoders = INTERPRETER, growth: float = 1.0
) -> bytes:
    """Return the same int8 network with encoded kernels, for TensorFlow Lite Micro or plain C only.

    Args:
        content: The file. It has no memory plan yet; see `shrink`.
        form: `auto` for the best codec of each kernel, the name of one, or `none`.
        decoders: What the program pays for them.
        growth: How many times the activations' peak the arena may reach.

    Returns:
        The file. With `auto` it is `content` itself if encoding saves less than the decoders take.

    Raises:
        UserError: No kernel becomes a fifth smaller with the codec that was asked for.
    """
    if form == NONE:
        return content
    model, names = parse_model(content), decoders.codecs if form == AUTO else (form,)
    most = int(growth * _arena(model))
    chosen = list(_candidates(model, names, decoders, most))
    while chosen:
        model = parse_model(content)
        _encode(model, chosen)
        if _arena(model) <= most:
            break
        # The plan did not find the room that there is: do without the largest kernel.
        chosen.remove(max(chosen, key=lambda one: one.decoded))
    if form != AUTO and not chosen:
        raise UserError(
            f"--compress {form} makes no kernel of the model a fifth smaller within its arena: its "
            "weights were not made so in training, or have no room once decoded. --compress auto "
            "takes what helps."
        )
    saved = sum(one.saved - one.operators * decoders.flash for one in chosen)
    if form == AUTO and saved < decoders.code:
        return content
    drop_unused(model)
    return pack_shared(model)


def _arena(model: schema.ModelT) -> int:
    tensors = list(lifetimes(model).values())
    return arena_size(tensors, plan_offsets(tensors))


def _candidates(
    model: schema.ModelT, names: Collection[str], decoders: Decoders, most: int
) -> Iterator[_Candidate]:
    """Yield the convolutions whose kernels are worth encoding and have room in `most` bytes."""
    kinds = op_names(model)
    alive, readers = lifetimes(model), reader_counts(model)
    for step, op, values, layout in kernels_of(model):
        if readers[op.inputs[KERNEL]] > 1:
            continue
        kind = kinds[op.opcodeIndex]
        used = [one.aligned_size for one in alive.values() if one.first <= step <= one.last]
        output = alive[int(op.outputs[0])].aligned_size
        limit = min(layout.shape[0], decoders.parts) if kind == "CONV_2D" else 1
        parts = list(_split(values, layout, _parts(layout, most - sum(used), output, limit)))
        best = best_encoding(parts, names) if parts else None
        candidate = _Candidate(step, best[1] if best else (), layout.bytes)
        worth = candidate.operators * (decoders.flash + _FLASH_PER_RAM * decoders.ram)
        if candidate.parts and candidate.saved > worth:
            yield candidate


def _parts(layout: Layout, room: int, output: int, limit: int) -> int:
    """Return into how many parts a kernel is split to fit into the arena; 0 if none are enough.

    Args:
        layout: What it looks like.
        room: Bytes of the arena that are free while its convolution runs.
        output: Bytes of the convolution's output, which CONCATENATION needs a second time.
        limit: The most parts; 1 if it cannot be split.
    """
    channels = layout.shape[0]
    for parts in range(1, limit + 1):
        largest = layout.bytes // channels * -(-channels // parts)
        padding = parts * ALIGNMENT  # of the kernel and of the parts' outputs
        if largest + padding <= room and (parts == 1 or output + padding <= room):
            return parts
    return 0


def _split(values: np.ndarray, layout: Layout, parts: int) -> Iterator[Part]:
    """Yield the parts of a kernel as `split_convolution` makes them, and what they look like."""
    if parts == 1:
        yield values, layout
    elif parts > 1:
        points = np.array_split(layout.zero_points, parts) if layout.channels > 1 else None
        for number, part in enumerate(np.array_split(values, parts)):
            own = layout.zero_points if points is None else tuple(points[number].tolist())
            yield part, replace(layout, shape=part.shape, zero_points=own)


def _encode(model: schema.ModelT, chosen: Collection[_Candidate]) -> None:
    operators = list(model.subgraphs[0].operators)
    for one in chosen:
        op, count = operators[one.step], len(one.parts)
        convolutions = split_convolution(model, op, count) if count > 1 else [op]
        for part, encoded in zip(convolutions, one.parts, strict=True):
            insert_decode(model, part, encoded)
