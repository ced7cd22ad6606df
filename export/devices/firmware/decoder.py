"""Decoding in C: what is filled into the templates of a task, and the answers of golden pictures.

The templates of a decoding are in `decodings/NAME/`. They make `model_answer`, a structure, from
raw outputs, as the task's NumPy decoder does. What they need is in the metadata of a file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mobilenet_tf.core.outputs import Outputs, each, one_or_all
from mobilenet_tf.deployment.devices.mcu.c_code import c_float
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo

_INTEGERS = np.arange(-128, 128, dtype=np.int8)


@dataclass(frozen=True)
class RawOutputs:
    """The int8 outputs of a file, and what its metadata say of them.

    Attributes:
        tensors: Shape and quantization of each, batch first.
        decoding: How they are decoded, see `Task.decoding`.
        settings: Those of the task, see `Task.to_dict`.
        constants: Those of the task, see `Task.constants`.
        sides: Height and width of the network's input.
    """

    tensors: Sequence[TensorInfo]
    decoding: str
    settings: Mapping[str, Any]
    constants: Mapping[str, Any]
    sides: tuple[int, int]

    @classmethod
    def of(cls, model: Int8Model, tensors: Sequence[TensorInfo]) -> "RawOutputs":
        """Return the outputs of a model.

        Args:
            model: The model.
            tensors: Its outputs.
        """
        task, network = model.task.for_files(), model.network
        constants = task.constants(network, model.labels)
        sides = (network.input.height, network.input.width)
        return cls(tensors, task.decoding, task.to_dict(), constants, sides)

    def real(self, raw: Outputs) -> Outputs:
        """Return the real values of int8 outputs for N pictures."""
        return one_or_all(
            info.dequantize(one) for info, one in zip(self.tensors, each(raw), strict=True)
        )


@dataclass(frozen=True)
class Decoder:
    """How the answers of a task are made in C.

    Attributes:
        values: Returns the values of its templates.
        answers: Returns initialisers of `model_answer`, from the int8 outputs for N pictures.
        kernels: Names of the kernels that its templates call.
    """

    values: Callable[[RawOutputs], dict[str, Any]]
    answers: Callable[[RawOutputs, Outputs], Iterable[str]]
    kernels: tuple[str, ...]


def smallest(tensor: TensorInfo, least: np.floating) -> int:
    """Return the smallest int8 whose real value is at least `least`; 128 if none is."""
    enough = np.flatnonzero(tensor.dequantize(_INTEGERS) >= least)
    return int(_INTEGERS[enough[0]]) if len(enough) else 128


def only_output(outputs: RawOutputs) -> TensorInfo:
    """Return the output of a file that has one."""
    (tensor,) = outputs.tensors
    return tensor


def vector_values(outputs: RawOutputs) -> dict[str, Any]:
    """Return what templates need of the only output, which has values along one side."""
    tensor = only_output(outputs)
    return {
        "values": tensor.shape[-1],
        "scale": c_float(tensor.scale or 1.0),
        "zero_point": tensor.zero_point,
    }


def c_floats(values: Iterable[float]) -> str:
    """Return the inside of an initialiser of floats."""
    return ", ".join(map(c_float, values))


def initialiser(**fields: str | int) -> str:
    """Return the initialiser of a structure."""
    return "  {" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"
