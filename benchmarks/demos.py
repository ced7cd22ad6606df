"""How long the demos of the Makefile take, and what they reach: docs/benchmarks.md.

python -m benchmarks.demos [--only NAME...] [--table]

`make` runs each in the environment that exists. Those measured before stay. The demos of detection
and segmentation start with the weights of one classifier, which the first of them trains.
"""

import argparse
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.sections import ROOT, Section, markdown, paragraph
from mobilenet_tf.core.system import machine
from mobilenet_tf.runs.result import read_result

DEMOS = (
    "demo",
    *(f"demo-{name}" for name in ("detection", "segmentation", "embedding", "pairs")),
    *(f"demo-{name}" for name in ("multilabel", "geolocation")),
)


def measure(name: str) -> dict[str, Any]:
    """Run a demo; return its seconds, and what its file reaches on the test pictures."""
    started = time.monotonic()
    subprocess.run(["make", name], cwd=ROOT, check=True)
    seconds = time.monotonic() - started
    written = max((ROOT / "runs").glob("*/result.json"), key=lambda path: path.stat().st_mtime)
    result = read_result(written)
    metric = next(iter(result.shares))
    return {
        "demo": name,
        "seconds": seconds,
        "metric": metric,
        "int8": result.score.int8,
        **machine(),
    }


def render(rows: list[Mapping[str, Any]]) -> str:
    """Return the content of docs/demos.json as Markdown."""
    cells = [
        (
            f"`make {row['demo']}`",
            f"{row['seconds'] / 60:.1f}",
            row["metric"].replace("_", " "),
            f"{row['int8']:.1%}",
        )
        for row in sorted(rows, key=lambda row: DEMOS.index(row["demo"]))
    ]
    here = rows[0]
    note = paragraph(
        f"Of the int8 file, on its test pictures. {here['cores']} cores, {here['cpu']}."
    )
    return f"{markdown(('demo', 'minutes', 'metric', 'reached'), cells)}\n\n{note}"


SECTION = Section("demos", render)


def main() -> None:
    """Measure, and write docs/demos.json and its section after each demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=DEMOS, default=DEMOS)
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    for name in options.only:
        SECTION.save_rows([measure(name)], "demo")


if __name__ == "__main__":
    main()
