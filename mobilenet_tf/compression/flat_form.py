"""The flat form: a classifier from elsewhere, rebuilt from the layers that have a deploy form.

Models of tf_keras and of Keras 3 are read layer by layer: networks inside networks are unpacked,
dropout and augmentation are left out, activations become layers of their own, and what multiplies
and adds per channel becomes part of the convolution before it, or a depthwise 1x1 convolution.
Vectors stay maps of 1x1 pixels up to the output, so that a dense layer is a convolution.
"""

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import normalization
from mobilenet_tf.compression.flat_values import LAYERS, Builder, Value
from mobilenet_tf.compression.foreign_graph import Step, is_model, steps_of
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.graph import same_padding

# Layers that pass on what they read once training has ended.
_IDLE = (
    *("Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout"),
    *("ActivityRegularization", "Identity"),
    *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast"),
    *("RandomBrightness", "RandomCrop", "RandomHeight", "RandomWidth"),
)
_POOLED = ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
_COPIED = ("ZeroPadding2D", "MaxPooling2D", "UpSampling2D")
# Arithmetic on tensors, by the names in both libraries: (scale, offset) of x with a number.
_WITH_A_NUMBER: dict[str, Callable[[Any, bool], tuple[Any, Any]]] = {
    "add": lambda number, first: (1, number),
    "subtract": lambda number, first: (-1, number) if first else (1, -number),
    "multiply": lambda number, first: (number, 0),
    "truedivide": lambda number, first: (1 / number, 0),
}


def flat_form(model: Any) -> keras.Model:
    """Rebuild a classifier of tf_keras or Keras 3 as a flat network of tf_keras.

    Args:
        model: From one image (N, h, w, c) of fixed size to a vector of scores.

    Returns:
        A model that computes the same, for `deploy_form`. Layers that remain keep their names,
        unless two of the model have one name.

    Raises:
        UserError: A layer has no integer form here, or the model is no graph of layers.
    """
    image = keras.Input(model.inputs[0].shape[1:], name="image")
    build = Builder()
    (result,) = _converted(build, model, [Value(tensor=image)])
    return build.finish(image, result, len(model.outputs[0].shape) == 2, model.name)


def _converted(build: Builder, model: Any, inputs: list[Value]) -> list[Value]:
    """Return the outputs of a model, which may be a layer of another one."""
    steps = list(steps_of(model))
    readers = Counter(id(tensor) for step in steps for tensor in step.inputs)
    readers.update(id(tensor) for tensor in model.outputs)
    values = {id(tensor): value for tensor, value in zip(model.inputs, inputs, strict=True)}
    for step in steps:
        sources = [values[id(tensor)] for tensor in step.inputs]
        if is_model(step.layer):
            for source in sources:  # how many layers read it is known only inside
                build.tensor(source)
            found = _converted(build, step.layer, sources)
        else:
            found = [_layer(build, step, sources)]
        for tensor, value in zip(step.outputs, found, strict=True):
            value.readers = readers[id(tensor)]
            values[id(tensor)] = value
    return [values[id(tensor)] for tensor in model.outputs]


def _layer(build: Builder, step: Step, sources: list[Value]) -> Value:
    """Return what one layer computes."""
    kind, layer = step.kind, step.layer
    if kind in _IDLE:
        return sources[0]
    if kind in _MAKERS:
        return _MAKERS[kind](build, step, sources)
    if kind in _WITH_A_NUMBER:
        return _arithmetic(build, step, sources)
    if len(step.inputs) == 1 and kind.islower():
        return build.activated(sources[0], kind)
    raise UserError(f"{layer.name} is a {type(layer).__name__}, which has no integer form here.")


def _arithmetic(build: Builder, step: Step, sources: list[Value]) -> Value:
    if len(sources) == 2 and step.kind in ("add", "multiply"):
        return _MAKERS[step.kind.capitalize()](build, step, sources)
    if len(sources) != 1 or len(step.constants) != 1:
        raise UserError(f"{step.layer.name} is arithmetic that has no integer form here.")
    (number,) = step.constants
    first = step.arguments[0] is number
    scale, offset = _WITH_A_NUMBER[step.kind](np.asarray(number), first)
    return build.affine(sources[0], scale, offset, step.channels)


def _config(layer: Any, kind: Any) -> dict[str, Any]:
    """Return what a layer of tf_keras needs to compute the same as this one."""
    config = layer.get_config()
    if config.get("data_format") == "channels_first" or config.get("groups", 1) != 1:
        raise UserError(f"{layer.name} has groups or channels first, which have no form here.")
    known = inspect.signature(kind.__init__).parameters
    left_out = ("_initializer", "_regularizer", "_constraint")
    return {
        name: value
        for name, value in config.items()
        if name in known and not name.endswith(left_out) and name not in ("dtype", "name")
    }


def _convolution(build: Builder, step: Step, sources: list[Value]) -> Value:
    kind = getattr(LAYERS, type(step.layer).__name__)
    config = _config(step.layer, kind) | {"use_bias": True, "activation": "linear"}
    layer = kind.from_config(config | {"name": build.name(step.layer.name)})
    found = _linear(build, layer, step.layer.get_weights(), sources[0])
    return build.activated(found, _function(step.layer))


def _linear(build: Builder, layer: Any, weights: list[np.ndarray], source: Value) -> Value:
    kernel = weights[0]
    outputs = kernel.shape[-1]
    if isinstance(layer, LAYERS.DepthwiseConv2D):
        outputs *= kernel.shape[-2]
    bias = weights[1] if len(weights) > 1 else np.zeros(outputs, np.float32)
    return Value(convolution=layer, weights=(kernel, bias), source=build.tensor(source))


def _separable(build: Builder, step: Step, sources: list[Value]) -> Value:
    depthwise, pointwise, *bias = step.layer.get_weights()
    given = step.layer.get_config()
    names = ("kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier")
    first = LAYERS.DepthwiseConv2D(
        **{name: given[name] for name in names}, name=build.name(f"{step.layer.name}_depthwise")
    )
    second = LAYERS.Conv2D(pointwise.shape[-1], 1, name=build.name(step.layer.name))
    middle = _linear(build, first, [depthwise], sources[0])
    found = _linear(build, second, [pointwise, *bias], middle)
    return build.activated(found, _function(step.layer))


def _dense(build: Builder, step: Step, sources: list[Value]) -> Value:
    """A convolution whose kernel covers the map that a vector was made of."""
    kernel, *bias = step.layer.get_weights()
    source = build.tensor(sources[0])
    sides = tuple(source.shape[1:3]) if len(step.inputs[0].shape) == 2 else (1, 1)
    layer = LAYERS.Conv2D(kernel.shape[-1], sides, name=build.name(step.layer.name))
    shaped = kernel.reshape(*sides, source.shape[3], kernel.shape[-1])
    found = _linear(build, layer, [shaped, *bias], sources[0])
    return build.activated(found, _function(step.layer))


def _function(layer: Any) -> str:
    """Return the name of a layer's activation."""
    function = getattr(layer, "activation", None)
    name = str(getattr(function, "__name__", function or "linear"))
    if name == "hard_sigmoid" and isinstance(layer, LAYERS.Layer):
        return "hard_sigmoid of Keras 2"  # its slope is 1/5
    return name


def _normalised(build: Builder, step: Step, sources: list[Value]) -> Value:
    layer = step.layer
    last = len(step.inputs[0].shape) - 1
    if list(np.atleast_1d(layer.axis)) not in ([last], [-1]):
        raise UserError(f"{layer.name} does not normalise channels.")
    mean, scale, shift = normalization(layer)
    return build.affine(sources[0], scale, shift - mean * scale, step.channels)


def _standardised(build: Builder, step: Step, sources: list[Value]) -> Value:
    layer = step.layer
    if getattr(layer, "invert", False) or layer.mean is None:
        raise UserError(f"{layer.name} is a Normalization that was not adapted, or inverts.")
    mean, variance = (np.asarray(one, np.float64) for one in (layer.mean, layer.variance))
    scale = 1 / np.maximum(np.sqrt(variance), keras.backend.epsilon())
    return build.affine(sources[0], scale, -mean * scale, step.channels)


def _rescaled(build: Builder, step: Step, sources: list[Value]) -> Value:
    return build.affine(sources[0], step.layer.scale, step.layer.offset, step.channels)


def _relu(build: Builder, step: Step, sources: list[Value]) -> Value:
    config = step.layer.get_config()
    if config.get("negative_slope") or config.get("threshold"):
        raise UserError(f"{step.layer.name} is a ReLU with a slope or a threshold.")
    return build.relu(sources[0], config.get("max_value"))


def _pooled(build: Builder, step: Step, sources: list[Value]) -> Value:
    kind = getattr(LAYERS, type(step.layer).__name__)
    layer = kind(keepdims=True, name=build.name(step.layer.name))
    return Value(tensor=layer(build.tensor(sources[0])))


def _copied(build: Builder, step: Step, sources: list[Value]) -> Value:
    kind = getattr(LAYERS, type(step.layer).__name__)
    config = _config(step.layer, kind) | {"name": build.name(step.layer.name)}
    return Value(tensor=kind.from_config(config)(build.tensor(sources[0])))


def _averaged(build: Builder, step: Step, sources: list[Value]) -> Value:
    """A depthwise convolution with equal weights."""
    config = _config(step.layer, LAYERS.AveragePooling2D)
    window, strides = tuple(config["pool_size"]), tuple(config["strides"])
    sides = zip(step.inputs[0].shape[1:3], window, strides, strict=True)
    if config["padding"] == "same" and any(sum(same_padding(*side)) for side in sides):
        raise UserError(f"{step.layer.name} averages beyond the border, which has no form here.")
    name = build.name(step.layer.name)
    layer = LAYERS.DepthwiseConv2D(window, strides, config["padding"], name=name)
    kernel = np.full((*window, step.channels, 1), 1 / (window[0] * window[1]), np.float32)
    return _linear(build, layer, [kernel], sources[0])


def _reshaped(build: Builder, step: Step, sources: list[Value]) -> Value:
    """A vector is a map of one pixel, and a map is flattened by what reads it."""
    shape, wanted = build.tensor(sources[0]).shape[1:], tuple(step.outputs[0].shape[1:])
    if len(wanted) != 1 and wanted != tuple(shape):
        raise UserError(f"{step.layer.name} gives pixels another order, which has no form here.")
    return sources[0]


def _concatenated(build: Builder, step: Step, sources: list[Value]) -> Value:
    rank = len(step.inputs[0].shape)
    axis = getattr(step.layer, "axis", None)
    vectors = rank == 2 and any(build.tensor(one).shape[1:3] != (1, 1) for one in sources)
    if axis not in (-1, rank - 1) or vectors:
        raise UserError(f"{step.layer.name} joins along another axis than that of the channels.")
    return build.merged(LAYERS.Concatenate, sources)


_MAKERS: dict[str, Callable[[Builder, Step, list[Value]], Value]] = {
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D"), _convolution),
    "SeparableConv2D": _separable,
    "Dense": _dense,
    "BatchNormalization": _normalised,
    "Normalization": _standardised,
    "Rescaling": _rescaled,
    "ReLU": _relu,
    "Activation": lambda build, step, sources: build.activated(sources[0], _function(step.layer)),
    "Softmax": lambda build, step, sources: build.softmax(sources[0]),
    **dict.fromkeys(_POOLED, _pooled),
    **dict.fromkeys(_COPIED, _copied),
    "AveragePooling2D": _averaged,
    **dict.fromkeys(("Flatten", "Reshape"), _reshaped),
    "Concatenate": _concatenated,
    "Add": lambda build, step, sources: build.merged(LAYERS.Add, sources),
    "Multiply": lambda build, step, sources: build.product(*sources),
}
