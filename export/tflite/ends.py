"""The input and the outputs of a `.tflite` that takes one picture."""

from math import prod

from ai_edge_litert import schema_py_generated as schema

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import IO_TYPES
from mobilenet_tf.core.outputs import values_shape
from mobilenet_tf.core.text import clean_name
from mobilenet_tf.deployment.tflite.limits import BATCH_ELEMENTS, OUTPUTS, PICTURE_ELEMENTS
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo, check_quantization, with_batch


def checked_ends(graph: schema.SubGraphT, name: str) -> tuple[TensorInfo, tuple[TensorInfo, ...]]:
    """Return the input and the outputs of a file, in its order.

    Raises:
        UserError: They are not one picture and arrays of fixed size, of accepted types.
    """
    if len(graph.inputs) != 1:
        raise UserError(f"{name} has {len(graph.inputs)} inputs; one is needed.")
    if not 1 <= len(graph.outputs) <= OUTPUTS:
        raise UserError(
            f"{name} has {len(graph.outputs)} outputs; from 1 to {OUTPUTS} are accepted."
        )
    picture, *outputs = (with_batch(graph.tensors[i]) for i in (*graph.inputs, *graph.outputs))
    for tensor in (picture, *outputs):
        named = f"{name}: tensor {clean_name(tensor.name)}"
        if any(side < 1 for side in tensor.shape):
            raise UserError(
                f"{named} has the shape {tensor.shape}, which is not fixed; export it with "
                "height and width given."
            )
        if tensor.dtype not in IO_TYPES:
            accepted = ", ".join(IO_TYPES)
            raise UserError(f"{named} is {tensor.dtype}; it must be one of {accepted}.")
    if len(picture.shape) != 4:
        raise UserError(
            f"{name} has an input of shape {picture.shape}; a picture of 4 axes is needed."
        )
    for tensor, shape, most in (
        (picture, picture.shape[1:], PICTURE_ELEMENTS),
        *((one, one.shape, BATCH_ELEMENTS) for one in (picture, *outputs)),
    ):
        if prod(shape) > most:
            raise UserError(
                f"{name}: tensor {clean_name(tensor.name)} has the shape {tensor.shape}; "
                f"at most {most:,} elements of {shape} are accepted."
            )
        check_quantization(tensor, name)
    return picture, tuple(outputs)


def picture_shape(picture: TensorInfo, output: TensorInfo, name: str) -> tuple[int, ...]:
    """Return the shape of an output for one picture; see `values_shape`.

    Args:
        picture: The input.
        output: An output.
        name: What errors call the file.

    Raises:
        UserError: Its values cannot be divided among the pictures of the input.
    """
    batch = picture.shape[0]
    count, rest = divmod(prod(output.shape), batch)
    if rest:
        raise UserError(
            f"{name} has an output of shape {output.shape} for an input of shape "
            f"{picture.shape}; the same number of scores for each picture is needed."
        )
    return values_shape(output.shape[1:]) if output.shape[0] == batch else (count,)


def scores_index(graph: schema.SubGraphT, output: int) -> int:
    """Return the tensor of integers from which a float output is dequantized, or the output."""
    last = next((op for op in graph.operators if output in op.outputs), None)
    if with_batch(graph.tensors[output]).scale is None and last and len(last.inputs) == 1:
        return int(last.inputs[0])
    return output
