"""Convert a Keras model to an integer `.tflite`. The only module here that imports TensorFlow."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras
from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import IO_TYPES
from mobilenet_tf.core.terminal import quiet
from mobilenet_tf.deployment.tflite.flatbuffer import pack


def convert(model: keras.Model, io: str = "uint8", images: np.ndarray | None = None) -> bytes:
    """Return an int8 `.tflite` of batch 1 and fixed size, without metadata.

    Its outputs are in the order of the model's.

    Args:
        model: Quantization-aware model, or any float model if `images` are given.
        io: Type of the file's input and output: uint8, int8 or float32.
        images: (N, h, w, c) float32, normalised: post-training quantization takes the ranges of
            the tensors from them.

    Raises:
        UserError: `io` is not one of these types.
    """
    if io not in IO_TYPES:
        raise UserError(f"io is {io!r}; it must be one of {', '.join(IO_TYPES)}.")
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(io)
    if images is not None:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([image[None]] for image in images)
    with quiet():
        content = converter.convert()
    return content if len(model.outputs) == 1 else _in_order(content)


def convert_float(model: keras.Model) -> bytes:
    """Return a float32 `.tflite` of batch 1 and fixed size, without metadata.

    Its tensors have the names of those in the int8 file of the same model.

    Args:
        model: Any float model.
    """
    with quiet():
        content: bytes = _converter(model).convert()
    return content


def _converter(model: keras.Model) -> Any:
    function = traced(model)
    # If the converter were given the model itself, it would first save it with a trace of every
    # layer, which takes ten times as long as the conversion.
    holder = tf.Module()
    holder.variables_read = function.variables
    return tf.lite.TFLiteConverter.from_concrete_functions([function], holder)


def _in_order(content: bytes) -> bytes:
    """Return a file with its outputs in the order of the model's.

    The converter lists them in an order of its own; only the signature has their numbers.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    numbered = {
        int(output.name.decode().removeprefix("output_")): output.tensorIndex
        for output in model.signatureDefs[0].outputs
    }
    model.subgraphs[0].outputs = [index for _, index in sorted(numbered.items())]
    return pack(model)


def traced(model: keras.Model) -> Any:
    """Return the concrete function that is converted: batch 1, fixed size.

    Of a model with layers that have a true attribute `convert_in_training_mode` it is the training
    graph: quantization-aware layers have their ranges there.
    """
    # A batch of any size would leave arithmetic on shapes in the file.
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    training = any(getattr(layer, "convert_in_training_mode", False) for layer in model.layers)
    function = tf.function(
        lambda image: model(image, training=training), input_signature=[signature], autograph=False
    )
    return function.get_concrete_function()
