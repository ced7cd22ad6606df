"""The DECODE operator: kernels that are decoded in the arena, each before the operator it is for.

The codecs are those of `tflite/compressed`. Only what their ancillary data say is written
differently: as fields of a struct.
"""

from collections.abc import Callable

import numpy as np

from mobilenet_tf.deployment.devices.c.calls import Call, Layer, constant, operator
from mobilenet_tf.deployment.devices.c.program import Operator, Tensor
from mobilenet_tf.deployment.tflite.compressed import hashed, huffman, lookup, vectors
from mobilenet_tf.deployment.tflite.compressed.codecs import codec_name
from mobilenet_tf.deployment.tflite.compressed.decode_operator import DECODE
from mobilenet_tf.deployment.tflite.compressed.layout import HEADER_BYTES


@operator(DECODE)
def _decode(op: Operator) -> list[Call]:
    kernel = op.output
    if kernel.restored is None or kernel.zero_points.any():
        raise op.error("restores something else than a kernel with zero points of 0")
    encoded, ancillary = (constant(op, op.input(place)) for place in (0, 1))
    name = codec_name(ancillary.tobytes())
    fields = _FIELDS[name](ancillary.tobytes(), kernel)
    if fields is None:
        raise op.error(f"restores a kernel whose {name} form is none of this project's encoder")
    layer: Layer = {"encoded": encoded, "count": kernel.size, **fields}
    return [Call(f"mtf_unpack_{name}", layer, ())]


def _lookup_fields(ancillary: bytes, kernel: Tensor) -> Layer:
    width, stride = lookup.read_shape(ancillary)
    channels = len(kernel.scales) if stride else 1
    last = channels > 1 and kernel.axis > 0
    return {
        "tables": np.frombuffer(ancillary[HEADER_BYTES:], np.int8),
        "run": 1 if last else kernel.size // channels,
        "channels": channels,
        "width": width,
        "stride": stride,
    }


def _mask_fields(ancillary: bytes, kernel: Tensor) -> Layer:
    # An array of C has at least one element, even where all weights are 0.
    return {"values": np.frombuffer(ancillary[HEADER_BYTES:] or b"\0", np.int8)}


def _huffman_fields(ancillary: bytes, kernel: Tensor) -> Layer | None:
    bits, first = huffman.read_shape(ancillary)
    if bits != np.iinfo(np.uint16).bits:  # which int8 needs only with other codes than ours
        return None
    return {"tables": np.frombuffer(ancillary[HEADER_BYTES:], "<u2"), "first": first}


def _vector_fields(ancillary: bytes, kernel: Tensor) -> Layer:
    width, length = vectors.read_shape(ancillary)
    codebook = np.frombuffer(ancillary[HEADER_BYTES:], np.int8)
    return {"codebook": codebook, "width": width, "length": length}


def _hash_fields(ancillary: bytes, kernel: Tensor) -> Layer:
    start, size = hashed.read_numbers(ancillary)
    return {"start": start, "size": size}


_FIELDS: dict[str, Callable[[bytes, Tensor], Layer | None]] = {
    "lut": _lookup_fields,
    "prune": _mask_fields,
    "huffman": _huffman_fields,
    "pq": _vector_fields,
    "hash": _hash_fields,
}
