"""SSDLite: single-shot detection with separable convolutions, on any backbone (V2, 4.3; V3, 6.3).

A network ends in two outputs per feature map, offsets of boxes and scores of classes, each with an
integer scale of its own. Anchors, sigmoid and suppression are not part of it. The structure is that
of TensorFlow's Object Detection API, whose counts the papers print.
"""

from dataclasses import dataclass, replace

from mobilenet_tf.core.bounds import check_whole
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import Graph, Op
from mobilenet_tf.networks.last_stage import halved_last_stage, narrowed_row
from mobilenet_tf.networks.lower import GraphBuilder, lower, lowering
from mobilenet_tf.networks.rows import Head, Network, row_kind

# Depths of the maps after the backbone's, and anchors per pixel of each map.
EXTRAS = (512, 256, 256, 128)
ANCHORS = (3, 6, 6, 6, 6, 6)
_NARROWEST = 16
_ACTIVATION = "relu6"


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


def ssdlite(
    network: Network,
    classes: int,
    *,
    first_stride: int = 16,
    halved: bool = False,
    shrunk: bool = False,
) -> Network:
    """Return a detector with the backbone of a network. Extras follow its width multiplier.

    Args:
        network: Any network of at least stride 32.
        classes: Number of classes.
        first_stride: Stride of the first feature map.
        halved: Whether the last stage has half as many channels (V3, 6.3).
        shrunk: Whether the last 1x1 convolution follows a width multiplier below 1, as in the
            papers' detectors on V2; in V2's classifiers it does not.

    Raises:
        UserError: A value is not accepted.
    """
    backbone = halved_last_stage(network.backbone) if halved else network.backbone
    if shrunk:
        *rows, last = backbone
        backbone = (*rows, narrowed_row(last, min(1.0, network.alpha), "out"))
    extras = tuple(max(_NARROWEST, int(depth * network.alpha)) for depth in EXTRAS)
    taps = _taps(lower(network).backbone(), first_stride)
    first, others = ANCHORS[0], ANCHORS[1]
    anchors = (first, *(others,) * (len(taps) + len(extras)))
    return replace(
        network, backbone=backbone, head=(SSDLite(classes, extras, anchors, first_stride),)
    )


@lowering(SSDLite)
def _ssdlite(graph: GraphBuilder, x: Op, row: SSDLite) -> Op:
    maps = [*_taps(Graph(tuple(graph.ops)), row.first_stride), x]
    for number, depth in enumerate(row.extras, start=1):
        name = f"extra_{number}"
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
    for number, (source, anchors) in enumerate(zip(maps, row.anchors, strict=True), start=1):
        for name, values in (("boxes", 4), ("scores", row.scores)):
            x = graph.depthwise(source, f"{name}_{number}_depthwise", 3, activation=_ACTIVATION)
            x = graph.convolution(x, f"{name}_{number}", anchors * values, norm=False)
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
