"""Golden vectors as the integers of a file, for decoders that read no real values."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo


class Integers(NamedTuple):
    """An int8 output for one picture, along one side."""

    name: str
    integers: Sequence[int] | np.ndarray
    scale: float
    zero_point: int

    @property
    def info(self) -> TensorInfo:
        """Its quantization."""
        return TensorInfo("output", "int8", (1, len(self.integers)), self.scale, self.zero_point)

    @property
    def real(self) -> np.ndarray:
        """Its real values, float32."""
        return self.info.dequantize(np.asarray(self.integers, np.int8))

    def fields(self) -> dict[str, Any]:
        """Return what a golden case says of them."""
        values = np.asarray(self.integers, int).tolist()
        return {"integers": values, "scale": self.scale, "zero_point": self.zero_point}
