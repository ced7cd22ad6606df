"""The configurations that are worth choosing among: published ones and some in between."""

from collections.abc import Iterator, Sequence

from mobilenet_tf.networks.spec import ModelSpec
from mobilenet_tf.networks.zoo import ZOO, model_spec

SIZES = (32, 64, 96, 128, 160, 192, 224)
# Family -> alphas. Those without published accuracy are below or between those that have it.
ALPHAS = {
    "v1": (0.25, 0.35, 0.5, 0.62, 0.75, 0.88, 1.0),
    "v2": (0.25, 0.35, 0.42, 0.5, 0.62, 0.75, 0.88, 1.0, 1.3, 1.4),
    "v3": (0.25, 0.35, 0.5, 0.62, 0.75, 0.88, 1.0),
}


def candidates(
    classes: int,
    channels: int = 3,
    names: Sequence[str] = tuple(ZOO),
    sizes: Sequence[int] = SIZES,
) -> Iterator[ModelSpec]:
    """Every network at every alpha and size of the grid."""
    for name in names:
        for alpha in ALPHAS[ZOO[name].family]:
            for size in sizes:
                yield model_spec(name, alpha, size, classes, channels)
