"""Export for microcontrollers: an int8 model -> a folder of C for a firmware project.

The numbers in it are measured: the arena by running the file in TensorFlow Lite Micro, the
agreement with LiteRT on the run's test pictures. A file that does not agree is not written.
"""

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.outputs import side_by_side
from mobilenet_tf.core.ownership import EXPORT, Marker, write_export
from mobilenet_tf.deployment.devices.mcu.c_code import c_bytes
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.interpreter import Arena, MicroModel, measure_arena
from mobilenet_tf.deployment.devices.mcu.parity import (
    micro_parity,
    require_parity,
    require_same,
)
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.templates import (
    fill,
    golden_numbers,
    golden_values,
    model_values,
)
from mobilenet_tf.deployment.tflite.compressed.compress import NONE, compress_weights
from mobilenet_tf.deployment.tflite.compressed.decode_operator import DECODE, kernel_forms
from mobilenet_tf.deployment.tflite.fuse_hard_swish import fuse_hard_swish
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.kernels import PLAIN
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model
from mobilenet_tf.deployment.tflite.shrink import shrink

# Operator -> the method of tflite::MicroMutableOpResolver that registers it.
RESOLVER = {
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "HARD_SWISH": "AddHardSwish",
    "LOGISTIC": "AddLogistic",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MUL": "AddMul",
    "PAD": "AddPad",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "RESHAPE": "AddReshape",
    "RESIZE_BILINEAR": "AddResizeBilinear",
    "SOFTMAX": "AddSoftmax",
    DECODE: "AddDecode",
}


@dataclass(frozen=True)
class McuForm:
    """An int8 file with the forms of it that microcontrollers need.

    Attributes:
        converted: The file as converted, with int8 input and output.
        compress: One of `FORMS`: how kernels are stored.
    """

    converted: bytes
    compress: str = NONE

    @cached_property
    def fused(self) -> bytes:
        """The file with hard-swish as one operator."""
        return fuse_hard_swish(self.converted)

    @cached_property
    def plain(self) -> bytes:
        """That file in the form that TensorFlow Lite Micro runs, with a memory plan."""
        return shrink(self.fused)

    @cached_property
    def small(self) -> bytes:
        """The same with kernels stored as `compress` says; `plain` itself if that saves nothing."""
        compressed = compress_weights(self.fused, self.compress)
        return self.plain if compressed is self.fused else shrink(compressed)

    @cached_property
    def arena(self) -> Arena:
        """The arena that it needs, found by execution, which takes seconds."""
        return measure_arena(self.small)


def operators(data: bytes) -> dict[str, int]:
    """Return operator -> the version that the file needs.

    Raises:
        UserError: The resolver has no entry for an operator; no network of the zoo has such.
    """
    model = parse_model(data)
    versions: dict[str, int] = {}
    for name, code in zip(op_names(model), model.operatorCodes, strict=True):
        if name not in RESOLVER:
            raise UserError(f"The model has the operator {name}, which has no resolver entry here.")
        versions[name] = max(versions.get(name, 0), code.version)
    return dict(sorted(versions.items()))


def write_folder(folder: Path, model: Int8Model) -> dict[str, Any]:
    """Write what `folder_contents` returns into a folder, and return the facts.

    Raises:
        UserError: See `folder_contents`; or a file would be lost, see `require_export`.
    """
    facts, contents = folder_contents(model)
    export = Marker(kind=EXPORT, target="mcu", identity=model.origin)
    write_export(folder, export, contents)
    return facts


def folder_contents(
    model: Int8Model, form: McuForm | None = None
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Compare an int8 file with TensorFlow Lite Micro's execution of it, and return it as C.

    Args:
        model: The model. Its pictures are for the comparison and the self-test.
        form: The forms of the model's file, if they have been made already.

    Returns:
        Facts, and file name -> content. The facts are those of `device_facts`; parity as from
        `micro_parity`; sha256. `micro.json` has the same.

    Raises:
        UserError: The runtimes disagree, TensorFlow Lite Micro refuses the file, or its input
            is not pixel - 128; or see `compress_weights` and `require_same`.
        ValueError: The model has no pictures.
    """
    pictures = model.pictures
    if pictures is None:
        raise ValueError("The export for microcontrollers needs pictures.")
    form = form or McuForm(model.content, model.compress)
    reference = TFLiteModel(form.converted)
    if reference.input.dtype != "int8" or not reference.pixels_are_inputs:
        raise UserError(
            f"{model.title}: its input is not pixel - 128 as int8, so it has no C form here."
        )
    require_same(form.plain, form.small, reference.prepare(pictures), model.title)
    parity = micro_parity(model.task, reference, form.fused, form.small, pictures)
    require_parity(parity["litert"], model.title)
    facts = device_facts(form) | {"parity": parity}
    facts["sha256"] = hashlib.sha256(form.small).hexdigest()

    golden = reference.prepare(pictures[golden_numbers(len(pictures))])
    values = {
        **model_values(reference, model),
        **_memory_values(facts),
        **golden_values(golden, side_by_side(MicroModel(form.small).run(golden))),
        "kernels": _kernels_text(facts["kernels"]),
        **_runner_values(form.small, facts["ops"]),
        **_parity_values(parity),
        "data": c_bytes(form.small),
    }
    contents = fill("mobilenet_tf.deployment.devices.mcu", values, model.prefix)
    contents["model.tflite"] = form.small
    contents["micro.json"] = (json_text(facts, indent=2) + "\n").encode()
    return facts, contents


def device_facts(form: McuForm) -> dict[str, Any]:
    """Return what a model needs of a microcontroller.

    Returns:
        bytes; plain_bytes: those without compression; kernels: `plain`, `lut`, `prune` or
        `huffman` -> number of kernels that are stored so; arena: needed, activations, persistent,
        see `Arena`; cmsis_nn: core -> additional bytes of arena with Arm's kernels; ops:
        operator -> version.
    """
    return {
        "bytes": len(form.small),
        "plain_bytes": len(form.plain),
        "kernels": kernel_forms(form.small),
        "arena": asdict(form.arena),
        "cmsis_nn": {core: scratch_beyond(form.small, core) for core in CORES},
        "ops": operators(form.small),
    }


# The values that the templates need, by topic.


def _memory_values(facts: dict[str, Any]) -> dict[str, Any]:
    arena, scratch = facts["arena"], facts["cmsis_nn"]
    return {
        "bytes": facts["bytes"],
        "arena": arena["needed"],
        "activations": arena["activations"],
        "persistent": arena["persistent"],
        "cmsis_m4": scratch["cortex-m4"],
        "cmsis_m55": scratch["cortex-m55"],
    }


def _runner_values(small: bytes, ops: dict[str, int]) -> dict[str, Any]:
    calls = [f"resolver.{RESOLVER[name]}() == kTfLiteOk" for name in ops]
    return {
        "op_count": len(ops),
        "op_list": "\n".join(f"//   {name} version {version}" for name, version in ops.items()),
        "op_calls": " &&\n         ".join(calls),
        "schema_version": parse_model(small).version,
    }


def _kernels_text(kernels: dict[str, int]) -> str:
    text = ", ".join(f"{count} {form}" for form, count in kernels.items())
    if set(kernels) <= {PLAIN}:
        return text
    return f"{text}; {DECODE} restores them, which TensorFlow Lite Micro has since October 2025"


def _parity_values(parity: dict[str, Any]) -> dict[str, str]:
    litert, phone = parity["litert"], parity["xnnpack"]
    return {
        "parity": f"{litert['within_1_lsb']:.2%} of outputs within 1 LSB, at most "
        f"{litert['max_lsb']}, on {parity['pictures']} pictures",
        "parity_phone": f"{phone['within_1_lsb']:.2%} within 1 LSB, at most "
        f"{phone['max_lsb']}; clear first classes {phone['sure_top1_agreement']:.2%}",
    }
