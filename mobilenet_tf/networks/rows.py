"""Kinds of rows, and networks made of them, with final widths.

Plain Python: counting, choosing and searching need no TensorFlow. `lower` says what each kind of
row computes; a new kind is a class here (or anywhere) and one function registered there.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec

ACTIVATIONS = ("relu", "relu6", "hard_swish")
GATES = ("hard_sigmoid", "sigmoid")
RowType = TypeVar("RowType", bound="type[Row]")


@dataclass(frozen=True)
class Row:
    """One row of a network's table."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and "None" in str(field.type):
                continue
            if field.name.endswith("activation") and value not in ACTIVATIONS:
                raise UserError(
                    f"{field.name} is {value!r}; it must be one of {', '.join(ACTIVATIONS)}."
                )
            if field.type in (int, int | None) and (type(value) is not int or value < 1):
                raise UserError(f"{field.name} is {value!r}; it must be a whole number above 0.")
            if field.type is bool and type(value) is not bool:
                raise UserError(f"{field.name} is {value!r}; it must be true or false.")


ROW_KINDS: dict[str, type[Row]] = {}


def row_kind(name: str) -> Callable[[RowType], RowType]:
    """Decorate a row class with the name it has in `config.toml`."""

    def register(row: RowType) -> RowType:
        row.kind = name
        ROW_KINDS[name] = row
        return row

    return register


@row_kind("convolution")
@dataclass(frozen=True)
class Convolution(Row):
    """A k x k convolution, batch normalization and activation.

    Attributes:
        name: Name of its operation, such as `stem`; empty for a numbered block.
        kernel: Side of the kernel.
        out: Output channels.
        activation: One of `ACTIVATIONS`, or None.
        stride: Step in pixels.
        padded: Whether zeros around the input keep its size at stride 1.
        norm: Whether there is a normalization; without it there is a bias.
    """

    name: str
    kernel: int
    out: int
    activation: str | None
    stride: int = 1
    padded: bool = True
    norm: bool = True


@row_kind("separable")
@dataclass(frozen=True)
class Separable(Row):
    """MobileNetV1's block (V1, 3.1): depthwise -> [squeeze-and-excite] -> 1x1, both activated.

    Attributes:
        kernel: Side of the depthwise kernel.
        out: Output channels.
        activation: One of `ACTIVATIONS`.
        stride: Stride of the depthwise convolution.
        se: Whether squeeze-and-excite follows the depthwise convolution.
    """

    kernel: int
    out: int
    activation: str
    stride: int
    se: bool = False


@row_kind("inverted_residual")
@dataclass(frozen=True)
class InvertedResidual(Row):
    """V2's and V3's block: [expand] -> depthwise -> [squeeze-and-excite] -> linear projection.

    The input is added where stride 1 and equal widths allow it (V2, 3.3; V3, Figure 4).

    Attributes:
        kernel: Side of the depthwise kernel.
        expansion: Channels inside the block; equal to the input's where nothing expands.
        out: Output channels.
        se: Whether squeeze-and-excite follows the depthwise convolution.
        activation: One of `ACTIVATIONS`.
        stride: Stride of the depthwise convolution.
        projection_activation: Activation after the projection, which V2, 3.2, advises against.
        shortcut: Whether the input is added where it fits.
        se_width: Channels between the convolutions of squeeze-and-excite; None for V3's rule.
        se_gate: Activation that scales the channels, `hard_sigmoid` or `sigmoid`.
    """

    kernel: int
    expansion: int
    out: int
    se: bool
    activation: str
    stride: int
    projection_activation: str | None = None
    shortcut: bool = True
    se_width: int | None = None
    se_gate: str = "hard_sigmoid"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.se_gate not in GATES:
            raise UserError(f"se_gate is {self.se_gate!r}; it must be one of {', '.join(GATES)}.")


@row_kind("pooling")
@dataclass(frozen=True)
class Pooling(Row):
    """The mean of each channel over height and width."""


@row_kind("hidden")
@dataclass(frozen=True)
class Hidden(Row):
    """A 1x1 convolution on the pooled features (V3, 5.1, the efficient last stage).

    Attributes:
        out: Output channels.
        activation: One of `ACTIVATIONS`, or None.
        norm: Whether there is a normalization; without it there is a bias.
    """

    out: int
    activation: str | None
    norm: bool = False


@dataclass(frozen=True)
class Head(Row):
    """A row that ends a network, for a number of classes."""

    classes: int


@row_kind("classifier")
@dataclass(frozen=True)
class Classifier(Head):
    """Scores of classes from pooled features.

    Attributes:
        classes: Number of classes.
        dropout: Share of its inputs that training drops.
        dense: Whether Keras stores a dense layer, as V2's published files do, or a 1x1 convolution.
        softmax: Whether the scores are probabilities that sum to 1, or logits.
    """

    dropout: float = 0.0
    dense: bool = False
    softmax: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout is {self.dropout}; it must be at least 0 and less than 1.")


@dataclass(frozen=True)
class Network:
    """A whole network with final widths. `config.toml` keeps it, and nothing else is needed.

    Attributes:
        input: What it takes.
        backbone: Rows from the input to the features.
        head: Rows from the features to the output.
        name: Where it came from, for titles: a name of the zoo, or any other.
        alpha: The width multiplier that was applied, for titles.
        layer_names: How its Keras layers are called; see `published.names`.
        factorize: What full convolutions become, such as `tucker=16`; empty for rows as they are.
    """

    input: InputSpec
    backbone: tuple[Row, ...]
    head: tuple[Row, ...]
    name: str = "custom"
    alpha: float = 1.0
    layer_names: str = "plain"
    factorize: str = ""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self._last(Head).classes

    def _last(self, kind: type[Head]) -> Head:
        last = self.head[-1] if self.head else None
        if not isinstance(last, kind):
            raise UserError(f"The head of {self.name} does not end in a {kind.__name__.lower()}.")
        return last

    @property
    def title(self) -> str:
        """Name, width multiplier and input, such as `v2 0.35, 96x96x3`."""
        sides = "x".join(map(str, self.input.shape))
        factors = f" {self.factorize}" if self.factorize else ""
        return f"{self.name} {self.alpha:g}{factors}, {sides}"

    def with_classes(self, classes: int) -> "Network":
        """Return the same network for another number of classes."""
        return self._with_last(Head, classes=classes)

    def with_dropout(self, dropout: float | None) -> "Network":
        """Return the same network with another dropout rate; None keeps it."""
        return self if dropout is None else self._with_last(Classifier, dropout=dropout)

    def with_logits(self) -> "Network":
        """Return the same network without the softmax of its classifier."""
        return self._with_last(Classifier, softmax=False)

    def _with_last(self, kind: type[Head], **changes: Any) -> "Network":
        return replace(self, head=(*self.head[:-1], replace(self._last(kind), **changes)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON and TOML."""
        rows = {
            part: [
                {"kind": row.kind} | {k: v for k, v in asdict(row).items() if v is not None}
                for row in getattr(self, part)
            ]
            for part in ("backbone", "head")
        }
        names = {name: getattr(self, name) for name in ("name", "alpha", "layer_names")}
        if self.factorize:
            names["factorize"] = self.factorize
        return names | {"input": self.input.to_dict()} | rows

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Network":
        """Return the network that `to_dict` described.

        Raises:
            UserError: A field or kind of row is unknown, missing or of the wrong type.
        """
        try:
            rows = {part: tuple(map(_row, values[part])) for part in ("backbone", "head")}
            return cls(
                InputSpec.from_dict(values["input"]),
                rows["backbone"],
                rows["head"],
                str(values["name"]),
                float(values["alpha"]),
                str(values["layer_names"]),
                str(values.get("factorize", "")),
            )
        except KeyError as error:
            raise UserError(f"The network has no field {error.args[0]!r}.") from error
        except (TypeError, ValueError, AttributeError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"The network has a field of the wrong type: {error}.") from error


def _row(values: Mapping[str, Any]) -> Row:
    kind = values["kind"]
    if kind not in ROW_KINDS:
        raise UserError(f"kind is {kind!r}; the kinds of rows are {', '.join(ROW_KINDS)}.")
    row = ROW_KINDS[kind]
    arguments = {name: value for name, value in values.items() if name != "kind"}
    # TOML has no None.
    absent = dict.fromkeys(f.name for f in fields(row) if "None" in str(f.type))
    return row(**absent | arguments)


def make_divisible(value: float, divisor: int = 8) -> int:
    """Round to the nearest multiple of `divisor`, never down by more than 10 %."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def squeeze_width(expansion: int) -> int:
    """Channels between the two convolutions of a squeeze-and-excite block (V3, 5.3)."""
    return make_divisible(expansion * 0.25)
