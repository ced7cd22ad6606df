"""Names -> specifications. Adding a network to the project starts with an entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mobilenet_tf.errors import UserError
from mobilenet_tf.models import rows
from mobilenet_tf.models.rows import Block, Network
from mobilenet_tf.models.spec import ModelSpec, Preprocessing


@dataclass(frozen=True)
class Entry:
    """A named network.

    Attributes:
        family: `v1`, `v2` or `v3`: which builder, which layer names.
        rows: the paper's table.
        network: (rows, alpha) -> widths.
        dropout: rate before the classifier, as in the released training code.
        alphas: width multipliers with published weights.
    """

    family: str
    rows: tuple[Block, ...]
    network: Callable[[tuple[Block, ...], float], Network]
    dropout: float
    alphas: tuple[float, ...]


def _v3(table: tuple[Block, ...], hidden: int, activation: str, *alphas: float) -> Entry:
    network = partial(rows.v3_network, hidden=hidden, activation=activation)
    return Entry("v3", table, network, 0.2, alphas)


ZOO = {
    "v1": Entry("v1", rows.V1_ROWS, rows.v1_network, 0.001, (0.25, 0.5, 0.75, 1.0)),
    "v2": Entry("v2", rows.V2_ROWS, rows.v2_network, 0.2, (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    "v3_large": _v3(rows.V3_LARGE_ROWS, 1280, rows.HS, 0.75, 1.0),
    "v3_small": _v3(rows.V3_SMALL_ROWS, 1024, rows.HS, 0.75, 1.0),
    "v3_large_minimalistic": _v3(rows.minimalistic(rows.V3_LARGE_ROWS), 1280, rows.RE, 1.0),
    "v3_small_minimalistic": _v3(rows.minimalistic(rows.V3_SMALL_ROWS), 1024, rows.RE, 1.0),
}


def model_spec(
    name: str,
    alpha: float = 1.0,
    size: int = 224,
    classes: int = 1000,
    channels: int = 3,
    preprocessing: Preprocessing | None = None,
) -> ModelSpec:
    """The specification of a network of the zoo.

    Raises:
        UserError: an unknown name, or a value outside what `ModelSpec` accepts.
    """
    if name not in ZOO:
        raise UserError(f"There is no model named {name!r}; the names are {', '.join(ZOO)}.")
    preprocessing = preprocessing or Preprocessing()
    return ModelSpec(name, ZOO[name].rows, alpha, size, classes, channels, preprocessing)
