"""Agreement between TensorFlow Lite Micro and LiteRT on the same images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.outputs import Outputs, each, joined, one_or_all, values_of
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.tasks.agreement import Decisions, clear_agreement
from mobilenet_tf.tasks.task import Task

_LEAST_WITHIN_1_LSB = 0.99


def micro_parity(
    task: Task, model: TFLiteModel, fused: bytes, outputs: Outputs, pictures: np.ndarray
) -> dict[str, Any]:
    """Compare LiteRT and TensorFlow Lite Micro.

    LiteRT has two sets of kernels: the reference kernels, which define the arithmetic, and
    XNNPACK's, which phones run and which round differently. The reference kernels on the same
    operators are the proof. XNNPACK on the phone's form of the file shows what to expect between
    a phone and a microcontroller.

    Args:
        task: What the file is for.
        model: The file as converted, with int8 input and output.
        fused: The same file with hard-swish as one operator.
        outputs: int8 outputs of TensorFlow Lite Micro for the pictures.
        pictures: uint8 (N, h, w, c).

    Returns:
        pictures (their number); litert and xnnpack, each as from `agreement`.
    """
    inputs = model.prepare(pictures)
    return {
        "pictures": len(pictures),
        "litert": agreement(task, model.scores, run_reference(fused, inputs), outputs),
        "xnnpack": agreement(task, model.scores, model.run_raw(pictures), outputs),
    }


def agreement(
    task: Task, scores: Sequence[TensorInfo], expected: Outputs, found: Outputs
) -> dict[str, Any]:
    """Compare int8 outputs.

    Returns:
        max_lsb; within_1_lsb (share of the values of the output that agrees least); and those of
        `clear_agreement`.
    """
    pairs = list(zip(each(expected), each(found), strict=True))
    distances = [np.abs(one.astype(int) - other) for one, other in pairs]
    steps = [float(one.scale or 1) for one in scores]

    def decisions(raw: Outputs) -> Decisions:
        real = one_or_all(map(TensorInfo.dequantize, scores, each(raw)))
        return task.decisions(real, steps)

    return {
        "max_lsb": max(int(one.max()) for one in distances),
        "within_1_lsb": min(float((one <= 1).mean()) for one in distances),
        **clear_agreement(decisions(expected), decisions(found)),
    }


def require_parity(found: dict[str, Any], title: str) -> None:
    """Reject a model whose outputs differ between the runtimes.

    Args:
        found: As from `agreement`, with the reference kernels.
        title: Title of the model.

    Raises:
        UserError: Fewer than 99 % of outputs are within 1 LSB, or a clear first class differs.
    """
    if found["within_1_lsb"] < _LEAST_WITHIN_1_LSB or found["sure_top1_agreement"] < 1:
        raise UserError(
            f"{title}: TensorFlow Lite Micro and LiteRT agree within 1 LSB on only "
            f"{found['within_1_lsb']:.2%} of outputs and on {found['sure_top1_agreement']:.2%} "
            "of the clear first classes; 99 % and 100 % are needed, so nothing is written."
        )


def require_same(plain: bytes, outputs: Outputs, inputs: np.ndarray, title: str) -> None:
    """Reject a file whose outputs are not those of the same network with plain kernels.

    TensorFlow Lite Micro checks no lengths when it decodes kernels, so each file is run.

    Args:
        plain: The file with plain kernels.
        outputs: int8 outputs of TensorFlow Lite Micro with the file to check.
        inputs: int8 (N, h, w, c).
        title: Title of the model.

    Raises:
        UserError: An output differs.
    """
    if not all(map(np.array_equal, each(MicroModel(plain).run(inputs)), each(outputs))):
        raise UserError(
            f"{title}: with compressed kernels TensorFlow Lite Micro computes other outputs, so "
            "nothing is written; export with --compress none."
        )


def run_reference(content: bytes, inputs: np.ndarray) -> Outputs:
    """Run LiteRT's reference kernels on int8 inputs (N, h, w, c)."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    reference = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=reference)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    results = [output["index"] for output in interpreter.get_output_details()]
    outputs = []
    for picture in inputs:
        interpreter.set_tensor(source, picture[None])
        interpreter.invoke()
        outputs.append(values_of([interpreter.get_tensor(result) for result in results]))
    return joined(outputs)
