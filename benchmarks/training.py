"""Speed of this project's training against the setup of the Keras tutorials.

python -m benchmarks.training DATA [NETWORK...]

DATA is a folder with one folder of images per class. These run in turns, each in a process of its
own (see training_ways.py):
  ours      the default recipe: batches, augmentation, network, optimizer
  tutorial  the setup of the Keras tutorials
  step      ours on batches that are in memory already
  pipeline  ours without a network: only the batches are made
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machines import Rows, add_row, machine_section, values
from benchmarks.ratios import ratio, ratio_cell
from benchmarks.sections import markdown
from benchmarks.training_ways import BATCH, STEPS, Process
from mobilenet_tf.core.terminal import console
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

NETWORKS = {"v1": 0.25, "v2": 0.35, "v3_small": 0.75}
_SIZE, _ROUNDS, _STARTS = 96, 21, 3
_ORDER = ("ours", "tutorial", "step", "pipeline")


def measure(
    folder: str, network: Network, rounds: int = _ROUNDS, starts: int = _STARTS
) -> dict[str, Any]:
    """Measure one network: first the startup of both setups, then the speed of all four in turns.

    Args:
        folder: Folder with one folder of images per class.
        network: The network; its number of classes is replaced by that of the folder.
        rounds: Number of turns.
        starts: Number of processes that are started for each setup.
    """
    seconds = _startup(folder, network, starts)
    processes = {name: Process(name, folder, network) for name in ("ours", "tutorial", "ready")}
    turns = {
        "ours": processes["ours"].turn,
        "tutorial": processes["tutorial"].turn,
        "step": processes["ready"].turn,
        "pipeline": lambda: processes["ours"].turn("pipeline"),
    }
    times = {name: np.empty((rounds, 2)) for name in turns}
    for number in range(rounds):
        for name, turn in turns.items():
            times[name][number] = turn()
    for process in processes.values():
        process.close()
    wall = {name: found[:, 0] for name, found in times.items()}
    cpu = {name: found[:, 1] for name, found in times.items()}
    return {
        "network": network.name,
        "alpha": network.alpha,
        "data": Path(folder).name,
        "pictures_per_second": {
            name: float(np.median(STEPS * BATCH / wall[name])) for name in turns
        },
        "faster_than_tutorial": ratio(wall["tutorial"], wall["ours"]),
        "processor_time_of_tutorial": ratio(cpu["tutorial"], cpu["ours"]),
        "pipeline_against_step": ratio(wall["step"], wall["pipeline"]),
        "seconds_to_first_step": {name: float(np.median(found)) for name, found in seconds.items()},
    }


def _startup(folder: str, network: Network, starts: int) -> dict[str, list[float]]:
    """Seconds from the start of a process to the end of its first training step."""
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", "tutorial")}
    for _ in range(starts):
        for name, found in seconds.items():
            process = Process(name, folder, network)
            found.append(process.seconds)
            process.close()
    return seconds


def table(rows: Rows) -> str:
    """Return the rows of one machine as Markdown."""
    columns = (
        "network", "ours, images/s", "tutorial, images/s", "step alone, images/s",
        "pipeline alone, images/s", "times faster than the tutorial", "CPU time: tutorial / ours",
        "speed: pipeline / step", "startup of ours, s", "startup of the tutorial, s",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}` {row['alpha']:g}",
                *(f"{row['pictures_per_second'][name]:.0f}" for name in _ORDER),
                ratio_cell(row["faster_than_tutorial"]),
                ratio_cell(row["processor_time_of_tutorial"]),
                ratio_cell(row["pipeline_against_step"]),
                *(f"{row['seconds_to_first_step'][name]:.1f}" for name in _ORDER[:2]),
            )
            for row in rows
        ],
    )


def note(entries: Rows) -> str:
    """Return the text below the tables."""
    return (
        f"{_SIZE}x{_SIZE}, {values(entries, 'data')}. Ratios are medians over the rounds, with "
        "quartiles in brackets. Startup is the time from the start of the process to the end of "
        "the first step, including all imports and reading the images."
    )


SECTION = machine_section("training", table, note)


def main(folder: str, names: list[str]) -> None:
    """Measure networks, and write docs/training.json and its section after each."""
    for name in names or NETWORKS:
        row = measure(folder, make_network(name, NETWORKS[name], _SIZE))
        console.print(row)
        add_row(SECTION, row, ("network", "alpha"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
