"""The sections of `result.json` on exported files and devices; see also `runs/sections.py`."""

from dataclasses import dataclass, field

from mobilenet_tf.core.settings import number
from mobilenet_tf.runs.sections import Section, unknown_count


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """Input or output of a file; scale and zero point are None for float."""

    name: str | None = None
    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True, kw_only=True)
class QuantizeOps:
    """Number of QUANTIZE and DEQUANTIZE operators, by place; see `inspect`."""

    boundary: int
    inside: int
    weights: int


@dataclass(frozen=True, kw_only=True)
class File(Section):
    """The int8 `.tflite`.

    Attributes:
        bytes: Size of the file.
        download_bytes: Its size compressed by deflate, as apps and web pages are downloaded.
        ops: Operator -> number of uses.
        float_tensors: Number of tensors of a float type.
        quantize_ops: Conversions between number formats.
        partitions: Partitions that XNNPACK executes; None if the runtime rejects the file.
        left_out: Operators that XNNPACK leaves to the built-in kernels.
        min_runtime: Oldest TFLite runtime that has all operators.
        peak_activation_bytes: Most memory that activations need at one time.
        input, output: Tensors to write and to read.
        outputs: All tensors to read, if there are several; `output` is None then.
    """

    bytes: int | None = unknown_count()
    download_bytes: int | None = unknown_count()
    ops: dict[str, int] | None = None
    float_tensors: int | None = unknown_count()
    quantize_ops: QuantizeOps | None = None
    partitions: int | None = unknown_count()
    left_out: tuple[str, ...] | None = None
    min_runtime: str | None = None
    peak_activation_bytes: int | None = unknown_count()
    input: Tensor | None = None
    output: Tensor | None = None
    outputs: tuple[Tensor, ...] | None = None

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Name -> tensor to write or to read."""
        named = {"input": self.input, "output": self.output}
        named |= {f"output {i}": one for i, one in enumerate(self.outputs or (), start=1)}
        return {name: tensor for name, tensor in named.items() if tensor is not None}


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model file of a run, as it was written; see `runs/provenance.py`.

    Attributes:
        fingerprint: Identifies its content.
        made_from: Name of its source -> fingerprint of the source.
    """

    fingerprint: str | None = None
    made_from: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PtqFile(Section):
    """The `.tflite` of plain post-training quantization; `bytes` is its size."""

    bytes: int | None = unknown_count()


@dataclass(frozen=True, kw_only=True)
class Calibration(Section):
    """Images that set the ranges of post-training quantization.

    Attributes:
        pictures: Number of images.
        per_class: Class -> number of its images.
        lowest_pixel, highest_pixel: Extreme pixel values.
    """

    pictures: int | None = unknown_count()
    per_class: dict[str, int] | None = None
    lowest_pixel: int | None = None
    highest_pixel: int | None = None


@dataclass(frozen=True, kw_only=True)
class Arena:
    """Working memory on a microcontroller in bytes; see `deployment.devices.mcu.interpreter`."""

    needed: int
    activations: int
    persistent: int


@dataclass(frozen=True, kw_only=True)
class RuntimeParity:
    """Agreement of TensorFlow Lite Micro with another runtime.

    Attributes:
        max_lsb, within_1_lsb: As in `Parity`.
        sure: Number of images whose predicted class leads by more than 2 LSB.
        sure_top1_agreement: Share of those for which both runtimes predict the same class.
    """

    max_lsb: int
    within_1_lsb: float
    sure: int
    sure_top1_agreement: float


@dataclass(frozen=True, kw_only=True)
class DeviceParity:
    """Agreement of TensorFlow Lite Micro with LiteRT's reference kernels and with XNNPACK."""

    pictures: int
    litert: RuntimeParity
    xnnpack: RuntimeParity


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """What kernels of one form take to be decoded, per inference.

    Attributes:
        weights: Number of weights that are decoded; those that are decoded again count again.
        instructions: On a Cortex-M4.
    """

    weights: int = number(least=0)
    instructions: int = number(least=0)


@dataclass(frozen=True, kw_only=True)
class PlainC:
    """The network as plain C, beside TensorFlow Lite Micro's form.

    Attributes:
        left_out: Why it is not there; then it has no other field.
        bytes: Bytes of constants.
        flash_bytes: With the code, at most.
        plain_bytes, kernels, decoding, decoded_bytes, arenas, ops, pictures, max_lsb, sha256: As in
            `Device` for plain C.
    """

    left_out: str | None = None
    bytes: int | None = unknown_count()
    plain_bytes: int | None = unknown_count()
    kernels: dict[str, int] | None = None
    decoding: dict[str, Decoding] | None = None
    decoded_bytes: int | None = unknown_count()
    flash_bytes: int | None = unknown_count()
    arenas: dict[str, int] | None = None
    ops: int | None = unknown_count()
    pictures: int | None = unknown_count()
    max_lsb: int | None = unknown_count()
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Device:
    """An export for a microcontroller or an NPU; each target has some of the fields.

    Attributes:
        target, folder: Target and output folder.
        bytes: Size of the file.
        arena, cmsis_nn, parity, sha256: For a microcontroller: working memory, additional
            working memory with Arm's kernels per core, agreement of the runtimes, digest of the
            file.
        plain_bytes, kernels: For a microcontroller: size of the file, or of the constants, without
            compression, and form (plain, lut, prune, huffman) -> number of kernels that are stored
            so.
        decoding: For a microcontroller: form -> what decoding it takes.
        decoded_bytes: As plain C: working memory that the largest decoded kernel takes.
        arenas, pictures, max_lsb: As plain C: kernels (portable, dsp, mve) -> working memory,
            number of images that were compared with TensorFlow Lite Micro, largest difference.
        plain_c: For a microcontroller: its other form.
        ops: For a microcontroller operator -> version; else number of operators.
        operators: For an NPU without a compiler here: operator -> number of uses.
        npu, system, memory_mode, clock_hz: For an Ethos-U: the configuration compiled for.
        cycles, milliseconds, sram_bytes, flash_bytes: For an Ethos-U: the compiler's estimates.
        macs, ops_on_npu: For an Ethos-U: multiply-adds, and operators that the NPU executes.
    """

    target: str
    folder: str | None = None
    bytes: int | None = unknown_count()
    arena: Arena | None = None
    plain_bytes: int | None = unknown_count()
    kernels: dict[str, int] | None = None
    decoding: dict[str, Decoding] | None = None
    decoded_bytes: int | None = unknown_count()
    arenas: dict[str, int] | None = None
    pictures: int | None = unknown_count()
    max_lsb: int | None = unknown_count()
    cmsis_nn: dict[str, int] | None = None
    parity: DeviceParity | None = None
    sha256: str | None = None
    plain_c: PlainC | None = None
    ops: int | dict[str, int] | None = None
    operators: dict[str, int] | None = None
    npu: str | None = None
    system: str | None = None
    memory_mode: str | None = None
    clock_hz: int | None = unknown_count()
    cycles: int | None = unknown_count()
    milliseconds: float | None = number(None, least=0)
    sram_bytes: int | None = unknown_count()
    flash_bytes: int | None = unknown_count()
    macs: int | None = unknown_count()
    ops_on_npu: int | None = unknown_count()
