"""The sections of `result.json`, one dataclass each; `runs/result.py` puts them together.

A field that is None has not been measured.
"""

from dataclasses import dataclass, field
from typing import Any

from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.settings import number

Share = float | None  # needed because `ByForm` has a field `float`
Curves = dict[str, tuple[float | None, ...]]  # metric, such as val_loss -> its value per epoch


def unknown_count() -> Any:
    """Return a field for a number of things that may not be known yet."""
    return number(None, least=0)


def unknown_share() -> Any:
    """Return a field for a share from 0 to 1 that may not be known yet."""
    return number(None, least=0, most=1)


class Section:
    """Base of the sections; a section is false while it holds nothing."""

    def __bool__(self) -> bool:
        return self != type(self)()


@dataclass(frozen=True, kw_only=True)
class Model(Section):
    """The network.

    Attributes:
        name: Name in the zoo, or of the model file.
        alpha: Width multiplier; None for models that are not from the zoo.
        input: Input and preprocessing.
        classes: Number of classes.
        parameters: Number of parameters.
        macs: Multiply-adds per image.
        peak_activation_bytes: Most memory that int8 activations need at one time.
    """

    name: str | None = None
    alpha: float | None = None
    input: InputSpec | None = None
    classes: int | None = unknown_count()
    parameters: int | None = unknown_count()
    macs: int | None = unknown_count()
    peak_activation_bytes: int | None = unknown_count()


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that could not be used, or of which a label was repaired, and why."""

    file: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Data(Section):
    """The dataset.

    Attributes:
        source: Folder or name that the user gave.
        classes: Class names in the order of the labels.
        train, validation, test: Number of images in each split.
        skipped: Files that were left out.
        repaired: Repairs of labels.
        notes: What else was noticed in the images, a clause each; None if nothing was.
        fingerprint: Hash of classes, pixels, labels and file names.
    """

    source: str | None = None
    classes: tuple[str, ...] = ()
    train: int | None = unknown_count()
    validation: int | None = unknown_count()
    test: int | None = unknown_count()
    skipped: tuple[Skipped, ...] = ()
    repaired: tuple[Skipped, ...] | None = None
    notes: tuple[str, ...] | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source(Section):
    """How a trained model was quantized without a run: the options of `export`.

    Attributes:
        model: Path of the model, as the user gave it, or name of a network of the zoo.
        alpha, size, weights: Width multiplier, side of the input and weights of that network.
        data: Folder or name of the dataset, as the user gave it.
        mean, std: Normalisation, (pixel - mean) / std.
        io: Type of the file's input and output.
        crop: Share of the picture that is used.
        seed: Seed of the split.
        trust_code: Whether functions of the model file could run.
        labels: File with the class names in the order of the model's outputs.
        per_tensor: Whether a weight tensor has one scale, or one per channel.
        post_training: The methods of quantization.
        converter_reason: Why TensorFlow's converter quantized the model, if it did.
    """

    model: str | None = None
    alpha: float | None = None
    size: int | None = unknown_count()
    weights: str | None = None
    data: str | None = None
    mean: float | None = None
    std: float | None = None
    io: str | None = None
    crop: float = 1.0
    seed: int = 0
    trust_code: bool = False
    labels: str | None = None
    per_tensor: bool = False
    post_training: PostTraining = field(default_factory=PostTraining)
    converter_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class History(Section):
    """The curves of every stage of training; those of no epochs are empty."""

    float: Curves | None = None
    prune: Curves | None = None
    cluster: Curves | None = None
    int4: Curves | None = None
    pq: Curves | None = None
    hash: Curves | None = None
    qat: Curves | None = None


@dataclass(frozen=True, kw_only=True)
class ByForm(Section):
    """One metric, from 0 to 1, of every form of the network.

    Attributes:
        float: Float network.
        qat: Quantization-aware network.
        int8: The int8 file.
        ptq_int8: The file of plain post-training quantization, for comparison.
    """

    float: Share = unknown_share()  # noqa: RUF009
    qat: Share = unknown_share()  # noqa: RUF009
    int8: Share = unknown_share()  # noqa: RUF009
    ptq_int8: Share = unknown_share()  # noqa: RUF009


@dataclass(frozen=True, kw_only=True)
class ClassMetrics:
    """Metrics of one class; precision or recall is None where no image counts towards it."""

    precision: float | None
    recall: float | None
    images: int = number(least=0)


@dataclass(frozen=True, kw_only=True)
class Parity(Section):
    """Agreement of the int8 file with the network that it was converted from.

    Attributes:
        images: Number of test images compared.
        max_lsb: Largest difference of a score, in steps of the file's output.
        within_1_lsb: Share of the scores that differ by at most one step.
        mean_lsb: Mean difference of a score, in the same steps.
        top1_agreement: Share of the images for which both predict the same class.
        top5_agreement: Share of the images for which the class that the network predicts is among
            the file's first five.
        ties: Number of images for which several classes have the file's highest score.
        worst_block: Block with the lowest signal-to-noise ratio.
    """

    images: int | None = unknown_count()
    max_lsb: int | None = unknown_count()
    mean_lsb: float | None = number(None, least=0)
    within_1_lsb: float | None = unknown_share()
    top1_agreement: float | None = unknown_share()
    top5_agreement: float | None = unknown_share()
    ties: int | None = unknown_count()
    worst_block: str | None = None


@dataclass(frozen=True, kw_only=True)
class Block:
    """One tensor inside the int8 file.

    Attributes:
        name: Layer that computes it.
        op: Kind of the layer.
        sqnr_db: Signal-to-quantization-noise ratio against float, in dB.
        max_lsb, within_1_lsb: As in `Parity`, for this tensor.
        range_used: Share of the 256 integers between the lowest and the highest value.
        weight_low, weight_high: Range of the layer's kernel.
    """

    name: str
    op: str | None = None
    sqnr_db: float | None = number(None, least=-150, most=150)
    max_lsb: int | None = unknown_count()
    within_1_lsb: float | None = unknown_share()
    range_used: float | None = number(None, least=0)
    weight_low: float | None = None
    weight_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A test image that the int8 file classifies wrongly.

    Attributes:
        file: File name within the dataset.
        label, predicted: True and predicted class.
        score: Score of the predicted class.
        picture: Copy of the image, relative to the run folder.
    """

    file: str
    label: str
    predicted: str
    score: float | None = None
    picture: str | None = None


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """Metrics of the int8 file on damaged copies of the test images.

    Attributes:
        corruption, strength, unit: Kind of damage, and how much of it.
        images: Number of images.
        accuracy, top5, calibration_error: Metrics of a classifier on the damaged images.
        metrics: Share -> its value there, of other tasks.
    """

    corruption: str
    strength: float
    unit: str
    images: int | None = unknown_count()
    accuracy: float | None = unknown_share()
    top5: float | None = unknown_share()
    calibration_error: float | None = unknown_share()
    metrics: dict[str, float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Machine(Section):
    """Computer on which the metrics were measured."""

    cpu: str | None = None
    cores: int | None = unknown_count()
