"""The sum of the times of a network's parts against the time of its whole file: docs/benchmarks.md.

python -m benchmarks.parts [RUN...] [--table]

Searches and adaptations add up the measured times of parts. Here the parts and the whole file are
timed in turns, in one process, on one thread. The networks are those of the run folders, those that
docs/parts.json already has, and the published ones of `PUBLISHED`. Weights are random, because the
time of an integer kernel does not depend on them.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.machines import Rows, add_row, machine_section
from benchmarks.ratios import ratio, ratio_cell
from benchmarks.sections import markdown
from mobilenet_tf.core.terminal import say
from mobilenet_tf.deployment.devices.cpu import Cpu
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.tflite.from_graph import graph_file
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.selection.affordable import label

# Near the latency of the network that benchmarks.search found.
PUBLISHED = (("v1", 0.35), ("v2", 0.35), ("v3_small", 1.0), ("v3_large", 0.25))
SIZE, CLASSES = 96, 10
_ROUNDS = 15


def networks(found: Sequence[Network], entries: Rows) -> Iterator[Network]:
    """Yield the published networks, those that were found, and those measured before, once each."""
    known = [make_network(name, alpha, SIZE, CLASSES) for name, alpha in PUBLISHED]
    known += found
    known += [Network.from_dict(row["architecture"]) for entry in entries for row in entry["rows"]]
    yield from {label(network): network for network in known}.values()


def measure(network: Network, rounds: int = _ROUNDS) -> dict[str, Any]:
    """Time the parts and the whole file in turns.

    Returns:
        The times of the round with the median ratio, and the ratios of the rounds. The medians of
        both times could stem from different clocks of the processor.
    """
    whole, cpu = graph_file(lower(network), PartsTable.fuse_hard_swish), Cpu()
    times = np.empty((rounds, 2))
    for turn in range(rounds):
        with TemporaryDirectory() as folder:
            table = PartsTable(cpu, path=Path(folder, "measured.json"))
            table.measure([network])
            times[turn] = table.total(network), cpu.measure({"whole": whole})["whole"]
    parts, whole_file = times[np.argsort(times[:, 0] / times[:, 1])[rounds // 2]]
    return {
        "network": network.name,
        "alpha": network.alpha,
        "size": network.input.side,
        "parts": float(parts),
        "whole": float(whole_file),
        "ratio": ratio(*times.T),
        "architecture": network.to_dict(),
    }


def table(rows: Rows) -> str:
    """Return the measurements of one machine as a Markdown table."""
    columns = ("network", "size", "sum of parts, ms", "whole file, ms", "sum / whole")
    return markdown(columns, [_cells(row) for row in rows])


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"`{row['network']}` {row['alpha']:g}",
        str(row["size"]),
        f"{row['parts']:.3f}",
        f"{row['whole']:.3f}",
        ratio_cell(row["ratio"]),
    )


def note(_entries: Rows) -> str:
    """Return what stands below the tables."""
    return (
        f"The median of {_ROUNDS} rounds, in each of which the parts and the whole file are timed; "
        "ratios with quartiles in brackets. One thread; times are its CPU time."
    )


SECTION = machine_section("parts", table, note)


def main() -> None:
    """Measure, and write docs/parts.json and its section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    parser.add_argument("--table", action="store_true", help="only render the table again")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    found = [Run.open(folder).network for folder in options.runs]
    for network in networks(found, SECTION.content()):
        row = measure(network)
        say(f"{label(network)}: {ratio_cell(row['ratio'])}")
        add_row(SECTION, row, ("network", "alpha", "size"))


if __name__ == "__main__":
    main()
