"""Settings of the stages that make a network's weights small, from pruning to hashed weights."""

from dataclasses import dataclass
from typing import ClassVar

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import Checked, choice, number
from mobilenet_tf.core.weight_hash import RATIOS

PRUNE, CLUSTER, INT4, PQ, HASH, QAT = "prune", "cluster", "int4", "pq", "hash", "qat"
STAGES = (PRUNE, CLUSTER, INT4, PQ, HASH, QAT)
_SMALL = (CLUSTER, INT4, PQ, HASH)  # a kernel can have only one of these forms


@dataclass(frozen=True)
class Weights(Checked):
    """What all of these stages have; anything else is as in quantization-aware training.

    Attributes:
        epochs: Number of passes over the training images.
        rate: Factor of the learning rate of quantization-aware training. Networks need more than
            that to recover from losing most of their weights.
        depthwise: Whether depthwise kernels are changed too. They have few of the weights.
        smallest: Number of weights from which on a kernel is changed. A device gains nothing from
            smaller ones.
        pointwise: Whether only kernels of 1x1 convolutions and dense layers are changed.
        full: Whether depthwise kernels cannot be changed.
    """

    pointwise: ClassVar[bool] = False
    full: ClassVar[bool] = False
    epochs: int = number(10, least=1)
    rate: float = number(10.0, above=0)
    depthwise: bool = False
    smallest: int = number(1024, least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.full and self.depthwise:
            raise UserError(
                f"{type(self).__name__.lower()}.depthwise is true; it must be false: the stage has "
                "no form for depthwise kernels."
            )


EVERY = Weights(depthwise=True, smallest=1)


@dataclass(frozen=True)
class Prune(Weights):
    """Magnitude pruning (Zhu and Gupta, arXiv 1710.01878): the smallest weights become zero.

    Attributes:
        sparsity: Share of zeros in each kernel at the end.
        end: Share of the steps after which it is reached. It rises fast at first (equation 1).
        every: Number of steps from one pruning to the next.
        group: If not 0, each group of so many weights along the input channels has
            round(sparsity * group) zeros, such as 2 of 4.
        block_rows: Input channels of the blocks that become zero as a whole.
        block_columns: Their output channels.
    """

    sparsity: float = number(0.75, least=0, below=1)
    end: float = number(0.5, above=0, below=1)
    every: int = number(10, least=1)
    group: int = number(0, least=0, most=64)
    block_rows: int = number(1, least=1, most=64)
    block_columns: int = number(1, least=1, most=64)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.group and (self.block_rows, self.block_columns) != (1, 1):
            raise UserError(
                f"prune.group is {self.group}; it must be 0 for pruning by blocks, as block_rows "
                "and block_columns ask for."
            )


@dataclass(frozen=True)
class Cluster(Weights):
    """Weight sharing by k-means (Han et al., arXiv 1510.00149): a kernel has few values.

    Attributes:
        values: The most values in a kernel, or in each of its output channels, as integers of the
            file.
        per_channel: Whether each output channel has a table of its own. That loses less accuracy,
            and takes a table's bytes for each channel.
        start: Where the centroids begin: in equal steps (`linear`), at equal shares of the
            weights (`density`), or at drawn weights (`k-means++`).
    """

    values: int = number(16, least=2, most=128)
    per_channel: bool = False
    start: str = choice("linear", "density", "k-means++")


@dataclass(frozen=True)
class Int4(Weights):
    """Quantization-aware training with 4 bits: the integers of 1x1 kernels are from -7 to 7."""

    pointwise: ClassVar[bool] = True
    full: ClassVar[bool] = True


@dataclass(frozen=True)
class Pq(Weights):
    """Product quantization (Wu et al., arXiv 1512.06473): a 1x1 kernel consists of few vectors.

    Kernels whose number of input channels `length` does not divide stay as they are.

    Attributes:
        vectors: The most vectors in a kernel.
        length: Weights in a vector, along the input channels.
    """

    pointwise: ClassVar[bool] = True
    full: ClassVar[bool] = True
    vectors: int = number(64, least=2, most=256)
    length: int = choice(2, 4, 8)


@dataclass(frozen=True)
class Hash(Weights):
    """Hashed weights (Chen et al., arXiv 1504.04788): a hash says which weights share a value.

    Attributes:
        ratio: Weights for each value, on average.
    """

    full: ClassVar[bool] = True
    ratio: int = choice(*RATIOS)


@dataclass(frozen=True)
class Setting(Checked):
    """What is done to one kernel.

    Attributes:
        values: The most values in it; 0 for any number.
        sparsity: Share of zeros.
        bits: Bits of its integers, 8 or 4.
    """

    values: int = number(0, least=0)
    sparsity: float = number(0.0, least=0, below=1)
    bits: int = number(8, least=4, most=8)

    @property
    def parts(self) -> list[str]:
        """What it consists of, such as ["16 values", "75% zeros"]."""
        parts = [f"{self.bits} bits"] if self.bits < 8 else []
        parts += [f"{self.values} values"] if self.values else []
        parts += [f"{self.sparsity:.0%} zeros"] if self.sparsity else []
        return parts

    def __str__(self) -> str:
        """Return "16 values, 75% zeros"."""
        return ", ".join(self.parts) or "as it is"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One kernel at one setting, with all others as they are.

    Attributes:
        kernel: Name of its layer.
        setting: The setting.
        bytes: Bytes of the kernel in a file.
        loss: By how much the validation loss is higher.
        score: By how much `Task.curve` is higher on the validation images.
    """

    kernel: str
    setting: Setting
    bytes: int
    loss: float
    score: float


def parse_stages(text: str) -> tuple[str, ...]:
    """Return the stages in `prune,cluster,qat`.

    Raises:
        UserError: There is no such stage, one of them is repeated, `prune` or `hash` is not the
            first, or two stages contradict each other.
    """
    stages = tuple(word.strip() for word in text.split(","))
    known = set(stages) <= set(STAGES) and len(set(stages)) == len(stages)
    if not known or {PRUNE, HASH} & set(stages[1:]):
        raise UserError(
            f"compress is {text!r}; it must be some of {', '.join(STAGES)}, each once, and {PRUNE} "
            f"or {HASH} first, separated by commas."
        )
    if len(set(_SMALL) & set(stages)) > 1:
        raise UserError(
            f"compress is {text!r}; it must have at most one of {', '.join(_SMALL)}, each of which "
            "decides alone which weights a kernel can have."
        )
    if PRUNE in stages and PQ in stages:
        raise UserError(
            f"compress is {text!r}; it must have one of {PRUNE} and {PQ}: vectors of a codebook do "
            "not keep zeros."
        )
    return stages
