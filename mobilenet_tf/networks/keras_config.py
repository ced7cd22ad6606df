"""Whether the configuration of a Keras model names only layers that compute, and no code.

A configuration can name any function that Python can import, and Keras calls it while it reads the
model. So everything that a configuration names is looked up in the lists below first.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODELS = frozenset(("Functional", "Model", "Sequential"))
LAYERS = MODELS | _words(
    """
    Activation ActivityRegularization Add AlphaDropout Average AveragePooling1D AveragePooling2D
    AvgPool2D BatchNormalization CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose
    Convolution2D Cropping2D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense
    Flatten GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalAvgPool2D GlobalMaxPool2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization
    InputLayer LayerNormalization LeakyReLU MaxPool2D MaxPooling1D MaxPooling2D Maximum Minimum
    MultiHeadAttention Multiply Normalization PReLU Permute RandomBrightness RandomContrast
    RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom
    ReLU RepeatVector Rescaling Reshape Resizing SeparableConv2D Softmax SpatialDropout2D Subtract
    ThresholdedReLU UnitNormalization UpSampling2D ZeroPadding1D ZeroPadding2D
    """
)
OWN = frozenset(("HardSigmoid", "HardSwish"))
# A layer with one of TensorFlow's functions in it; applications write their hard-swish so.
OPERATOR_LAYERS = frozenset(("TFOpLambda", "SlicingOpLambda"))
OPERATORS = _words(
    """
    __operators__.add __operators__.getitem __operators__.strided_slice cast clip_by_value
    compat.v1.nn.relu6 concat convert_to_tensor expand_dims identity image.resize math.abs
    math.add math.divide math.divide_no_nan math.exp math.log math.maximum math.minimum
    math.multiply math.negative math.pow math.reduce_max math.reduce_mean math.reduce_sum
    math.rsqrt math.sigmoid math.sqrt math.square math.subtract math.tanh math.truediv nn.avg_pool
    nn.bias_add nn.gelu nn.leaky_relu nn.max_pool nn.relu nn.relu6 nn.sigmoid nn.silu nn.softmax
    nn.softplus nn.swish one_hot pad reshape slice split squeeze stack stop_gradient strided_slice
    subtract tile transpose
    """
)
ACTIVATIONS = _words(
    """
    elu exponential gelu hard_sigmoid hard_swish leaky_relu linear mish relu relu6 selu sigmoid
    silu softmax softplus softsign swish tanh
    """
)
_INITIALIZERS = _words(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones
    Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros constant
    glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform ones
    orthogonal random_normal random_uniform truncated_normal variance_scaling zeros
    """
)
_REGULARIZERS = _words(
    """
    L1 L2 L1L2 OrthogonalRegularizer l1 l2 l1_l2 orthogonal_regularizer
    """
)
_CONSTRAINTS = _words(
    """
    MaxNorm MinMaxNorm NonNeg UnitNorm max_norm min_max_norm non_neg unit_norm
    """
)
# Operations that stand beside the layers in models of Keras 3.
_OPERATIONS = _words(
    """
    Absolute Add Cast Clip Concatenate Divide Elu Exp Gelu HardSigmoid HardSilu LeakyRelu Log Max
    Maximum Mean Minimum Multiply Negative Pad Power Relu Relu6 Reshape Resize Sigmoid Silu Softmax
    Sqrt Square Subtract Sum Tanh Transpose TrueDivide
    """
)
# What is plain data although it is written like an object.
_DATA = frozenset(("__keras_tensor__", "__tuple__", "TensorShape"))
_POLICIES = frozenset(("DTypePolicy", "Policy", "PolicyV1"))
_WORDS = {
    "activation": ACTIVATIONS,
    "initializer": _INITIALIZERS,
    "regularizer": _REGULARIZERS,
    "constraint": _CONSTRAINTS,
}
_CLASSES = frozenset().union(
    LAYERS, OWN, OPERATOR_LAYERS, _OPERATIONS, _DATA, _POLICIES, *_WORDS.values()
)
_KERAS = re.compile(r"(tf_)?keras(\.\w+)*")
_DEEPEST = 60


def unknown_parts(config: Any) -> list[str]:
    """Return what a model's configuration names beyond the listed layers, activations, operators.

    Args:
        config: The parsed configuration, as of a .keras or .h5 file.

    Returns:
        Descriptions such as `Lambda (layer scale)`; none if reading the model runs no other code.
    """
    return list(dict.fromkeys(_unknown(config, "", 0)))


def objects(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every table that describes an object, with its tables inside, at any depth."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            if "class_name" in value:
                yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _unknown(value: Any, key: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield "a configuration that is nested too deeply"
    elif isinstance(value, Mapping):
        if "class_name" in value:
            yield from _unknown_object(value, key)
        for name, inner in value.items():
            yield from _unknown(inner, str(name), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _unknown(inner, key, depth + 1)
    elif isinstance(value, str):
        words = _WORDS.get(key.rsplit("_", 1)[-1])
        if words is not None and value not in words:
            yield f"{value} ({key})"


def _unknown_object(value: Mapping[str, Any], key: str) -> Iterator[str]:
    kind, config = value["class_name"], value.get("config")
    inner = config if isinstance(config, Mapping) else {}
    name = value.get("name") or inner.get("name")
    described = f"{kind} (layer {name})" if name else f"{kind} ({key})" if key else str(kind)
    if kind == "function":  # an activation that is written like an object
        if config not in ACTIVATIONS or not _is_keras(value):
            yield f"function {value.get('module')}.{config}"
    elif not isinstance(kind, str) or _short(kind) not in _CLASSES or not _is_keras(value):
        yield described
    elif (
        kind in OPERATOR_LAYERS and inner.get("function", "__operators__.getitem") not in OPERATORS
    ):
        yield f"{kind} of {inner.get('function')}"


def _short(kind: str) -> str:
    return kind.removeprefix("mobilenet_tf>") if kind.removeprefix("mobilenet_tf>") in OWN else kind


def _is_keras(value: Mapping[str, Any]) -> bool:
    """Whether an object comes from Keras, or is one of this project's two layers."""
    kind, module = value["class_name"], value.get("module")
    registered = value.get("registered_name")
    if _short(str(kind)) in OWN:
        ours = module is None or str(module).startswith("mobilenet_tf.")
        return ours and registered in (None, kind, f"mobilenet_tf>{_short(kind)}")
    names = (None, kind, value.get("config")) if kind == "function" else (None, kind)
    if not any(registered == name for name in names):
        return False
    if module in (None, "builtins"):
        return True
    return isinstance(module, str) and _KERAS.fullmatch(module) is not None
