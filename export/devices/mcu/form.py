"""The forms of an int8 file that microcontrollers need."""

from dataclasses import dataclass
from functools import cached_property

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


@dataclass(frozen=True)
class McuForm:
    """An int8 file with the forms of it that microcontrollers need.

    Attributes:
        converted: The file as converted, with int8 input and output.
        compress: How kernels are stored: one of `Decoders.forms`, or `int4`.
        decoders: What the program pays for decoding them.
    """

    converted: bytes
    compress: str = NONE
    decoders: Decoders = INTERPRETER

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
        compressed = compress_weights(self.fused, self.compress, self.decoders)
        return self.plain if compressed is self.fused else shrink(compressed)

    @cached_property
    def arena(self) -> Arena:
        """The arena that it needs, found by execution, which takes seconds."""
        return measure_arena(self.small)
