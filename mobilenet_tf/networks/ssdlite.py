"""SSDLite: single-shot detection with separable convolutions, on any backbone (V2, 4.3; V3, 6.3).

A network ends in two outputs per feature map, offsets of boxes and scores of classes, each with an
integer scale of its own. Anchors, sigmoid and suppression are not part of it. The structure is that
of TensorFlow's Object Detection API, whose counts the papers print.
"""

from dataclasses import dataclass, replace

from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import Checked, number
from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.last_stage import halved_last_stage, narrowed_row
from mobilenet_tf.networks.lower import GraphBuilder, lower, lowering
from mobilenet_tf.networks.rows import Head, Network, row_kind

# Depths of the maps after the backbone's, and anchors per pixel of each map.
EXTRAS = (512, 256, 256, 128)
ANCHORS = (3, 6, 6, 6, 6, 6)
_NARROWEST = 16
_ACTIVATION = "relu6"
_PRIOR = 0.01  # score of an anchor before training (1708.02002, 4.1)


@row_kind("ssdlite")
@dataclass(frozen=True)
class SSDLite(Head):
    """Boxes and scores of classes, from feature maps of decreasing size.

    The maps are the backbone's last of `first_stride` and of every larger stride, and the extras:
    1x1 to half the depth, depthwise with stride 2, 1x1 to the depth. Where the next block expands
    before it strides, the map is that block's expansion (V3, 6.3).

    Attributes:
        classes: Number of classes.
        extras: Depth of each extra map.
        anchors: Number of anchors per pixel of each map, in the order of the maps.
        first_stride: Stride of the first map; 8 for objects of few pixels.
        background: Whether an anchor has a score for background as well, as in the papers.
    """

    classes: int
    extras: tuple[int, ...] = EXTRAS
    anchors: tuple[int, ...] = ANCHORS
    first_stride: int = 16
    background: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("extras", "anchors"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # TOML has lists
            for value in getattr(self, name):
                check_whole(name, value, 1, 2**16)

    @property
    def scores(self) -> int:
        """Number of scores per anchor."""
        return self.classes + self.background


@dataclass(frozen=True)
class Structure(Checked):
    """Choices in the structure of a detector; the defaults are those of the papers.

    Attributes:
        first_stride: Stride of the first feature map, such as 16; 8 for objects of few pixels.
        extras: Largest number of extra maps; none follows one of a single pixel.
        halved: Whether the last stage has half as many channels (V3, 6.3).
        shrunk: Whether the last 1x1 convolution follows a width multiplier below 1, as in the
            papers' detectors on V2; in V2's classifiers it does not, nor in their weights.
        background: Whether an anchor has a score for background as well. The papers' counts
            contain it; sigmoid scores do not need it.
    """

    first_stride: int = number(16, least=1)
    extras: int = number(len(EXTRAS), least=0, most=len(EXTRAS))
    halved: bool = False
    shrunk: bool = False
    background: bool = False


def ssdlite(
    network: Network, classes: int, structure: Structure, anchors: int | None = None
) -> Network:
    """Return a detector with the backbone of a network. Extras follow its width multiplier.

    Args:
        network: Any network of at least stride 32.
        classes: Number of classes.
        structure: Choices in its structure.
        anchors: Number of different anchors, which are spread over the maps as `spread` says; None
            for 3 on the first map and 6 on each other, as in the papers.

    Raises:
        UserError: A value is not accepted.
    """
    backbone = halved_last_stage(network.backbone) if structure.halved else network.backbone
    if structure.shrunk:
        *rows, last = backbone
        backbone = (*rows, narrowed_row(last, min(1.0, network.alpha), "out"))
    plain = lower(network).backbone()
    side, depths = max(plain.output.shape[:2]), []
    for depth in EXTRAS[: structure.extras]:
        if side > 1:
            depths.append(max(_NARROWEST, int(depth * network.alpha)))
            side = -(-side // 2)
    maps = len(_taps(plain, structure.first_stride)) + 1 + len(depths)
    first, others = ANCHORS[0], ANCHORS[1]
    counts = (first, *(others,) * (maps - 1)) if anchors is None else spread(anchors, maps)
    head = SSDLite(classes, tuple(depths), counts, structure.first_stride, structure.background)
    return replace(network, backbone=backbone, head=(head,))


def spread(anchors: int, maps: int) -> tuple[int, ...]:
    """Return how many of the anchors, from the smallest to the largest, each map has.

    Raises:
        UserError: There are fewer anchors than maps.
    """
    if anchors < maps:
        raise UserError(
            f"The detector has {anchors} anchors for {maps} feature maps; each map needs one. "
            "Allow more anchors or fewer extras."
        )
    return tuple(anchors // maps + (place < anchors % maps) for place in range(maps))


@lowering(SSDLite)
def _ssdlite(graph: GraphBuilder, x: Op, row: SSDLite) -> Op:
    maps = [*_taps(Graph(tuple(graph.ops)), row.first_stride), x]
    for step, depth in enumerate(row.extras, start=1):
        name = f"extra_{step}"
        half = max(_NARROWEST, depth // 2)
        x = graph.convolution(x, f"{name}_reduce", half, activation=_ACTIVATION)
        x = graph.depthwise(x, f"{name}_depthwise", 3, 2, activation=_ACTIVATION)
        x = graph.convolution(x, f"{name}_expand", depth, activation=_ACTIVATION)
        maps.append(x)
    if len(maps) != len(row.anchors):
        raise UserError(
            f"anchors has {len(row.anchors)} numbers; it must have one for each of the "
            f"{len(maps)} feature maps."
        )
    for place, (source, anchors) in enumerate(zip(maps, row.anchors, strict=True), start=1):
        for name, values in (("boxes", 4), ("scores", row.scores)):
            x = graph.depthwise(source, f"{name}_{place}_depthwise", 3, activation=_ACTIVATION)
            prior = _PRIOR if name == "scores" else None
            x = graph.convolution(x, f"{name}_{place}", anchors * values, norm=False, prior=prior)
    return x


def _taps(graph: Graph, first: int) -> list[Op]:
    """Return what is read where a backbone leaves each stride from `first` on."""
    sources = (graph[op.inputs[0]] for op in graph if op.stride > 1)
    left = {graph.strides[source.name]: source for source in sources}
    known = [*sorted(left), graph.strides[graph.output.name]]
    if first not in known:
        raise UserError(
            f"first_stride is {first}; the strides of this backbone are "
            f"{', '.join(map(str, known))}."
        )
    return [source for stride, source in sorted(left.items()) if stride >= first]
