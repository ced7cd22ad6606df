"""Xception is that of `tf_keras.applications`."""

import re

import numpy as np
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.core.inputs import InputSpec

MODULE = re.compile(r"block(\d+)_(sepconv|conv)(\d)(_bn)?")


def our_names(name: str) -> tuple[str, ...]:
    """Return the layers that have the weights of one of their named layers."""
    block, kind, number, norm = MODULE.fullmatch(name).groups()
    if kind == "conv":
        place = ("stem", "block_1/convolution")[int(number) - 1]
        return (f"{place}/norm" if norm else place,)
    if block == "14":  # two rows here
        block, step = str(13 + int(number)), ""
    else:
        step = f"_{number}"
    project = f"block_{block}/project{step}"
    return (f"{project}/norm",) if norm else (f"block_{block}/depthwise{step}", project)


def copy_weights(theirs: keras.Model, ours: keras.Model) -> None:
    copied = set()
    # Strided shortcuts have numbers for names.
    shortcuts = {
        keras.layers.Conv2D: iter([f"block_{n}/shortcut" for n in (2, 3, 4, 13)]),
        keras.layers.BatchNormalization: iter([f"block_{n}/shortcut/norm" for n in (2, 3, 4, 13)]),
    }
    for layer in theirs.layers:
        arrays = layer.get_weights()
        if not arrays:
            continue
        if layer.name == "predictions":
            names = ("classifier",)
        elif MODULE.fullmatch(layer.name):
            names = our_names(layer.name)
        else:
            names = (next(shortcuts[type(layer)]),)
        parts = [arrays] if len(names) == 1 else [[array] for array in arrays]
        for name, part in zip(names, parts, strict=True):
            ours.get_layer(name).set_weights(part)
            copied.add(name)
    assert copied == {layer.name for layer in ours.layers if layer.weights}


def test_outputs_equal_keras_applications(pictures):
    theirs = keras.applications.Xception(weights=None, input_shape=(96, 96, 3), classes=10)
    ours = build("xception", size=96, classes=10)
    assert theirs.count_params() == ours.count_params()
    images = keras.layers.Resizing(96, 96)(InputSpec().normalise(pictures[:4]))
    for layer in theirs.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    for _ in range(3):  # statistics of real pictures, so that no layer is silent
        theirs(images, training=True)
    copy_weights(theirs, ours)
    expected, found = (
        keras.Model(model.input, [model.get_layer("avg_pool").output, model.output])(images)
        for model in (theirs, ours)
    )
    for a, b in zip(expected, found, strict=True):
        assert np.abs(a[0] - a[-1]).max() > 1e-3, "the test sees no picture"
        np.testing.assert_allclose(np.reshape(b, a.shape), a, atol=1e-5 * max(1.0, np.max(a)))
