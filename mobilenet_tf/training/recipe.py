"""A recipe: every number that training and quantization-aware training depend on, as data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.settings import Checked, choice, flatten, from_flat, number
from mobilenet_tf.datasets.augmentation.draw import Augmentation

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


@dataclass(frozen=True)
class Optimizer(Checked):
    """How gradients become steps.

    Attributes:
        name: `adamw`, `rmsprop` or `sgd`.
        momentum: of rmsprop and sgd. AdamW has its usual 0.9 and 0.999.
        rho: share of the squared gradients' average that rmsprop keeps per step.
        epsilon: beside the squared gradient's average in a denominator, of rmsprop under the
            root as in TensorFlow 1, where the papers' 1.0 and 0.001 come from.
    """

    name: str = choice("adamw", "rmsprop", "sgd")
    momentum: float = number(0.9, least=0, below=1)
    rho: float = number(0.9, least=0, below=1)
    epsilon: float = number(1e-7, above=0)


@dataclass(frozen=True)
class Decay(Checked):
    """How the learning rate falls after the warm-up.

    Attributes:
        kind: `cosine` to 0 at the last step; `exponential`, times `rate` per `epochs`, a little
            with each step; `step`, the same at once after each `epochs`, as in the papers' code.
        rate: factor of `exponential` and `step`.
        epochs: after which the factor is reached, counted from the first step.
    """

    kind: str = choice("cosine", "exponential", "step")
    rate: float = number(0.94, above=0, most=1)
    epochs: float = number(2.5, above=0)


@dataclass(frozen=True)
class Distillation(Checked):
    """How much a teacher counts, where there is one (Hinton et al., arXiv 1503.02531).

    The loss is weight * T^2 * cross-entropy with the teacher at temperature T
    + (1 - weight) * cross-entropy with the labels.

    Attributes:
        temperature: T, which divides the logits of both networks.
        weight: of the teacher; the labels have the rest.
    """

    temperature: float = number(2.0, above=0)
    weight: float = number(0.7, least=0, most=1)


@dataclass(frozen=True)
class Transfer(Checked):
    """How a network with trained weights learns other classes.

    Attributes:
        frozen: share of the epochs in which only the new classifier learns. The layers below it
            stay as they are, their batch normalization in inference mode. 0 for none.
        unfrozen: share of the layers with weights, from the top, that learn afterwards.
        rate: factor of the learning rate from then on.
        bn_inference: batch normalization stays as it is also in the layers that learn: a few
            pictures say less of it than those that it was trained with.
    """

    frozen: float = number(0.0, least=0, most=1)
    unfrozen: float = number(1.0, least=0, most=1)
    rate: float = number(1.0, above=0)
    bn_inference: bool = False


@dataclass(frozen=True)
class Stage(Checked):
    """One stage of training: the float network's or the quantization-aware one's.

    Attributes:
        epochs: passes over the training pictures.
        learning_rate: at its highest.
        warmup: share of all steps over which the rate rises from 0.
        decay: how it falls then.
        optimizer: and its own numbers.
        weight_decay: decoupled: rate * weight_decay * kernel is taken off in each step.
        l2: in the loss, as l2 / 2 * sum of squares, so its gradient is l2 * kernel. This is the
            papers' "weight decay" (TF-slim's `l2_regularizer`), half of what Keras's L2 takes.
        decay_depthwise: whether these two reach depthwise kernels (V1, 3.2: little or none).
            Biases and batch normalization are always left out.
        label_smoothing: share of the target that is spread over all classes.
        clip_norm: largest norm of the gradient, of all variables together; 0 for no limit.
        ema: share of the weights' moving average that is kept per step; the average is what is
            validated and kept. 0 turns it off.
        class_weights: a picture of a class with few pictures counts more, so that all classes
            count the same.
        patience: epochs without a lower validation loss after which the stage ends; 0: never.
        precision: Keras's policy: `float32`, or `mixed_float16` (GPU) and `mixed_bfloat16` (TPU,
            newer CPUs and GPUs), which compute in 16 bits and keep weights in 32.
        xla: compile the training step with XLA.
        distillation: how much a teacher counts.
        augmentation: random changes of the pictures.
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


@dataclass(frozen=True)
class Recipe(Checked):
    """Training from the first step to the last before conversion.

    Attributes:
        name: of the recipe.
        batch: pictures per step.
        bn_momentum: share that batch normalization's running statistics keep per step (TF-slim's
            "decay"). The published networks' 0.999 needs thousands of steps; small data has
            hundreds.
        calibration: training pictures that set the int8 ranges.
        train: the float network.
        qat: fine-tuning of the quantization-aware network.
        dropout: rate before the classifier, not the share kept; the network's own if left out.
        transfer: what learns when, for a start from trained weights.
        self_distillation: the float network teaches its quantized twin, where no teacher is
            named. Off: it measures no better (docs/benchmarks.md).
        deterministic: same seed, same machine: same weights, to the last bit. Slower.
    """

    name: str
    batch: int = number(least=1)
    bn_momentum: float = number(least=0, below=1)
    calibration: int = number(least=1)
    train: Stage
    qat: Stage
    dropout: float | None = number(None, least=0, below=1)
    transfer: Transfer = field(default_factory=Transfer)
    self_distillation: bool = False
    deterministic: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.train.epochs < 1:
            raise UserError(f"train.epochs is {self.train.epochs}; it must be at least 1.")
        # Rounding is learned against the weights that are kept (arXiv 1806.08342, 3.2).
        if self.qat.ema:
            raise UserError(f"qat.ema is {self.qat.ema}; quantization needs 0, no average.")
        if self.qat.precision != "float32":
            raise UserError(f"qat.precision is {self.qat.precision!r}; it must be float32.")

    def to_dict(self) -> dict:
        """Nested tables, as in a recipe's file; what is left out stays out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "recipe") -> "Recipe":
        """A recipe from plain values.

        Raises:
            UserError: a field that is unknown, missing, of the wrong type or out of range.
        """
        return from_flat(cls, flatten(values), source)

    def with_fields(self, values: Mapping[str, Any]) -> "Recipe":
        """The recipe with some values changed, by path: `{"train.learning_rate": 1e-3}`.

        None leaves a value as it is.

        Raises:
            UserError: as `from_dict`.
        """
        return from_flat(Recipe, flatten(self.to_dict()) | flatten(values), self.name)


def load_recipe(name: str) -> Recipe:
    """A recipe by name, from `recipes/`, or by the path of a TOML file.

    Raises:
        UserError: there is no such recipe, or its fields are wrong.
    """
    folder = resources.files("mobilenet_tf.training") / "recipes"
    file = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not file.is_file():
        names = sorted(path.name.removesuffix(".toml") for path in folder.iterdir())
        raise UserError(
            f"There is no recipe {name!r}; give a .toml file or one of {', '.join(names)}."
        )
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name} is not valid TOML: {error}.") from error
    return Recipe.from_dict({"name": Path(name).stem} | values, str(name))


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """`PATH=VALUE` as on the command line -> path to value; a value is TOML or a bare word.

    Raises:
        UserError: there is no `=`.
    """
    values = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set is {setting!r}; it must be FIELD=VALUE.")
        try:
            values[path.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            values[path.strip()] = text.strip()
    return values
