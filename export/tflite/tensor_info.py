"""Name, shape and quantization of one tensor of a `.tflite`."""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

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
    zero_point = 0 if zero_points is None or scale is None else int(zero_points[0])
    return TensorInfo(
        name=(tensor.name or b"").decode("utf-8", "replace"),
        dtype=DTYPES.get(tensor.type, str(tensor.type)),
        shape=() if shape is None else tuple(int(side) for side in shape),
        scale=scale,
        zero_point=None if scale is None else zero_point,
    )
