"""What `--dry-run` says of a run, and what the run then takes: docs/install.md.

python -m benchmarks.dry_run [--only NAME...] [--clothing FOLDER] [--table]

Every estimate and every run begins in a new process, because one that has used memory keeps it.
Those measured before stay.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mobilenet_tf as mn
from benchmarks.sections import SHARED, Section, markdown, paragraph
from mobilenet_tf.core.files import folder_bytes
from mobilenet_tf.core.memory import MemoryWatch
from mobilenet_tf.core.system import machine

# Data, network, alpha, size, channels, float and QAT epochs.
CASES = {
    "digits": ("digits", "v1", 0.25, 32, 1, 30, 3),
    "clothing v2": ("clothing", "v2", 0.35, 96, 3, 6, 1),
    "clothing v3": ("clothing", "v3_small", 0.75, 96, 3, 6, 1),
}
MEASURES = ("seconds", "memory_bytes", "disk_bytes")
COLUMNS = (
    *("data", "network", "epochs", "dry run, s", "estimated, s", "taken, s"),
    *("estimated memory, MB", "used, MB", "estimated folder, MB", "written, MB"),
)


def settings_of(name: str, clothing: Path) -> mn.RunSettings:
    """Return the settings of a case."""
    data, network, alpha, size, channels, epochs, qat_epochs = CASES[name]
    recipe = mn.load_recipe("small_data")
    return mn.RunSettings(
        data=str(clothing) if data == "clothing" else data,
        network=mn.make_network(network, alpha, size, channels=channels),
        recipe=recipe.with_fields({"train.epochs": epochs, "qat.epochs": qat_epochs}),
    )


def estimated(settings: mn.RunSettings) -> dict[str, float]:
    """Return what a dry run says, and how long it takes."""
    found = mn.dry_run(settings)
    return {name: found[name] for name in (*MEASURES, "dry_seconds")}


def taken(settings: mn.RunSettings) -> dict[str, float]:
    """Return what the run takes."""
    started = time.monotonic()
    with TemporaryDirectory() as temporary, MemoryWatch() as watch:
        run = mn.run(settings, out=Path(temporary) / "run")
        seconds, disk = time.monotonic() - started, folder_bytes(run.folder.path)
    return {"seconds": seconds, "memory_bytes": watch.peak, "disk_bytes": disk}


def measure(name: str, settings: mn.RunSettings) -> dict[str, Any]:
    """Return the row of a case: first it is estimated, then it runs."""
    recipe = settings.recipe
    return {
        "name": name,
        "data": Path(settings.data).name,
        "network": settings.network.title,
        "epochs": [recipe.train.epochs, recipe.qat.epochs],
        "estimated": _alone(estimated, settings),
        "taken": _alone(taken, settings),
        **machine(),
    }


def _alone(
    function: Callable[[mn.RunSettings], dict[str, float]], settings: mn.RunSettings
) -> dict[str, float]:
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function, settings).result()


def render(rows: list[Mapping[str, Any]]) -> str:
    """Return the content of docs/dry_run.json as Markdown."""
    here = rows[0]
    ordered = sorted(rows, key=lambda row: list(CASES).index(row["name"]))
    note = paragraph(
        "Float and quantization-aware epochs. Memory is that of the process and its children. "
        f"{here['cores']} cores, {here['cpu']}."
    )
    return f"{markdown(COLUMNS, list(map(_cells, ordered)))}\n\n{note}"


def _cells(row: Mapping[str, Any]) -> list[str]:
    said, found = row["estimated"], row["taken"]
    pairs = (
        f"{side[name] / unit:,.{digits}f}"
        for name, unit, digits in zip(MEASURES, (1, 1e6, 1e6), (0, 0, 1), strict=True)
        for side in (said, found)
    )
    epochs = " + ".join(map(str, row["epochs"]))
    return [row["data"], f"`{row['network']}`", epochs, f"{said['dry_seconds']:.0f}", *pairs]


SECTION = Section("dry_run", render, "docs/install.md")


def main() -> None:
    """Measure, and write docs/dry_run.json and its section after each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--clothing", type=Path, default=SHARED / "data" / "clothing")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    for name in options.only:
        SECTION.save_rows([measure(name, settings_of(name, options.clothing))], "name")


if __name__ == "__main__":
    main()
