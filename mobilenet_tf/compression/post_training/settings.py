"""Settings of post-training quantization."""

from dataclasses import dataclass

from mobilenet_tf.core.settings import Checked, choice, number


@dataclass(frozen=True)
class PostTraining(Checked):
    """How a network is quantized if no training follows.

    Attributes:
        ranges: Rule of the activations' ranges, see `ranges.RULES`.
        equalize: Whether channels exchange factors between neighbouring convolutions, so that
            their kernels have more even ranges; see `equalization.equalized`.
        limits: Whether a kernel's range may leave out its largest weights, where that makes the
            error of its layer smaller.
        rounding: How kernels become integers: `nearest`; `gptq`, which lets later weights
            compensate for the errors of earlier ones; or `adaround`, which learns to round up or
            down and takes several times as long.
        correct_bias: Whether biases compensate for the shift of a layer's mean outputs.
        pictures: Largest number of calibration images from which rounding and biases are
            computed; the activations of one layer for all of them have to fit into memory.
    """

    ranges: str = choice("extremes", "percentile", "least_squares")
    equalize: bool = False
    limits: bool = True
    rounding: str = choice("gptq", "nearest", "adaround")
    correct_bias: bool = True
    pictures: int = number(64, least=1)
