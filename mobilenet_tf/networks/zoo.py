"""Names -> specifications. A new network starts with an entry here and in `rows.NETWORKS`."""

from dataclasses import dataclass

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks import rows
from mobilenet_tf.networks.rows import Block
from mobilenet_tf.networks.spec import ModelSpec, Preprocessing


@dataclass(frozen=True)
class Entry:
    """A named network.

    Attributes:
        family: `v1`, `v2` or `v3`: which builder, which layer names.
        rows: the paper's table.
        dropout: rate before the classifier, as in the released training code.
        alphas: width multipliers with published weights.
    """

    family: str
    rows: tuple[Block, ...]
    dropout: float
    alphas: tuple[float, ...]


ZOO = {
    "v1": Entry("v1", rows.V1_ROWS, 0.001, (0.25, 0.5, 0.75, 1.0)),
    "v2": Entry("v2", rows.V2_ROWS, 0.2, (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    "v3_large": Entry("v3", rows.V3_LARGE_ROWS, 0.2, (0.75, 1.0)),
    "v3_small": Entry("v3", rows.V3_SMALL_ROWS, 0.2, (0.75, 1.0)),
    "v3_large_minimalistic": Entry("v3", rows.minimalistic(rows.V3_LARGE_ROWS), 0.2, (1.0,)),
    "v3_small_minimalistic": Entry("v3", rows.minimalistic(rows.V3_SMALL_ROWS), 0.2, (1.0,)),
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
