"""Stage 3: a Keras model -> an integer `.tflite` with its labels and preprocessing inside."""

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.compression.settings import IO_TYPES
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import quiet


def convert(model: keras.Model, io: str = "uint8", pictures: np.ndarray | None = None) -> bytes:
    """An int8 `.tflite` of batch 1 and fixed size.

    Args:
        model: quantization-aware; or any float model, if `pictures` are given.
        io: type of the file's input and output: uint8, int8 or float32.
        pictures: (N, h, w, c) float32, as the model takes them: post-training quantization
            sets its ranges with them.

    Returns:
        The file's bytes, without metadata.

    Raises:
        UserError: another `io`.
    """
    if io not in IO_TYPES:
        raise UserError(f"io is {io!r}; it must be one of {', '.join(IO_TYPES)}.")
    function = traced(model)
    # Given the model itself, the converter would first save it with a trace of every layer, which
    # takes ten times as long as the conversion.
    holder = tf.Module()
    holder.variables_read = function.variables
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], holder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(io)
    if pictures is not None:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: ([picture[None]] for picture in pictures)
    with quiet():
        return converter.convert()


def traced(model: keras.Model):
    """The graph that is converted: batch 1, fixed size, and of a QAT model the training graph."""
    # A free batch size would leave the arithmetic of shapes in the file.
    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    # A quantization-aware model has its ranges in its training graph, see `QuantizedLayer`.
    training = any(isinstance(layer, QuantizedLayer) for layer in model.layers)
    function = tf.function(
        lambda image: model(image, training=training), input_signature=[signature], autograph=False
    )
    return function.get_concrete_function()
