"""Name, shape and quantization of one tensor of a `.tflite`."""

import math
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.text import clean_name
from mobilenet_tf.deployment.tflite.parse import DTYPES


@dataclass(frozen=True)
class TensorInfo:
    """A tensor of the file.

    Attributes:
        name: Name that the converter gave it.
        dtype: "uint8", "int8", "float32" and so on.
        shape: Sides, batch first; -1 for a side that is not fixed.
        scale, zero_point: real = (integer - zero_point) * scale; None without quantization or
            if it is per channel.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None

    def dequantize(self, values: np.ndarray) -> np.ndarray:
        """Return real values as float32 of the same shape."""
        if self.scale is None or self.zero_point is None:
            return values.astype(np.float32)
        centred = values.astype(np.int32) - self.zero_point
        return centred.astype(np.float32) * np.float32(self.scale)

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """Return the nearest integers in the tensor's dtype.

        Raises:
            ValueError: The tensor is not quantized, or per channel.
        """
        if self.scale is None or self.zero_point is None:
            raise ValueError(f"{self.name} has no scale.")
        steps = np.rint(values.astype(np.float64) / self.scale) + self.zero_point
        limits = np.iinfo(self.dtype)
        return np.clip(steps, limits.min, limits.max).astype(self.dtype)


def tensor_info(tensor: schema.TensorT) -> TensorInfo:
    """Return the facts of one tensor of a parsed model."""
    shape = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    scales = getattr(tensor.quantization, "scale", None)
    scale = float(scales[0]) if scales is not None and len(scales) == 1 else None
    zero_points = getattr(tensor.quantization, "zeroPoint", None)
    if scale is None or zero_points is None or not len(zero_points):
        zero_point = 0
    else:
        zero_point = int(zero_points[0])
    return TensorInfo(
        name=(tensor.name or b"").decode("utf-8", "replace"),
        dtype=DTYPES.get(tensor.type, str(tensor.type)),
        shape=() if shape is None else tuple(int(side) for side in shape),
        scale=scale,
        zero_point=None if scale is None else zero_point,
    )


def check_quantization(tensor: TensorInfo, name: str) -> None:
    """Reject a scale or zero point with which integers have no values.

    Raises:
        UserError: The scale is not a finite number above 0, or the zero point is no such integer.
    """
    if tensor.scale is None or tensor.zero_point is None:
        return
    if not (math.isfinite(tensor.scale) and tensor.scale > 0):
        raise UserError(
            f"{name}: tensor {clean_name(tensor.name)} has the scale {tensor.scale:g}; it must be "
            "a finite number greater than 0."
        )
    limits = np.iinfo(np.int32 if "float" in tensor.dtype else tensor.dtype)
    if not limits.min <= tensor.zero_point <= limits.max:
        raise UserError(
            f"{name}: tensor {clean_name(tensor.name)} has the zero point {tensor.zero_point}; it "
            f"must be from {limits.min} to {limits.max}."
        )
