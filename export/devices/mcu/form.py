"""The forms of an int8 file that microcontrollers need."""

from dataclasses import dataclass
from functools import cached_property
from math import inf

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.interpreter import Arena, measure_arena
from mobilenet_tf.deployment.tflite.compressed.compress import (
    INTERPRETER,
    NONE,
    Decoders,
    compress_weights,
)
from mobilenet_tf.deployment.tflite.compressed.int4 import int4_weights
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.kernels import INT4
from mobilenet_tf.deployment.tflite.shrink import shrink

# How far the arena may grow for the sake of flash: times the activations' peak.
_GROWTHS = (1.0, 1.5, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class McuForm:
    """An int8 file with the forms of it that microcontrollers need.

    Attributes:
        converted: The file as converted, with int8 input and output.
        compress: How kernels are stored: one of `Decoders.forms`, or `int4`.
        decoders: What the program pays for decoding them.
        max_bytes: What the file should fit into: the arena grows for kernels to be encoded, if
            it does not fit otherwise.
    """

    converted: bytes
    compress: str = NONE
    decoders: Decoders = INTERPRETER
    max_bytes: float | None = None

    @cached_property
    def fused(self) -> bytes:
        """The file with hard-swish as one operator."""
        return fuse_hard_swish(self.converted)

    @cached_property
    def plain(self) -> bytes:
        """That file in the form that TensorFlow Lite Micro runs, with a memory plan."""
        return shrink(self.fused)

    @cached_property
    def small(self) -> bytes:
        """The same with kernels stored as `compress` says; `plain` itself if that saves nothing."""
        if self.compress == INT4:
            return shrink(int4_weights(self.fused, dense=False))
        for growth in _GROWTHS:
            try:
                compressed = compress_weights(self.fused, self.compress, self.decoders, growth)
            except UserError:  # no kernel has room once decoded, for now
                if self.max_bytes is None or growth == _GROWTHS[-1]:
                    raise
                continue
            small = self.plain if compressed is self.fused else shrink(compressed)
            if len(small) <= (self.max_bytes or inf):
                break
        return small

    @cached_property
    def arena(self) -> Arena:
        """The arena that it needs, found by execution, which takes seconds."""
        return measure_arena(self.small)
