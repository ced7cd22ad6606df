"""The section of `result.json` on the stages that make weights small."""

from dataclasses import dataclass, field

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import number
from mobilenet_tf.runs.sections import Section
from mobilenet_tf.training.compression_settings import Setting, Trial


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel of the int8 file; see `kernel_facts`.

    Attributes:
        op: Its operator.
        shape: Its shape in the file.
        zeros: Share of weights that are 0.
        values: Number of different weights.
        entropy: Bits per weight below which no code of single weights can go.
        bytes: Bytes in the file.
        stored_as, stored_bytes: The best form for TensorFlow Lite Micro or plain C, and its bytes.
    """

    op: str
    shape: tuple[int, ...]
    zeros: float = number(least=0, most=1)
    values: int = number(least=0)
    entropy: float = number(least=0)
    bytes: int = number(least=0)
    stored_as: str
    stored_bytes: int = number(least=0)


@dataclass(frozen=True, kw_only=True)
class Compression(Section):
    """What made the network smaller than its number of weights.

    Attributes:
        stages: The stages to int8 in their order; empty for quantization-aware training alone.
        kernels: The kernels of the int8 file, from input to output.
        max_flash: Limit within which settings were chosen for each kernel; None for none.
        predicted_bytes: Bytes of the file for microcontrollers with them, before training.
        built_bytes: Its bytes after training.
        trials: Every kernel alone at every setting.
        chosen: Layer -> setting of its kernel.
    """

    stages: tuple[str, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    max_flash: float | None = number(None, least=0)
    predicted_bytes: int | None = number(None, least=0)
    built_bytes: int | None = number(None, least=0)
    trials: tuple[Trial, ...] = ()
    chosen: dict[str, Setting] = field(default_factory=dict)

    def require_within_limit(self) -> None:
        """Reject a file for microcontrollers that is larger than the limit.

        Raises:
            UserError: It is.
        """
        if self.max_flash and (self.built_bytes or 0) > self.max_flash:
            raise UserError(
                f"The model does not fit: flash {self.built_bytes:,} of {self.max_flash:,.0f} "
                f"bytes, where {self.predicted_bytes:,} were predicted, because some kernels take "
                "more bytes after training; a smaller max_flash makes all of them smaller."
            )
