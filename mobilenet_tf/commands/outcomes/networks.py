"""What `summary` returns."""

from typing import Any

from rich.console import Group
from rich.table import Table

from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.tables import table

_COSTS = {
    "parameters": "parameters",
    "macs": "multiply-adds",
    "weight_bytes": "int8 weight bytes",
    "peak_activation_bytes": "peak activation bytes",
}


class NetworkTotals(Outcome):
    """What networks need.

    Attributes:
        networks: One row each: name, alpha, size and the counts of `NetworkCounts`.
    """

    networks: list[dict[str, Any]]

    def __rich__(self) -> Table:
        rows = [
            (
                row["name"],
                f"{row['alpha']:g}",
                InputSpec(row["size"]).size_text,
                *(f"{row[key]:,}" for key in _COSTS),
            )
            for row in self.networks
        ]
        return table(["network", "alpha", "size", *_COSTS.values()], rows)


class NetworkCounts(Outcome):
    """What a network needs.

    Attributes:
        name: The network.
        alpha: Its width multiplier.
        size: Side of its input in pixels, or height and width.
        parameters: Number of parameters.
        trainable_parameters: Without the statistics of batch normalization.
        plain_parameters: Without batch normalization.
        macs: Number of multiply-adds.
        weight_bytes: Bytes of the weights as int8.
        peak_activation_bytes: Most bytes that activations need at one time.
        layers: One row per operation.
    """

    name: str
    alpha: float
    size: int | list[int]
    parameters: int
    trainable_parameters: int
    plain_parameters: int
    macs: int
    weight_bytes: int
    peak_activation_bytes: int
    layers: list[dict[str, Any]]

    def __rich__(self) -> Group:
        rows = [
            (
                layer["name"],
                layer["kind"],
                f"{layer['height']}x{layer['width']}x{layer['channels']}",
                f"{layer['parameters']:,}",
                f"{layer['macs']:,}",
            )
            for layer in self.layers
        ]
        columns = ["layer", "kind", "output", "parameters", "multiply-adds"]
        return Group(table(columns, rows), NetworkTotals(networks=[self]))
