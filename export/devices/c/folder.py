"""`export --target c`: an int8 network as plain C, proven by running it on this machine.

The scores must be those of TensorFlow Lite Micro's reference kernels, bit for bit, on every
picture; otherwise nothing is written.
"""

import hashlib
import json
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.outputs import Outputs, side_by_side
from mobilenet_tf.datasets.images import padding_value
from mobilenet_tf.deployment.devices.c.host import run_on_host
from mobilenet_tf.deployment.devices.c.program import read_program
from mobilenet_tf.deployment.devices.c.source import PORTABLE, Source
from mobilenet_tf.deployment.devices.firmware.decoder import RawOutputs
from mobilenet_tf.deployment.devices.firmware.files import golden_values, shared_files
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.devices.templates import fill, model_values
from mobilenet_tf.deployment.tflite.compressed.compress import NONE, Decoders
from mobilenet_tf.deployment.tflite.compressed.decode_operator import decoding_cost, kernel_forms
from mobilenet_tf.deployment.tflite.compressed.int4 import unpacking_cost

# The most that all functions together take of flash; `make test-firmware` compares.
CODE_BYTES = 8192
# One more operator is a struct and a call.
UNPACKING = Decoders(code=1200, flash=72, ram=0, parts=64)
SOURCES, EXAMPLE = "src/", "example/"  # folders of what is compiled
_RESIZES = ("bilinear", "mediapipe")  # `InputSpec.resize` of which mtf_frame.c has code
_LARGEST_DENOMINATOR = 10_000  # of `crop` as a fraction


class CForm:
    """A network as C.

    Attributes:
        plain: The `.tflite` without encoded kernels, in the form that TensorFlow Lite Micro runs.
        small: The file whose operators the C calls.

    Args:
        content: The `.tflite` as converted, with int8 input and output.
        compress: How kernels are stored: one of `UNPACKING.forms`, or `int4`.
        max_flash: What constants and code should fit into, see `McuForm.max_bytes`.

    Raises:
        UserError: See `compress_weights` and `int4_weights`.
    """

    def __init__(self, content: bytes, compress: str = NONE, max_flash: float | None = None):
        code = CODE_BYTES + UNPACKING.code
        forms = McuForm(content, compress, UNPACKING, max_flash and max_flash - code)
        self.plain, self.small = forms.plain, forms.small

    @cached_property
    def source(self) -> Source:
        """The C of its operators.

        Raises:
            UserError: An operator has no form in C.
        """
        return Source(read_program(self.small))

    @cached_property
    def plain_source(self) -> Source:
        """The C without encoded kernels."""
        return Source(read_program(self.plain)) if self.small != self.plain else self.source

    @property
    def flash(self) -> int:
        """Bytes of constants, and the most that the code takes."""
        added = len(self.source.program.operators) - len(self.plain_source.program.operators)
        unpacking = UNPACKING.code + added * UNPACKING.flash if added else 0
        return self.source.constant_bytes + CODE_BYTES + unpacking

    @property
    def arena(self) -> dict[str, int]:
        """Kernels (portable, dsp, mve) -> bytes of the arena."""
        return {variant: layout.size for variant, layout in self.source.layouts.items()}

    @property
    def ram(self) -> int:
        """Bytes of the arena with the portable kernels."""
        return self.arena[PORTABLE]


def c_contents(
    model: Int8Model, form: CForm | None = None, expected: Outputs | None = None
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return an int8 file as C, compared with TensorFlow Lite Micro's execution of it.

    Args:
        model: The model. Its pictures are for the comparison and the self-test.
        form: The model's file as C, if it has been made already.
        expected: TensorFlow Lite Micro's int8 outputs for the pictures, if it has run already.

    Returns:
        Facts, and file name -> content. The facts are bytes (of constants), plain_bytes (without
        encoded kernels), kernels (form -> number of kernels that are stored so), decoding (see
        `decoding_cost` and `unpacking_cost`), decoded_bytes (of the arena that the largest decoded
        kernel takes), flash_bytes, arenas (kernels -> bytes), ops (their number), pictures,
        max_lsb, sha256 (of the file).

    Raises:
        UserError: An operator has no form in C, a score differs, there is no C compiler, the
            input is not pixel - 128; or see `compress_weights`.
        ValueError: The model has no pictures.
    """
    if model.pictures is None:
        raise ValueError("The export as C needs pictures.")
    form = form or CForm(model.content, model.compress)
    reference = model.reference()
    inputs = reference.prepare(model.pictures)
    expected = MicroModel(form.plain).run(inputs) if expected is None else expected
    facts: dict[str, Any] = {
        "bytes": form.source.constant_bytes,
        "plain_bytes": form.plain_source.constant_bytes,
        "kernels": kernel_forms(form.small),
        "decoding": decoding_cost(form.small, in_c=True) | unpacking_cost(form.small),
        "decoded_bytes": form.source.decoded_bytes,
        "flash_bytes": form.flash,
        "arenas": form.arena,
        "ops": len(form.source.program.operators),
        "pictures": len(inputs),
        "sha256": hashlib.sha256(form.small).hexdigest(),
    }
    outputs, texts = RawOutputs.of(model, reference.outputs), model_values(reference, model)
    values = {
        **texts,
        **golden_values(outputs, inputs, expected),
        **form.source.texts(),
        **_fact_values(facts, texts["title"]),
        **_frame_values(model.network.input),
    }
    templates = fill("mobilenet_tf.deployment.devices.c", values, model.prefix)
    contents = _used(templates, form.source, model.network.input)
    for name, content in shared_files(outputs, values, model.prefix, 0).items():
        contents[name if name.startswith(EXAMPLE) else SOURCES + name] = content
    found = run_on_host(contents, model.prefix, inputs)
    facts["max_lsb"] = _largest_difference(side_by_side(expected), found, model.title)
    contents["c.json"] = (json_text(facts, indent=2) + "\n").encode()
    return facts, contents


def _fact_values(facts: dict[str, Any], title: str) -> dict[str, Any]:
    arenas = {f"arena_{variant}": f"{size}" for variant, size in facts["arenas"].items()}
    numbers = {name: facts[name] for name in ("bytes", "decoded_bytes", "ops", "pictures")}
    numbers["kernels"] = ", ".join(f"{count} {form}" for form, count in facts["kernels"].items())
    return {**numbers, **arenas, "yaml_title": json.dumps(title)}


def _frame_values(spec: InputSpec) -> dict[str, Any]:
    """Return the fields of mtf_input that make training's preparation."""
    crop = Fraction(spec.crop).limit_denominator(_LARGEST_DENOMINATOR)
    return {
        "fit": f"MTF_{spec.fit.upper()}",
        "crop": crop.numerator,
        "crop_of": crop.denominator,
        "fill": padding_value(spec),
        "resize": f"MTF_{spec.resize.upper()}",
    }


def _used(contents: dict[str, bytes], source: Source, spec: InputSpec) -> dict[str, bytes]:
    """Leave out kernels that the network does not call, and a preparation other than training's."""
    kernels = {*source.kernels, "mtf_cmsis_nn.c", "mtf_frame.c"}

    def is_used(name: str) -> bool:
        _, _, file = name.rpartition("/")
        if spec.resize not in _RESIZES and file.partition(".")[0].endswith("_frame"):
            return False
        return "/kernels/" not in name or name.endswith(".h") or file in kernels

    return {name: content for name, content in contents.items() if is_used(name)}


def _largest_difference(expected: np.ndarray, found: np.ndarray, title: str) -> int:
    """Return 0, the largest difference that is accepted."""
    worst = int(np.abs(expected.astype(int) - found).max())
    if worst:
        raise UserError(
            f"{title}: the C code's scores differ by up to {worst} LSB from those of TensorFlow "
            "Lite Micro's reference kernels, and must be equal, so nothing is written."
        )
    return worst
