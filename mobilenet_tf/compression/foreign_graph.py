"""The graph of a functional model, of tf_keras or of Keras 3, as a list of its layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError

# Arithmetic goes by several names.
_OPERATORS = {"truediv": "truedivide", "divide": "truedivide", "sub": "subtract", "mul": "multiply"}


@dataclass(frozen=True, eq=False)
class Step:
    """A layer at one place of a graph.

    Attributes:
        layer: The layer, or an operation on tensors.
        inputs, outputs: The tensors that it reads and computes.
        arguments: Tensors and numbers in the order of the call.
    """

    layer: Any
    inputs: list[Any]
    outputs: list[Any]
    arguments: list[Any]

    @property
    def kind(self) -> str:
        """The name of the layer's class; of operations, theirs in lower case."""
        name = type(self.layer).__name__
        symbol = getattr(self.layer, "symbol", None)
        if name == "TFOpLambda" and symbol:
            name = str(symbol).rsplit(".", 1)[-1].replace("_", "")
        # Operations of Keras 3 have names of layers, such as Add, but no parameters.
        if not hasattr(keras.layers, name) or not hasattr(self.layer, "count_params"):
            name = name.lower()
        return _OPERATORS.get(name, name)

    @property
    def constants(self) -> list[Any]:
        """The arguments that are neither tensors nor names."""
        tensors = [id(tensor) for tensor in self.inputs]
        given = (one for one in self.arguments if one is not None and not isinstance(one, str))
        return [one for one in given if id(one) not in tensors]

    @property
    def channels(self) -> int:
        """Channels of the first tensor that it reads."""
        return int(self.inputs[0].shape[-1])


def steps_of(model: Any) -> Iterator[Step]:
    """Yield the layers of a model in an order in which they can run.

    Raises:
        UserError: The model is no graph of layers, but code.
    """
    graph = getattr(model, "_functional", None) or model  # that of a sequential model of Keras 3
    nodes = getattr(graph, "_nodes_by_depth", None)
    if not nodes:
        raise UserError(f"{model.name} is not a graph of layers.")
    for depth in sorted(nodes, reverse=True):
        for node in nodes[depth]:
            if node.is_input:
                continue
            outputs = tf.nest.flatten(node.outputs)
            if hasattr(node, "operation"):  # of Keras 3
                call = node.arguments
                given, inputs = (call.args, call.kwargs), call.keras_tensors
                yield Step(node.operation, list(inputs), outputs, tf.nest.flatten(given))
            else:
                given = (node.call_args, node.call_kwargs)
                yield Step(node.layer, list(node.keras_inputs), outputs, tf.nest.flatten(given))


def is_model(layer: Any) -> bool:
    """Return whether a layer is a model itself."""
    return hasattr(layer, "layers") and hasattr(layer, "outputs")
