"""Export for microcontrollers: an int8 model -> a folder of C for a firmware project.

The numbers in it are measured: the arena by running the file in TensorFlow Lite Micro, the
agreement with LiteRT on the run's test pictures. A file that does not agree is not written.
"""

import hashlib
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.outputs import Outputs
from mobilenet_tf.core.ownership import EXPORT, Marker, write_export
from mobilenet_tf.core.text import markdown
from mobilenet_tf.deployment.devices.c.folder import SOURCES, c_contents
from mobilenet_tf.deployment.devices.firmware.decoder import RawOutputs
from mobilenet_tf.deployment.devices.firmware.files import golden_values, shared_files
from mobilenet_tf.deployment.devices.mcu.c_code import c_bytes
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.devices.mcu.parity import (
    micro_parity,
    require_parity,
    require_same,
)
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.templates import fill, model_values
from mobilenet_tf.deployment.tflite.compressed.decode_operator import (
    DECODE,
    decoding_cost,
    kernel_forms,
)
from mobilenet_tf.deployment.tflite.kernels import INT4, PLAIN
from mobilenet_tf.deployment.tflite.parse import op_names, parse_model

_STEPS = 1  # by which kernels other than the reference's were seen to differ
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
        `micro_parity`; sha256; plain_c, those of `c_contents`, or why that form is left out.
        `micro.json` has the same.

    Raises:
        UserError: The runtimes disagree, TensorFlow Lite Micro refuses the file, or its input
            is not pixel - 128; or see `compress_weights` and `require_same`.
        ValueError: The model has no pictures.
    """
    pictures = model.pictures
    if pictures is None:
        raise ValueError("The export for microcontrollers needs pictures.")
    form = form or McuForm(model.content, model.compress)
    reference = model.reference()
    inputs = reference.prepare(pictures)
    found = MicroModel(form.small).run(inputs)
    if form.small != form.plain:
        require_same(form.plain, found, inputs, model.title)
    parity = micro_parity(model.task, reference, form.fused, found, pictures)
    require_parity(parity["litert"], model.title)
    facts = device_facts(form) | {"parity": parity}
    facts["sha256"] = hashlib.sha256(form.small).hexdigest()

    outputs = RawOutputs.of(model, reference.outputs)
    texts = {**model_values(reference, model), **golden_values(outputs, inputs, found)}
    contents = shared_files(outputs, texts, model.prefix, _STEPS)
    facts["plain_c"], plain = _plain_c(model, found, contents)
    values = {
        **texts,
        **_memory_values(facts),
        "kernels": _kernels_text(facts["kernels"]),
        **_runner_values(form.small, facts["ops"]),
        **_parity_values(parity),
        "plain_c": _plain_c_text(facts["plain_c"]),
        "data": c_bytes(form.small),
    }
    contents |= plain | fill("mobilenet_tf.deployment.devices.mcu", values, model.prefix)
    contents["model.tflite"] = form.small
    contents["micro.json"] = (json_text(facts, indent=2) + "\n").encode()
    return facts, contents


def _plain_c(
    model: Int8Model, expected: Outputs, shared: Collection[str]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the facts and files of the same network as plain C, without those that are shared.

    Args:
        model: The model.
        expected: As for `c_contents`.
        shared: Names of the files that both forms have.
    """
    try:
        facts, contents = c_contents(model, expected=expected)
    except UserError as error:
        return {"left_out": str(error)}, {}
    sources = {
        name.removeprefix(SOURCES): content
        for name, content in contents.items()
        if name.startswith(SOURCES)
    }
    return facts, {
        f"plain_c/{name}": content for name, content in sources.items() if name not in shared
    }


def device_facts(form: McuForm) -> dict[str, Any]:
    """Return what a model needs of a microcontroller.

    Returns:
        bytes; plain_bytes: those without compression; kernels: `plain`, `lut`, `prune` or
        `huffman` -> number of kernels that are stored so; decoding: see `decoding_cost`; arena:
        needed, activations, persistent, see `Arena`; cmsis_nn: core -> additional bytes of arena
        with Arm's kernels; ops: operator -> version.
    """
    return {
        "bytes": len(form.small),
        "plain_bytes": len(form.plain),
        "kernels": kernel_forms(form.small),
        "decoding": decoding_cost(form.small),
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
    if set(kernels) <= {PLAIN, INT4}:
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


def _plain_c_text(facts: dict[str, Any]) -> str:
    if "left_out" in facts:
        return f"There is no plain C of this network here: {markdown(facts['left_out'])}"
    return (
        f"`plain_c/` is the same network without an interpreter: {facts['bytes']} bytes of "
        f"constants, and an arena of {facts['arenas']['portable']} bytes. It was run on the "
        f"exporting machine, with the interpreter's scores on all {facts['pictures']} pictures, "
        "bit for bit. This form is the one that is proven by running."
    )
