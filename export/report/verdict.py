"""Whether a run is good: checks, a headline, and the sentences below it."""

from dataclasses import dataclass

from mobilenet_tf.deployment.report.derived import counted_images, wilson
from mobilenet_tf.deployment.report.format import count, percent, plural, points, size
from mobilenet_tf.runs.result import Result

# Limits as shares. A few hundred test images do not resolve differences below one point.
_LARGEST_LOSS, _LEAST_AGREEMENT = 0.01, 0.99


@dataclass(frozen=True)
class Check:
    """One requirement of a run.

    Attributes:
        name: What is checked.
        found: The measured value as text.
        required: The requirement as text.
        passed: Whether the value meets it; None if it was not measured.
    """

    name: str
    found: str
    required: str
    passed: bool | None


def checks(result: Result) -> list[Check]:
    """Return the requirements that every run is checked against.

    Accuracy and agreement may always differ by one test image, however few there are.
    """
    one_image = 1 / result.test_images if result.test_images else 0.0
    least_difference = -max(_LARGEST_LOSS, one_image)
    least_agreement = min(_LEAST_AGREEMENT, 1 - one_image)
    difference, agreement = result.int8_difference, result.parity.top1_agreement
    floats, partitions = result.tflite.float_tensors, result.tflite.partitions
    return [
        Check(
            f"{result.task_class.title()} of the int8 file compared with float",
            points(difference),
            f"{points(least_difference)} or better",
            _at_least(difference, least_difference),
        ),
        Check(
            result.task_class.agreed,
            percent(agreement),
            f"{percent(least_agreement)} or more",
            _at_least(agreement, least_agreement),
        ),
        Check(
            "float tensors in the file",
            count(floats),
            "none",
            None if floats is None else floats == 0,
        ),
        Check(
            "XNNPACK partitions (the usual delegate for CPUs)",
            count(partitions),
            "1",
            None if partitions is None else partitions == 1,
        ),
    ]


def _at_least(value: float | None, least: float) -> bool | None:
    return None if value is None else value >= least - 1e-9


def _constant_accuracy(result: Result) -> float:
    """Return the accuracy of always predicting the most frequent class."""
    rows = [sum(row) for row in result.confusion]
    return max(rows) / sum(rows) if any(rows) else 0.0


def _has_learned(result: Result) -> bool:
    share, number = result.score.float, counted_images(result)
    if share is None or not number:
        return True
    return wilson(share, number)[0] > _constant_accuracy(result)


def headline(result: Result) -> str:
    """Return the verdict in one sentence."""
    int8, difference = result.score.int8, result.int8_difference
    if int8 is None:
        return _progress(result)
    if not _has_learned(result):
        return "The network does no better than always predicting the most frequent class."
    accuracy, agreement, integer, _ = checks(result)
    if accuracy.passed is False and difference is not None:
        return f"The int8 file loses {points(-difference).lstrip('+')} compared with float."
    if agreement.passed is False and result.parity.top1_agreement is not None:
        other = percent(1 - result.parity.top1_agreement)
        return f"The file {result.task_class.differ.format(other)}."
    if integer.passed is False:
        floats = plural(result.tflite.float_tensors or 0, "float tensor")
        return f"The file still contains {floats}."
    if accuracy.passed is None:
        achieved = result.task_class.achievement(percent(int8), "the test images")
        return f"The int8 file {achieved}."
    return f"The int8 file keeps the {result.task_class.title()} of the float network."


def _progress(result: Result) -> str:
    """Return how far a run has come that has no int8 accuracy."""
    if result.parity:
        return "The int8 file is compared with its network; without labels there is no accuracy."
    if result.tflite:
        return "The int8 file is exported but not verified yet."
    if result.history:
        quantized = " and quantized" if result.history.qat is not None else ""
        return f"Trained{quantized}, not exported yet."
    return "Nothing is measured yet."


def verdict(result: Result) -> list[str]:
    """Return the sentences that support the headline, with their metrics."""
    score, parity, sentences = result.score, result.parity, []
    if score.int8 is not None:
        images = plural(result.test_images, "test image")
        text = f"It {result.task_class.achievement(percent(score.int8), images)}"
        if score.float is not None:
            text += f"; float reaches {percent(score.float)}"
        if score.ptq_int8 is not None:
            ptq = percent(score.ptq_int8)
            text += f", post-training quantization without further training {ptq}"
        sentences.append(f"{text}.")
    if not _has_learned(result):
        sentences.append(
            "Always predicting the most frequent class would be correct for "
            f"{percent(_constant_accuracy(result))}."
        )
    if parity.top1_agreement is not None:
        text = f"File and network {result.task_class.agree.format(percent(parity.top1_agreement))}"
        if parity.top5_agreement is not None:
            text += f" ({percent(parity.top5_agreement)} among the file's first five)"
        if parity.within_1_lsb is not None:
            text += f", and {percent(parity.within_1_lsb)} of the scores differ by at most 1 LSB"
        sentences.append(f"{text}.")
    if result.tflite.bytes is not None:
        sentences.append(f"The file size is {size(result.tflite.bytes)}.")
    return sentences
