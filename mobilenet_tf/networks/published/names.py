"""Names of Keras layers: those of the published weight files, and plain ones for other networks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import Op
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network

NORM, ACTIVATION, PAD = "norm", "activation", "pad"  # roles of layers around a convolution


@dataclass(frozen=True)
class Scheme:
    """How a family's published files name layers.

    Attributes:
        layers: Operation outside of blocks, or (operation, role) -> layer.
        first: Prefix of the layers of block 1, and `later` of the others, where `{0}` is the
            block's number counted from 0 and `{1}` counted from 1.
        norm: Format of the batch normalization after a layer in a block.
        activation: Format of the activation after it.
        blocks: Operation in a block -> format of its layer, if the prefix does not lead to it.
        se: Prefix of the layers of squeeze-and-excite.
    """

    layers: Mapping[str | tuple[str, str], str]
    norm: str
    activation: str
    first: str = ""
    later: str = ""
    blocks: Mapping[str, str] = field(default_factory=dict)
    se: str = "{prefix}squeeze_excite/"


SCHEMES = {
    "v1": Scheme(
        layers={"stem": "conv1", "classifier": "conv_preds"},
        norm="{}_bn",
        activation="{}_relu",
        blocks={"depthwise": "conv_dw_{1}", "project": "conv_pw_{1}", PAD: "conv_pad_{1}"},
        se="conv_se_{1}/",
    ),
    # The published V2 files name stem, blocks and last convolution in three ways.
    "v2": Scheme(
        layers={
            "stem": "Conv1",
            ("stem", NORM): "bn_Conv1",
            "features": "Conv_1",
            ("features", NORM): "Conv_1_bn",
            ("features", ACTIVATION): "out_relu",
            "classifier": "predictions",
        },
        norm="{}_BN",
        activation="{}_relu",
        first="expanded_conv_",
        later="block_{0}_",
    ),
    "v3": Scheme(
        layers={"stem": "Conv", "features": "Conv_1", "hidden": "Conv_2", "classifier": "Logits"},
        norm="{}/BatchNorm",
        activation="{}/activation",
        first="expanded_conv/",
        later="expanded_conv_{0}/",
    ),
    "plain": Scheme(layers={}, norm="{}/norm", activation="{}/activation"),
}
# Squeeze-and-excite: (operation, role) -> what follows the prefix.
_SE = {
    ("se/mean", ""): "AvgPool",
    ("se/reduce", ""): "Conv",
    ("se/reduce", ACTIVATION): "Relu",
    ("se/expand", ""): "Conv_1",
    ("se/expand", ACTIVATION): "HardSigmoid",
    ("se/multiply", ""): "Mul",
}


def layer_name(scheme: str, op: Op, role: str = "") -> str:
    """Return the name of the Keras layer of an operation.

    Args:
        scheme: One of `SCHEMES`.
        op: The operation.
        role: "" for its own layer; `NORM`, `ACTIVATION` or `PAD` for one around it.

    Raises:
        UserError: There is no such scheme, or it has no name for such an operation.
    """
    if scheme not in SCHEMES:
        raise UserError(f"layer_names is {scheme!r}; it must be one of {', '.join(SCHEMES)}.")
    names = SCHEMES[scheme]
    if (op.name, role) in names.layers:
        return names.layers[op.name, role]
    try:
        own = names.layers.get(op.name) or _in_block(names, op, role)
    except (KeyError, ValueError) as error:
        raise UserError(
            f"layer_names is {scheme!r}, which has no name for {op.name}; use plain."
        ) from error
    formats = {"": "{}", NORM: names.norm, ACTIVATION: names.activation, PAD: "{}"}
    return own if _is_complete(names, op, role) else formats[role].format(own)


def _is_complete(names: Scheme, op: Op, role: str) -> bool:
    """Whether `_in_block` returns the name of the layer in that role already."""
    return role == PAD or ("/se/" in op.name and names is not SCHEMES["plain"])


def _in_block(names: Scheme, op: Op, role: str) -> str:
    block, _, operation = op.name.partition("/")
    if op.name == "pool":
        return "avg_pool"
    if names is SCHEMES["plain"] or not operation:
        return f"{op.name}/{PAD}" if role == PAD else op.name
    number = int(block.rpartition("_")[2])
    prefix = (names.first if number == 1 else names.later).format(number - 1, number)
    if operation.startswith("se/"):
        start = names.se.format(number - 1, number, prefix=prefix)
        return start + _SE[operation, role]
    operation = PAD if role == PAD else operation
    return names.blocks.get(operation, prefix + operation).format(number - 1, number)


def head_layers(network: Network) -> tuple[str, ...]:
    """Return the names of the Keras layers with weights in the head; the classifier is the last."""
    scheme = network.layer_names
    return tuple(
        layer_name(scheme, op, role)
        for op in lower(network)
        if op.block == "head" and op.has_weights
        for role in ("", NORM)[: 1 + op.norm]
    )
