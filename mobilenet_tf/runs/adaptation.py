"""Where an adapted network came from: the section `adaptation` of a run's `result.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mobilenet_tf.networks.count import layers
from mobilenet_tf.networks.lower import labelled
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.sections import Section, unknown_count
from mobilenet_tf.selection.cost import Cost
from mobilenet_tf.selection.netadapt import State, Tried


@dataclass(frozen=True, kw_only=True)
class AdaptedLayer:
    """One operation before and after.

    Attributes:
        name: Name in the network that was adapted.
        kind: Kind of operation.
        channels, macs: Output channels and multiply-adds before.
        channels_left, macs_left: The same after; None if the operation is gone.
    """

    name: str
    kind: str
    channels: int
    macs: int
    channels_left: int | None = unknown_count()
    macs_left: int | None = unknown_count()


@dataclass(frozen=True, kw_only=True)
class Adaptation(Section):
    """How a network was cut from a trained one.

    Attributes:
        source: Run folder of the network that was adapted.
        device, measured_on: Device that costs were measured on, and everything they depend on.
        limits: The budget, by name, in the units of `Cost`.
        before: Cost of the network that was adapted.
        path: The network after each step, with its accuracy after the brief training, on training
            images that were set aside.
        layers: Every operation before and after.
        from_scratch: Whether this run was trained from random weights instead.
    """

    source: str | None = None
    device: str | None = None
    measured_on: str | None = None
    limits: dict[str, float] = field(default_factory=dict)
    before: Cost | None = None
    path: tuple[Tried, ...] = ()
    layers: tuple[AdaptedLayer, ...] = ()
    from_scratch: bool = False


def adapted_layers(source: Network, state: State) -> tuple[AdaptedLayer, ...]:
    """Return every operation of a network beside what is left of it."""
    labels = {
        label: origin
        for (label, _), origin in zip(labelled(state.network), state.labels, strict=True)
    }
    left = {_renamed(layer.name, labels): layer for layer in layers(state.network)}
    return tuple(
        AdaptedLayer(
            name=layer.name,
            kind=layer.kind,
            channels=layer.channels,
            macs=layer.macs,
            channels_left=left[layer.name].channels if layer.name in left else None,
            macs_left=left[layer.name].macs if layer.name in left else None,
        )
        for layer in layers(source)
    )


def _renamed(name: str, labels: Mapping[str, str]) -> str:
    block, slash, operation = name.partition("/")
    return f"{labels.get(block, block)}{slash}{operation}"
