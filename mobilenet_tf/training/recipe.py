"""A recipe: every number that training and quantization-aware training depend on, as data."""

from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from mobilenet_tf.data.augmentation import Augmentation
from mobilenet_tf.errors import UserError

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


@dataclass(frozen=True)
class Schedule:
    """One stage of training: warm-up, then a cosine to zero.

    Attributes:
        epochs: passes over the training pictures.
        learning_rate: at its highest.
        warmup: share of all steps over which the rate rises from 0.
        weight_decay: decoupled; on kernels only, never on depthwise ones (V1, 3.2).
        label_smoothing: share of the target that is spread over all classes.
        clip_norm: the gradient's largest norm.
        augmentation: random changes of the pictures.
    """

    epochs: int
    learning_rate: float
    warmup: float = 0.05
    weight_decay: float = 0.0
    label_smoothing: float = 0.1
    clip_norm: float = 5.0
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Recipe:
    """Training from the first step to the last before conversion.

    Attributes:
        name: of the recipe.
        batch: pictures per step.
        bn_momentum: share that batch normalization's running statistics keep per step. The
            published networks' 0.999 needs thousands of steps; small data has hundreds.
        calibration: training pictures that set the int8 ranges.
        train: the float network.
        qat: fine-tuning of the quantization-aware network.
    """

    name: str
    batch: int
    bn_momentum: float
    calibration: int
    train: Schedule
    qat: Schedule

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict, source: str = "recipe") -> "Recipe":
        """A recipe from plain values.

        Raises:
            UserError: a field that is unknown, missing or of the wrong type.
        """
        return _build(cls, values, source)

    def override(
        self,
        epochs: int | None = None,
        qat_epochs: int | None = None,
        batch: int | None = None,
    ) -> "Recipe":
        """The recipe with the values that are not None."""
        train = self.train if epochs is None else replace(self.train, epochs=epochs)
        qat = self.qat if qat_epochs is None else replace(self.qat, epochs=qat_epochs)
        batch = self.batch if batch is None else batch
        for name, value in (("epochs", train.epochs), ("batch", batch)):
            if value < 1:
                raise UserError(f"{name} is {value}; it must be at least 1.")
        if qat.epochs < 0:
            raise UserError(f"qat-epochs is {qat.epochs}; it must be at least 0.")
        return replace(self, batch=batch, train=train, qat=qat)


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


_NESTED = {"train": Schedule, "qat": Schedule, "augmentation": Augmentation}


def _build(cls, values: dict, place: str):
    known = {item.name: item for item in fields(cls)}
    arguments = {}
    for name, value in values.items():
        if name not in known:
            near = get_close_matches(name, known, 1, 0.0)[0]
            raise UserError(f"{place} has an unknown field {name!r}; did you mean {near!r}?")
        kind = _NESTED.get(name) or {"str": str, "int": int, "float": float}.get(
            known[name].type, known[name].type
        )
        arguments[name] = _value(kind, value, f"{place}: {name}")
    try:
        return cls(**arguments)
    except TypeError as error:  # the message names the missing fields
        raise UserError(f"{place} is incomplete: {str(error).split('() ')[-1]}.") from error


def _value(kind: type, value, place: str):
    if kind in _NESTED.values():
        if not isinstance(value, dict):
            raise UserError(f"{place} is {value!r}; it must be a table.")
        return _build(kind, value, place)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UserError(f"{place} is {value!r}; it must be of type {kind.__name__}.")
    return value
