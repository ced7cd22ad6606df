"""MnasNet's factorized hierarchical space (Tan et al., 4.1) as data: choices -> networks.

A network is a stem, stages of equal blocks, and features. Every choice is made once per stage, not
once per block: the space stays small, and stages may still differ.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.bounds import check_number, check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_toml
from mobilenet_tf.core.inputs import LARGEST_SIDE, InputSpec
from mobilenet_tf.core.records import from_plain, to_plain
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import (
    ACTIVATIONS,
    Classifier,
    Convolution,
    InvertedResidual,
    Network,
    Pooling,
    make_divisible,
)
from mobilenet_tf.networks.zoo import SMALLEST_SIDE

DEFAULT_SPACE = Path(__file__).with_name("architecture_space.toml")
_KERNELS = (3, 5, 7)  # a smaller one lies in the centre of a larger one, whatever the stride
_MOST_VALUES, _MOST_STAGES = 32, 16
_LARGEST = {"width": 4096, "expansion": 16, "repeats": 16, "size": LARGEST_SIDE}

Values = Mapping[str, Any]  # path of a choice, such as `stage_2.kernel` -> its value


@dataclass(frozen=True, kw_only=True)
class _Choices:
    """Lists of values, from each of which one is chosen."""

    def __post_init__(self) -> None:
        for name, values in self.choices.items():
            _check_list(name, values)
            for value in values:
                _check_value(name, value)

    @property
    def choices(self) -> dict[str, tuple]:
        """Name -> the values to choose from."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: values for name, values in held.items() if isinstance(values, tuple)}


def _check_list(name: str, values: tuple) -> None:
    if not 1 <= len(set(values)) == len(values) <= _MOST_VALUES:
        raise UserError(
            f"{name} is {list(values)}; it must be a list of 1 to {_MOST_VALUES} values, all of "
            "them different."
        )


def _check_value(name: str, value: Any) -> None:
    accepted = {"kernel": _KERNELS, "activation": ACTIVATIONS}.get(name)
    if accepted is not None and value not in accepted:
        listed = ", ".join(map(str, accepted))
        raise UserError(f"{name} has {value!r}; its values must be among {listed}.")
    if name in _LARGEST:
        check_whole(name, value, 1, _LARGEST[name])


@dataclass(frozen=True, kw_only=True)
class Convolutions(_Choices):
    """The stem, or the features: one convolution.

    Attributes:
        width: Output channels.
        activation: Those of `ACTIVATIONS`.
    """

    width: tuple[int, ...]
    activation: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Stage(_Choices):
    """A block that is repeated.

    Attributes:
        stride: Stride of the first block: 1 or 2.
        kernel: Sides of the depthwise kernel.
        expansion: Channels inside the block, as a multiple of those of its input.
        width: Output channels.
        repeats: Numbers of blocks.
        se: Whether squeeze-and-excite follows the depthwise convolution.
        activation: Those of `ACTIVATIONS`.
        skip: Whether the blocks after the first add their input.
    """

    stride: int
    kernel: tuple[int, ...]
    expansion: tuple[int, ...]
    width: tuple[int, ...]
    repeats: tuple[int, ...]
    se: tuple[bool, ...]
    activation: tuple[str, ...]
    skip: tuple[bool, ...]

    def __post_init__(self) -> None:
        check_whole("stride", self.stride, 1, 2)
        super().__post_init__()


@dataclass(frozen=True, kw_only=True)
class ArchitectureSpace:
    """All networks that a search may choose.

    Attributes:
        size: Sides of the input in pixels.
        stem: A 3x3 convolution of stride 2.
        stage: The stages from input to output.
        features: A 1x1 convolution before pooling.
        dropout: Share of the classifier's inputs that training drops.
    """

    size: tuple[int, ...]
    stem: Convolutions
    stage: tuple[Stage, ...]
    features: Convolutions
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if not 1 <= len(self.stage) <= _MOST_STAGES:
            raise UserError(
                f"stage has {len(self.stage)} tables; it must have 1 to {_MOST_STAGES}."
            )
        _check_list("size", self.size)
        for side in self.size:
            check_whole("size", side, SMALLEST_SIDE, _LARGEST["size"])
        check_number("dropout", self.dropout, 0, 0.99)

    @cached_property
    def choices(self) -> dict[str, tuple]:
        """Path of every choice -> its values; those of a bool are ordered, False first."""
        parts: dict[str, _Choices] = {"stem": self.stem}
        parts |= {f"stage_{index}": stage for index, stage in enumerate(self.stage, start=1)}
        parts |= {"features": self.features}
        found: dict[str, tuple] = {"size": self.size}
        for part, choices in parts.items():
            found |= {f"{part}.{name}": values for name, values in choices.choices.items()}
        return found

    @cached_property
    def parameters(self) -> dict[str, tuple]:
        """The choices with more than one value, in the terms of an oracle: a bool is 0 or 1."""
        return {
            path: tuple(int(value) if type(value) is bool else value for value in values)
            for path, values in self.choices.items()
            if len(values) > 1
        }

    @property
    def configurations(self) -> int:
        """Number of different choices."""
        return prod(map(len, self.choices.values()))

    def network(self, values: Values, classes: int, input_spec: InputSpec) -> Network:
        """Return the network of a choice.

        Args:
            values: Path -> value of every parameter.
            classes: Number of classes.
            input_spec: Input of the network, but for its size.
        """
        chosen = {path: only[0] for path, only in self.choices.items()} | dict(values)

        def of(part: str, name: str) -> Any:
            return chosen[f"{part}.{name}"]

        stem, features = of("stem", "width"), of("features", "width")
        backbone = (
            Convolution("stem", 3, stem, of("stem", "activation"), 2),
            *self._blocks(chosen, stem),
            Convolution("features", 1, features, of("features", "activation")),
        )
        head = (Pooling(), Classifier(classes, dropout=self.dropout))
        found = Network(input_spec.sized(chosen["size"]), backbone, head)
        digest = hashlib.sha256(lower(found).key.encode()).hexdigest()
        return replace(found, name=f"found_{digest[:8]}")

    def _blocks(self, chosen: Values, before: int) -> Iterator[InvertedResidual]:
        """Yield the blocks; the first of a stage never adds its input.

        That follows MobileNetV2, where it changes the width or the size. So which blocks have a
        shortcut does not depend on widths that happen to be equal.
        """
        for index, stage in enumerate(self.stage, start=1):
            own = {name: chosen[f"stage_{index}.{name}"] for name in stage.choices}
            for copy in range(own["repeats"]):
                yield InvertedResidual(
                    own["kernel"],
                    expanded(before, own["expansion"]),
                    own["width"],
                    bool(own["se"]),
                    own["activation"],
                    1 if copy else stage.stride,
                    shortcut=bool(copy and own["skip"]),
                )
                before = own["width"]

    def extreme(self, pick: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the choice with the `min` or the `max` of everything.

        Activations count in the order in which they are listed.
        """
        found = {}
        for path, values in self.parameters.items():
            ordered = range(len(values)) if path.endswith(".activation") else values
            best = pick(ordered)
            found[path] = values[best] if path.endswith(".activation") else best
        return found

    def drawn(self, random: np.random.Generator) -> dict[str, Any]:
        """Return a random choice."""
        return {
            path: values[random.integers(len(values))] for path, values in self.parameters.items()
        }

    def canonical(self, values: Values) -> dict[str, Any]:
        """Return the same values for all that describe the same network.

        Whether blocks after the first add their input makes no difference where there are none.
        """
        found = dict(values)
        for path, accepted in self.parameters.items():
            stage, _, name = path.partition(".")
            repeats = self.choices.get(f"{stage}.repeats", ())
            if name == "skip" and values.get(f"{stage}.repeats", repeats[0]) == 1:
                found[path] = accepted[0]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for TOML."""
        return {one.name: to_plain(getattr(self, one.name)) for one in fields(self)}


def expanded(channels: int, factor: int) -> int:
    """Return the channels inside a block; a factor of 1 expands nothing."""
    return channels if factor == 1 else make_divisible(channels * factor)


def load_architectures(file: Path) -> ArchitectureSpace:
    """Read a space from a TOML file.

    Raises:
        UserError: The file is absent or not valid TOML; a field is unknown, missing or not
            accepted; or an input is too small for the strides.
    """
    space: ArchitectureSpace = from_plain(
        ArchitectureSpace, read_toml(file), f"{file}:", strict=True
    )
    return space
