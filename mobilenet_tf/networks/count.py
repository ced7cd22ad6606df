"""Parameters, multiply-adds and activation memory of a network, without TensorFlow."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Any

from mobilenet_tf.networks.graph import OWN_OPERATORS, Graph, Op
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network


@dataclass(frozen=True)
class Layer:
    """One operation as integers run it, with normalization folded into the kernel.

    ReLU and hard-sigmoid cost nothing beside their convolution and are not listed.

    Attributes:
        name: The operation's name; a hard-swish has its convolution's name and `/hard_swish`.
        kind: Kind of `Op`, or one of `OWN_OPERATORS`.
        kernel: Side of the kernel in pixels; 0 where there is none.
        stride: Step in pixels.
        height, width, channels: Shape of the output.
        parameters: As Keras counts them, batch normalization included.
        normalization: Those of them that belong to batch normalization: scale, shift, mean and
            variance.
        folded_parameters: Kernel and bias with batch normalization folded in.
        macs: Multiply-adds for one picture.
        live_bytes: int8 tensors in memory while it runs: input, output and what waits.
    """

    name: str
    kind: str
    kernel: int
    stride: int
    height: int
    width: int
    channels: int
    parameters: int
    normalization: int
    folded_parameters: int
    macs: int
    live_bytes: int


@dataclass(frozen=True)
class Count:
    """Totals of a network for one picture.

    Attributes:
        parameters: As Keras's `count_params`, batch normalization statistics included.
        trainable_parameters: Without those statistics, as the papers count segmenters.
        plain_parameters: Without batch normalization, as the papers count detectors.
        folded_parameters: Kernels and one bias per channel: what an int8 file stores.
        weight_bytes: Their bytes in an int8 file: 1 per kernel value, 4 per bias.
        macs: Multiply-adds of all convolutions and dense layers, squeeze-and-excite included.
        peak_activation_bytes: Most int8 tensors, the picture included, in memory at one step of a
            plain run from first to last operation. Hard-swish counts as one operator, as on
            microcontrollers; the file for phones, with x * relu6(x + 3), holds one tensor more at
            that step. A runtime's arena is this plus the runtime's own structures.
        peak_layer: Name of that step.
    """

    parameters: int
    trainable_parameters: int
    plain_parameters: int
    folded_parameters: int
    weight_bytes: int
    macs: int
    peak_activation_bytes: int
    peak_layer: str


def layers(network: Network) -> tuple[Layer, ...]:
    """Return every operation of a network in the order in which it runs."""
    graph = lower(network)
    steps = list(_steps(graph))
    born = {op.name: step for step, (op, _) in enumerate(steps) if step}
    last = {name: step for step, (op, _) in enumerate(steps) for name in (op.name, *op.inputs)}
    last |= {op.name: len(steps) - 1 for op in graph.outputs}
    born[graph.input.name] = 0
    changes = [0] * (len(steps) + 1)  # of the bytes in memory, at each step
    for op, _ in steps:
        changes[born[op.name]] += _elements(op)
        changes[last[op.name] + 1] -= _elements(op)
    rows = []
    for (op, weights), live in zip(steps[1:], [*accumulate(changes)][1:-1], strict=True):
        bias = op.shape[2] if weights else 0
        norm = 4 * bias if op.norm else 0
        height, width, channels = op.shape
        rows.append(
            Layer(
                name=op.name,
                kind=op.kind,
                kernel=op.kernel[0],
                stride=op.stride,
                height=height,
                width=width,
                channels=channels,
                parameters=weights + (norm or bias * op.bias),
                normalization=norm,
                folded_parameters=weights + bias,
                macs=height * width * weights,
                live_bytes=live,
            )
        )
    return tuple(rows)


def _steps(graph: Graph) -> Iterator[tuple[Op, int]]:
    """Yield (operation, values in its kernel), `OWN_OPERATORS` as operations of their own."""
    renamed: dict[str, str] = {}
    for op in graph:
        inputs = tuple(renamed.get(name, name) for name in op.inputs)
        yield op if inputs == op.inputs else replace(op, inputs=inputs), graph.weights(op)
        if op.activation in OWN_OPERATORS and op.kind != "activation":
            renamed[op.name] = f"{op.name}/{op.activation}"
            yield Op(op.activation, renamed[op.name], (op.name,), op.shape), 0


def _elements(op: Op) -> int:
    height, width, channels = op.shape
    return height * width * channels


@lru_cache(maxsize=1024)
def count(network: Network) -> Count:
    """Return the totals of a network."""
    rows = layers(network)
    peak = max(rows, key=lambda row: row.live_bytes)
    folded = sum(row.folded_parameters for row in rows)
    biases = sum(row.channels for row in rows if row.folded_parameters)
    parameters = sum(row.parameters for row in rows)
    norm = sum(row.normalization for row in rows)
    return Count(
        parameters=parameters,
        trainable_parameters=parameters - norm // 2,
        plain_parameters=parameters - norm,
        folded_parameters=folded,
        weight_bytes=folded + 3 * biases,
        macs=sum(row.macs for row in rows),
        peak_activation_bytes=peak.live_bytes,
        peak_layer=peak.name,
    )


def _totals(network: Network) -> dict[str, Any]:
    facts = {
        "name": network.name,
        "alpha": network.alpha,
        "size": network.input.to_dict()["size"],
        "classes": network.classes,
        "channels": network.input.channels,
    }
    return facts | asdict(count(network))


def summary(network: Network) -> dict[str, Any]:
    """Return the totals, and one row per operation under `layers`; ready for JSON."""
    return _totals(network) | {"layers": [asdict(row) for row in layers(network)]}


def table(networks: Iterable[Network]) -> list[dict[str, Any]]:
    """Return the totals of networks, ready for JSON."""
    return [_totals(network) for network in networks]
