"""Stage 3 for microcontrollers: a run -> a folder of C that a firmware project can take in.

What stands in it is measured: the arena by running the file in TensorFlow Lite Micro, the
agreement with LiteRT on the run's test pictures. A file that does not agree is not written.
"""

import hashlib
import json
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically, write_text
from mobilenet_tf.deployment.devices.mcu.c_code import c_bytes, c_float, c_int8, c_strings
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.interpreter import Arena, MicroModel, measure_arena
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.parse import OP_NAMES, op_codes, parse_model
from mobilenet_tf.deployment.tflite.shrink import shrink

PARITY_PICTURES = 200  # of the test split, for the proof
GOLDEN_PICTURES = 4
_LEAST_WITHIN_1_LSB = 0.99
_SURE_LSB = 2  # a lead of more must not change sides between runtimes

# Operator -> the method of tflite::MicroMutableOpResolver that registers it.
RESOLVER = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MUL": "AddMul",
    "PAD": "AddPad",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "RESHAPE": "AddReshape",
    "SOFTMAX": "AddSoftmax",
}


def operators(data: bytes) -> dict[str, int]:
    """Operator -> version, as the file asks for them.

    Raises:
        UserError: one that no network of this project has.
    """
    model, versions = parse_model(data), {}
    for number, code in zip(op_codes(model), model.operatorCodes, strict=True):
        name = OP_NAMES[number]
        if name not in RESOLVER:
            raise UserError(f"The model has the operator {name}, which has no resolver entry here.")
        versions[name] = max(versions.get(name, 0), code.version)
    return dict(sorted(versions.items()))


def micro_parity(content: bytes, fused: bytes, small: bytes, pictures: np.ndarray) -> dict:
    """LiteRT and TensorFlow Lite Micro on the same pictures.

    LiteRT has two sets of kernels: those that define the arithmetic, and XNNPACK's, which phones
    run and which round differently. The first, on the same operators, are the proof; the second,
    on the file as a phone has it, show what to expect between phone and microcontroller.

    Args:
        content: the file as converted, int8 in and out.
        fused: the same with hard-swish as one operator.
        small: that, as TensorFlow Lite Micro is given it.
        pictures: uint8 (N, h, w, c).

    Returns:
        pictures; litert and xnnpack, each with what `agreement` gives.
    """
    model = TFLiteModel(content)
    inputs = model.prepare(pictures)
    found = MicroModel(small).run(inputs)
    return {
        "pictures": len(pictures),
        "litert": agreement(_run_reference(fused, inputs), found),
        "xnnpack": agreement(model.run_raw(pictures), found),
    }


def agreement(expected: np.ndarray, found: np.ndarray) -> dict:
    """Of int8 outputs (N, classes).

    Returns:
        max_lsb; within_1_lsb, a share of all outputs; sure, the pictures on which the expected
        first class leads by more than 2 LSB; sure_top1_agreement, a share of those.
    """
    expected, found = expected.astype(int), found.astype(int)
    distance = np.abs(expected - found)
    ranked = np.sort(expected, axis=1)
    sure = ranked[:, -1] - ranked[:, -2:-1].max(axis=1, initial=-1000) > _SURE_LSB
    same = expected.argmax(axis=1) == found.argmax(axis=1)
    return {
        "max_lsb": int(distance.max()),
        "within_1_lsb": float((distance <= 1).mean()),
        "sure": int(sure.sum()),
        "sure_top1_agreement": float(same[sure].mean()) if sure.any() else 1.0,
    }


def _run_reference(content: bytes, inputs: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    ends = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for picture in inputs:
        interpreter.set_tensor(ends[0], picture[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(ends[1]).reshape(-1))
    return np.stack(outputs)


def write_folder(
    folder: Path, content: bytes, labels: list[str], pictures: np.ndarray, title: str, crop: float
) -> dict:
    """Prove an int8 file in TensorFlow Lite Micro and write it as C.

    Args:
        folder: made if absent; files of the same names are replaced.
        content: `.tflite` with int8 input and output, as converted.
        labels: one per class.
        pictures: uint8 (N, h, w, c), real ones, for the proof and the self-test.
        title: of the model, for the head of the files.
        crop: see `InputSpec`.

    Returns:
        The figures, as in `micro.json`.

    Raises:
        UserError: the runtimes disagree, TensorFlow Lite Micro refuses the file, or its input
            is not pixel - 128.
    """
    reference, fused = TFLiteModel(content), fuse_hard_swish(content)
    small = shrink(fused)
    if reference.input.dtype != "int8" or not reference.pixels_are_inputs:
        raise UserError(f"{title}: its input is not pixel - 128 as int8, so it has no C form here.")
    parity = micro_parity(content, fused, small, pictures)
    _require_parity(parity["litert"], title)
    figures = figures_of(small) | {"parity": parity}
    figures["sha256"] = hashlib.sha256(small).hexdigest()

    spread = np.linspace(0, len(pictures) - 1, min(GOLDEN_PICTURES, len(pictures))).astype(int)
    inputs = reference.prepare(pictures[spread])
    outputs = MicroModel(small).run(inputs)
    values = _values(reference, small, figures, labels, inputs, outputs, crop)
    values["title"] = " ".join(title.replace("*/", "").split())
    for template in (
        resources.files("mobilenet_tf.deployment.devices.mcu") / "templates"
    ).iterdir():
        text = Template(template.read_text(encoding="utf-8")).substitute(values)
        write_text(folder / template.name, text)
    write_atomically(folder / "model.tflite", lambda partial: partial.write_bytes(small))
    write_text(folder / "micro.json", json.dumps(figures, indent=2) + "\n")
    return figures


def figures_of(data: bytes) -> dict:
    """What a file takes of a microcontroller.

    Returns:
        bytes; arena: needed, activations, persistent, see `Arena`; cmsis_nn: core -> bytes of
        arena in addition with Arm's kernels; ops: operator -> version.
    """
    arena: Arena = measure_arena(data)
    return {
        "bytes": len(data),
        "arena": asdict(arena),
        "cmsis_nn": {core: scratch_beyond(data, core) for core in CORES},
        "ops": operators(data),
    }


def _require_parity(found: dict, title: str) -> None:
    if found["within_1_lsb"] < _LEAST_WITHIN_1_LSB or found["sure_top1_agreement"] < 1:
        raise UserError(
            f"{title}: TensorFlow Lite Micro and LiteRT agree within 1 LSB on only "
            f"{found['within_1_lsb']:.2%} of outputs and on {found['sure_top1_agreement']:.2%} "
            "of the clear first classes; 99 % and 100 % are needed, so nothing is written."
        )


def _values(reference, small, figures, labels, inputs, outputs, crop) -> dict:
    """What the templates leave open."""
    _, height, width, channels = reference.input.shape
    ops, arena, parity = figures["ops"], figures["arena"], figures["parity"]
    calls = [f"resolver.{RESOLVER[name]}() == kTfLiteOk" for name in ops]
    return {
        "bytes": len(small),
        "arena": arena["needed"],
        "activations": arena["activations"],
        "persistent": arena["persistent"],
        "cmsis_m4": figures["cmsis_nn"]["cortex-m4"],
        "cmsis_m55": figures["cmsis_nn"]["cortex-m55"],
        "width": width,
        "height": height,
        "channels": channels,
        "colours": "grey" if channels == 1 else "red, green, blue",
        "colour_order": "" if channels == 1 else ", red, green, blue for each",
        "crop_note": "" if crop == 1 else f"\n * (side: {crop:g} of the shorter side)",
        "classes": len(labels),
        "input_scale": c_float(reference.input.scale),
        "input_zero_point": reference.input.zero_point,
        "output_scale": c_float(reference.output.scale),
        "output_zero_point": reference.output.zero_point,
        "data": c_bytes(small),
        "labels": c_strings(labels),
        "golden_count": len(inputs),
        "golden_bytes": inputs.size + outputs.size,
        "golden_inputs": c_int8(inputs.reshape(len(inputs), -1)),
        "golden_outputs": c_int8(outputs),
        "op_count": len(ops),
        "op_list": "\n".join(f"//   {name} version {version}" for name, version in ops.items()),
        "op_calls": " &&\n         ".join(calls),
        "schema_version": parse_model(small).version,
        "parity": f"{parity['litert']['within_1_lsb']:.2%} of outputs within 1 LSB, at most "
        f"{parity['litert']['max_lsb']}, on {parity['pictures']} pictures",
        "parity_phone": f"{parity['xnnpack']['within_1_lsb']:.2%} within 1 LSB, at most "
        f"{parity['xnnpack']['max_lsb']}; clear first classes "
        f"{parity['xnnpack']['sure_top1_agreement']:.2%}",
    }
