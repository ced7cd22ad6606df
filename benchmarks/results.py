"""The README's table of results, from the `result.json` of finished runs.

python -m benchmarks.results RUN...
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sections import Section, markdown
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.result import Result

COLUMNS = (
    "network",
    "dataset, test images",
    "float",
    "int8",
    "plain PTQ",
    "QAT and file within 1 LSB",
    "file, bytes",
    "minutes",
)
# Sections of result.json that are published.
_SECTIONS = (
    *("version", "model", "data", "parity", "tflite", "seconds", "seed", "versions", "machine"),
)


def row(result: Result) -> list[str]:
    """Return one run as cells."""
    accuracy = result.accuracy
    return [
        network_cell(result),
        dataset_cell(result),
        *(f"{share:.2%}" for share in (accuracy.float, accuracy.int8, accuracy.ptq_int8)),
        *proof_cells(result),
    ]


def network_cell(result: Result) -> str:
    """Return network, alpha and size of a run."""
    model = result.model
    return f"`{model.name}` {model.alpha:g}, {model.input.width}x{model.input.height}"


def dataset_cell(result: Result) -> str:
    """Return the name of a run's dataset, and how many of its images are for testing."""
    data = result.data
    return f"{data.source}, {data.test} of {data.train + data.validation + data.test}"


def proof_cells(result: Result) -> list[str]:
    """Return agreement of file and network, bytes of the file, and minutes of the run."""
    return [
        f"{result.parity.within_1_lsb:.2%}",
        f"{result.tflite.bytes:,}",
        f"{sum(result.seconds.values()) / 60:.1f}",
    ]


def render(published: list[dict[str, Any]]) -> str:
    """Return the content of docs/results.json as Markdown."""
    results = [Result.from_dict(values, "docs/results.json") for values in published]
    machine = results[0].machine
    table = markdown(COLUMNS, [row(result) for result in results])
    return f"{table}\n\nAccuracy on the test images. {machine.cores} cores, {machine.cpu}."


SECTION = Section("results", render, "README.md")


def publishable(result: Result, measured: Sequence[str] = ("accuracy",)) -> dict[str, Any]:
    """Return the sections of a result that are published, without paths of this machine.

    Args:
        result: The result.
        measured: Those of its task.
    """
    values = result.to_dict()
    published = {name: values[name] for name in (*_SECTIONS, *measured)}
    published["data"].pop("skipped", None)
    published["data"]["source"] = Path(result.data.source).name
    return published


def main(folders: list[str]) -> None:
    """Write docs/results.json and the table in the README."""
    results = [RunFolder.open(folder, "result.json").result() for folder in folders]
    SECTION.save([publishable(result) for result in results])


if __name__ == "__main__":
    main(sys.argv[1:])
