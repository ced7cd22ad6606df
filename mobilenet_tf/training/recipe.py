"""Recipes: all settings of training and quantization-aware training, as data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_toml, toml_value
from mobilenet_tf.core.settings import Checked, assignments, choice, flatten, from_flat, number
from mobilenet_tf.datasets.augmentation.draw import Augmentation
from mobilenet_tf.training.compression_settings import (
    HASH,
    PQ,
    QAT,
    Cluster,
    Hash,
    Int4,
    Pq,
    Prune,
    parse_stages,
)
from mobilenet_tf.training.optimizer_settings import Decay, Optimizer

_RECIPES = Path(__file__).with_name("recipes")


@dataclass(frozen=True)
class Distillation(Checked):
    """Share of a teacher in the loss, if there is a teacher (Hinton et al., arXiv 1503.02531).

    The loss is weight * T^2 * cross-entropy with the teacher at temperature T
    + (1 - weight) * cross-entropy with the labels.

    Attributes:
        temperature: Temperature T, which divides the logits of both networks.
        weight: Weight of the teacher.
    """

    temperature: float = number(2.0, above=0)
    weight: float = number(0.7, least=0, most=1)


@dataclass(frozen=True)
class Transfer(Checked):
    """Transfer learning: how a network with trained weights learns new classes.

    Attributes:
        frozen: Share of the epochs in which only the new classifier is trained. The layers below
            it are frozen, with batch normalization in inference mode. 0 disables this phase.
        unfrozen: Share of the layers with weights, counted from the output, that are trained
            afterwards.
        rate: Factor of the learning rate from then on.
        bn_inference: Whether batch normalization stays frozen also in the layers that are trained.
            The statistics of a few images are worse than those of the original training.
    """

    frozen: float = number(0.0, least=0, most=1)
    unfrozen: float = number(1.0, least=0, most=1)
    rate: float = number(1.0, above=0)
    bn_inference: bool = False


@dataclass(frozen=True)
class Stage(Checked):
    """Settings of one stage of training: float, or quantization-aware.

    Attributes:
        epochs: Number of passes over the training images.
        learning_rate: Highest learning rate.
        warmup: Share of all steps in which the learning rate rises linearly from 0.
        decay: Decay of the learning rate after the warm-up.
        optimizer: Optimizer and its parameters.
        weight_decay: Decoupled weight decay: each step subtracts rate * weight_decay * kernel.
        l2: L2 regularization: the loss contains l2 / 2 * sum of squares, so the gradient is
            l2 * kernel. This is the papers' "weight decay" (TF-slim's `l2_regularizer`). Keras's
            L2 has no 1 / 2, so the same number has twice the effect there.
        decay_depthwise: Whether weight decay and L2 apply to depthwise kernels (V1, 3.2: little or
            none). They never apply to biases and batch normalization.
        label_smoothing: Share of the target probability that is spread over all classes.
        clip_norm: Largest norm of the gradient of all variables together; 0 disables clipping.
        ema: Decay per step of the moving average of the weights; the average is validated and
            saved. 0 disables it.
        class_weights: Whether images of rare classes count more, so that all classes count the
            same.
        patience: Number of epochs without a lower validation loss after which the stage ends;
            0 disables early stopping.
        precision: Keras's dtype policy: `float32`, `mixed_float16` (GPU) or `mixed_bfloat16` (TPU,
            recent CPUs and GPUs). The mixed ones compute in 16 bits and store weights in 32.
        xla: Whether to compile the training step with XLA.
        distillation: Share of the teacher in the loss.
        augmentation: Random changes of the training images.
    """

    epochs: int = number(least=0)
    learning_rate: float = number(above=0)
    warmup: float = number(0.05, least=0, most=1)
    decay: Decay = field(default_factory=Decay)
    optimizer: Optimizer = field(default_factory=Optimizer)
    weight_decay: float = number(0.0, least=0)
    l2: float = number(0.0, least=0)
    decay_depthwise: bool = False
    label_smoothing: float = number(0.1, least=0, below=1)
    clip_norm: float = number(5.0, least=0)
    ema: float = number(0.0, least=0, below=1)
    class_weights: bool = False
    patience: int = number(0, least=0)
    precision: str = choice("float32", "mixed_float16", "mixed_bfloat16")
    xla: bool = False
    distillation: Distillation = field(default_factory=Distillation)
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, kw_only=True)
class Recipe(Checked):
    """All settings of training, from the first step to the last before conversion.

    Attributes:
        name: Name of the recipe.
        batch: Number of images per step.
        bn_momentum: Decay per step of batch normalization's running statistics (TF-slim's
            "decay"). The published networks' 0.999 needs thousands of steps; small datasets have
            hundreds.
        norm_free_rate: Factor of float training's learning rate for networks without
            normalization. At the rate of the others, SqueezeNet's activations become 0 for good.
        calibration: Number of training images that determine the int8 ranges.
        train: Settings of float training.
        qat: Settings of quantization-aware training.
        post_training: How the network is quantized if it is not trained to be int8.
        compress: Stages from the float network to the int8 one, in their order: some of `prune`,
            `cluster`, `int4`, `pq` or `hash`, and `qat`. After `prune` or `hash` alone, the network
            is only rounded.
        max_flash: Bytes of the file for microcontrollers. If it is not 0, every kernel gets a
            number of values or bits and a share of zeros of its own, by what it costs on the
            validation images, instead of those of `prune`, `cluster` and `int4`.
        prune, cluster, int4, pq, hash: Settings of pruning, of weight sharing, of training with
            4 bits, of product quantization and of hashed weights.
        dropout: Dropout rate before the classifier; None uses the network's. Some papers give the
            share that remains instead.
        transfer: Settings of transfer learning.
        self_distillation: Whether the float network teaches its quantized copy if there is no
            other teacher. Off by default because it gives no better accuracy (docs/benchmarks.md).
        deterministic: Whether the same seed on the same machine gives the same weights, bit for
            bit. Slower.
    """

    name: str
    batch: int = number(least=1)
    bn_momentum: float = number(least=0, below=1)
    norm_free_rate: float = number(1.0, above=0)
    calibration: int = number(least=1)
    train: Stage
    qat: Stage
    compress: str = QAT
    max_flash: float = number(0.0, least=0)
    prune: Prune = field(default_factory=Prune)
    cluster: Cluster = field(default_factory=Cluster)
    int4: Int4 = field(default_factory=Int4)
    pq: Pq = field(default_factory=Pq)
    hash: Hash = field(default_factory=Hash)
    dropout: float | None = number(None, least=0, below=1)
    transfer: Transfer = field(default_factory=Transfer)
    post_training: PostTraining = field(default_factory=PostTraining)
    self_distillation: bool = False
    deterministic: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.train.epochs < 1:
            raise UserError(f"train.epochs is {self.train.epochs}; it must be at least 1.")
        # Training adapts the weights to their own rounding, not to that of their average
        # (arXiv 1806.08342, 3.2).
        if self.qat.ema:
            raise UserError(
                f"qat.ema is {self.qat.ema}; it must be 0, because quantization-aware training "
                "must not average the weights."
            )
        if self.qat.precision != "float32":
            raise UserError(f"qat.precision is {self.qat.precision!r}; it must be float32.")
        if self.stages == (QAT,) and self.max_flash:
            raise UserError(
                f"max_flash is {self.max_flash:g}; it must be 0 where compress is qat, which makes "
                "no kernel smaller; add prune, cluster or int4."
            )

        if self.max_flash and {PQ, HASH} & set(self.stages):
            raise UserError(
                f"max_flash is {self.max_flash:g}; it must be 0 where compress has {PQ} or {HASH}, "
                "whose settings are the same for all kernels."
            )

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages from the float network to the int8 one."""
        return parse_stages(self.compress)

    @property
    def rounds_only(self) -> bool:
        """Whether the float network becomes int8 without training: post-training quantization."""
        return self.stages == (QAT,) and not self.qat.epochs

    def stage(self, name: str) -> Stage:
        """Return how one of `stages` trains."""
        if name == QAT:
            return self.qat
        own = getattr(self, name)
        rate = own.rate * self.qat.learning_rate
        return replace(self.qat, epochs=own.epochs, learning_rate=rate)

    def made_by(self, name: str) -> str:
        """Return a text that changes with what pruning and sharing did up to one of `stages`.

        It is empty for networks that were neither pruned nor clustered.
        """
        until = self.stages[: self.stages.index(name) + 1]
        if until == (QAT,):
            return ""
        own = [f"{one}: {getattr(self, one)} {self.stage(one)}" for one in until]
        return "; ".join([*own, *([f"within {self.max_flash}"] if self.max_flash else [])])

    def to_dict(self) -> dict:
        """Return nested tables as in a recipe's file, without the fields that are None."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "recipe") -> "Recipe":
        """Make a recipe from nested tables.

        Args:
            values: Tables as in a recipe's file.
            source: Name of the file or option in errors.

        Raises:
            UserError: A field is unknown, missing, of the wrong type or out of range.
        """
        return from_flat(cls, flatten(values), source)

    def unfrozen(self) -> "Recipe":
        """Return a recipe that trains every layer from the first epoch on, normalization too."""
        return self.with_fields(
            {"transfer.frozen": 0.0, "transfer.unfrozen": 1.0, "transfer.bn_inference": False}
        )

    def with_fields(self, values: Mapping[str, Any]) -> "Recipe":
        """Return a copy with other values: `{"train.learning_rate": 1e-3}`.

        Args:
            values: Values by path; None leaves a field unchanged.

        Raises:
            UserError: As `from_dict`.
        """
        return from_flat(Recipe, flatten(self.to_dict()) | flatten(values), self.name)


def load_recipe(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: Name of a recipe in `recipes/`, or path of a .toml file.

    Raises:
        UserError: There is no such recipe, or its fields are wrong.
    """
    file = Path(name) if name.endswith(".toml") else _RECIPES / f"{name}.toml"
    if not file.is_file():
        names = ", ".join(sorted(path.stem for path in _RECIPES.iterdir()))
        raise UserError(f"recipe is {name!r}; it must be an existing .toml file or one of {names}.")
    return Recipe.from_dict({"name": file.stem} | read_toml(file), name)


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Parse `FIELD=VALUE` from the command line.

    Args:
        settings: Texts such as `train.optimizer.name=sgd`. What is not valid TOML is a string.

    Returns:
        Values by path, for `Recipe.with_fields`.

    Raises:
        UserError: A text has no `=`.
    """
    return {path: toml_value(text) for path, text in assignments(settings, "--set").items()}
