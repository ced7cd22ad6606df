"""The figures of `result.json` in words: what report and card both say is said here, once.

Every function takes what a run has so far; a figure that is missing reads "not measured".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

NOT_MEASURED = "not measured"
FORMS = {"float": "float", "qat": "QAT", "int8": "int8 file", "ptq_int8": "plain PTQ"}
STAGES = {
    "data": "read pictures",
    "train": "train",
    "quantize": "quantize",
    "export": "export",
    "verify": "verify",
}
# What a run has to reach, as shares. Below one point, some hundred test pictures tell nothing.
_LARGEST_LOSS, _LEAST_AGREEMENT = 0.01, 0.99
_Z95 = 1.959964
# Controls, and the marks that reverse the text after them.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Check:
    """One line of the verdict.

    Attributes:
        name: what is asked.
        found: the figure.
        wanted: what it has to be.
        passed: None if it was not measured.
    """

    name: str
    found: str
    wanted: str
    passed: bool | None


def clean(text) -> str:
    """Text fit for a page: bytes that are no UTF-8 spelt out, no controls, nothing turned around.

    File names may hold all three.
    """
    text = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def measured(value) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and isfinite(value)


def percent(share: float | None) -> str:
    """0.974 -> "97.4%"; never "100.0%" for less than all, nor "0.0%" for more than nothing."""
    if not measured(share):
        return NOT_MEASURED
    for digits in (1, 2, 3):
        text = f"{share:.{digits}%}"
        if (float(text[:-1]) == 100) == (share == 1) and (float(text[:-1]) == 0) == (share == 0):
            return text
    return text


def points(difference: float | None) -> str:
    """A difference of two shares in percentage points, with its sign."""
    if not measured(difference):
        return NOT_MEASURED
    text = f"{abs(difference) * 100:.1f}"
    sign = "" if float(text) == 0 else "−" if difference < 0 else "+"  # noqa: RUF001
    return f"{sign}{text} points"


def count(number: int | None) -> str:
    """515564 -> "515,564"."""
    return f"{number:,}" if measured(number) else NOT_MEASURED


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def decimal(number: float | None, digits: int = 1, unit: str = "") -> str:
    return f"{number:.{digits}f}{unit}" if measured(number) else NOT_MEASURED


def size(number: int | None) -> str:
    """Bytes in units of 1024."""
    if not measured(number):
        return NOT_MEASURED
    if number < 1024:
        return f"{number} bytes"
    return f"{number / 1024:.0f} KiB" if number < 1024**2 else f"{number / 1024**2:.2f} MiB"


def duration(seconds: float | None) -> str:
    if not measured(seconds):
        return NOT_MEASURED
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{seconds / 3600:.1f} h"


def wilson(share: float, number: int) -> tuple[float, float]:
    """The 95% score interval of a share of `number` trials (Wilson, 1927)."""
    z = _Z95**2 / number
    centre = (share + z / 2) / (1 + z)
    spread = sqrt(share * (1 - share) * z + z**2 / 4) / (1 + z)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def interval(result: dict, form: str) -> str:
    """The interval of one form's accuracy, as "94.7% to 98.7%"."""
    share, number = result.get("accuracy", {}).get(form), tested(result)
    if not measured(share) or not number:
        return NOT_MEASURED
    return " to ".join(map(percent, wilson(share, number)))


def tested(result: dict) -> int:
    """Test pictures that the figures rest on."""
    parity, data = result.get("parity", {}), result.get("data", {})
    return parity.get("images") or data.get("test") or 0


def source(result: dict) -> str:
    """Where the pictures are from; of a folder on this machine the last part of its path."""
    name = str(result.get("data", {}).get("source") or "unknown pictures")
    parts = name.replace("\\", "/").rstrip("/").split("/")
    absolute = name[:1] in "/\\~" or name[1:2] == ":"
    return parts[-1] or name if absolute or ".." in parts else name


def network(result: dict) -> str:
    """The network in one line."""
    model = result.get("model", {})
    if not model:
        return "Unknown network"
    size, channels = model.get("size", "?"), model.get("channels", "?")
    alpha = f"{model['alpha']:g}" if measured(model.get("alpha")) else "?"
    return f"MobileNet {model.get('name', '?')}, alpha {alpha}, {size} × {size} × {channels}"  # noqa: RUF001


def class_names(result: dict) -> list[str]:
    """Names, or numbers where there are none."""
    names = result.get("data", {}).get("classes")
    known = len(result.get("confusion", ())) or result.get("model", {}).get("classes") or 0
    return [str(name) for name in names or range(known)]


def confused_pairs(confusion: Sequence[Sequence[int]], most: int) -> list[tuple[int, int, int]]:
    """(true, predicted, pictures) of the most frequent mistakes."""
    wrong = np.array(confusion)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [(*map(int, divmod(cell, len(wrong))), int(wrong.flat[cell])) for cell in order]
    return [pair for pair in pairs if pair[2]]


def recalls(confusion: Sequence[Sequence[int]]) -> list[float | None]:
    """Per class the share of its pictures that was named right."""
    return [row[i] / total if (total := sum(row)) else None for i, row in enumerate(confusion)]


def worst_block(result: dict) -> str | None:
    """The block that loses most, by `parity` or else by its signal-to-noise."""
    if named := result.get("parity", {}).get("worst_block"):
        return str(named)
    known = [block for block in result.get("blocks") or () if measured(block.get("sqnr_db"))]
    return str(min(known, key=lambda block: block["sqnr_db"])["name"]) if known else None


def loss(result: dict) -> float | None:
    """int8 accuracy minus float accuracy."""
    accuracy = result.get("accuracy", {})
    both = accuracy.get("int8"), accuracy.get("float")
    return both[0] - both[1] if all(map(measured, both)) else None


def _constant_answer(result: dict) -> float:
    """The accuracy of always naming the most frequent class."""
    rows = [sum(row) for row in result.get("confusion", ())]
    return max(rows) / sum(rows) if any(rows) else 0.0


def _has_learned(result: dict) -> bool:
    share, number = result.get("accuracy", {}).get("float"), tested(result)
    if not measured(share) or not number:
        return True
    return wilson(share, number)[0] > _constant_answer(result)


def checks(result: dict) -> list[Check]:
    """What the run is held to; of few test pictures one may always differ."""
    tflite, agreement = result.get("tflite", {}), result.get("parity", {}).get("top1_agreement")
    floats, pieces, difference = tflite.get("float_tensors"), tflite.get("partitions"), loss(result)
    one = 1 / tested(result) if tested(result) else 0.0
    least = -max(_LARGEST_LOSS, one), min(_LEAST_AGREEMENT, 1 - one)
    wanted = f"{points(least[0])} or better", f"{percent(least[1])} or more"
    rows = (
        ("int8 accuracy against float", points, difference, wanted[0], least[0], None),
        ("same class, file and network", percent, agreement, wanted[1], least[1], None),
        ("float tensors in the file", count, floats, "none", None, 0),
        ("pieces on XNNPACK, the usual CPU path", count, pieces, "1", None, 1),
    )
    return [
        Check(
            name,
            text(value),
            goal,
            (value == exact if low is None else value >= low - 1e-9) if measured(value) else None,
        )
        for name, text, value, goal, low, exact in rows
    ]


def headline(result: dict) -> str:
    """The verdict in one sentence."""
    accuracy, tflite = result.get("accuracy", {}), result.get("tflite", {})
    if not measured(accuracy.get("int8")):
        if tflite:
            return "The int8 file is made, and not verified yet."
        done = result.get("history", {})
        if done:
            return f"Trained{' and quantized' if 'qat' in done else ''}, not exported yet."
        return "Nothing is measured yet."
    if not _has_learned(result):
        return "The network has not learned more than to name the most frequent class."
    kept, same, integer, _ = checks(result)
    if kept.passed is False:
        return f"The int8 file loses {points(-loss(result)).lstrip('+')} against float."
    if same.passed is False:
        other = percent(1 - result["parity"]["top1_agreement"])
        return f"The file names another class than the trained network on {other} of the pictures."
    if integer.passed is False:
        return f"The file still holds {plural(tflite['float_tensors'], 'float tensor')}."
    if kept.passed is None:
        return f"The int8 file is right on {percent(accuracy['int8'])} of the test pictures."
    return "The int8 file keeps the accuracy of the float network."


def verdict(result: dict) -> list[str]:
    """The sentences below the headline, with the figures."""
    accuracy, parity, number = result.get("accuracy", {}), result.get("parity", {}), tested(result)
    sentences = []
    if measured(accuracy.get("int8")):
        text = f"It is right on {percent(accuracy['int8'])} of {plural(number, 'test picture')}"
        if measured(loss(result)):
            text += f"; float reaches {percent(accuracy['float'])}"
        if measured(accuracy.get("ptq_int8")):
            text += f", post-training quantization without training {percent(accuracy['ptq_int8'])}"
        sentences.append(f"{text}.")
    if not _has_learned(result):
        sentences.append(
            "Always giving the most frequent class would be right on "
            f"{percent(_constant_answer(result))}."
        )
    if measured(parity.get("top1_agreement")):
        text = (
            f"File and network name the same class on {percent(parity['top1_agreement'])} of them"
        )
        if measured(parity.get("within_1_lsb")):
            text += (
                f", and {percent(parity['within_1_lsb'])} of the scores are within one integer step"
            )
        sentences.append(f"{text}.")
    if measured(result.get("tflite", {}).get("bytes")):
        sentences.append(f"The file has {size(result['tflite']['bytes'])}.")
    return sentences
