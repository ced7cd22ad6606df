"""Training as this project does it against what its user would write otherwise.

python -m benchmarks.training DATA [NETWORK...]

DATA is a folder with a folder of pictures per class. In turn, in processes of their
own (see training_ways.py):
  ours      the default recipe: batches, augmentation, network, optimizer
  tutorial  as Keras's tutorials do it
  step      ours on batches that lie ready
  pipeline  ours without a network
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.latency import ratio
from benchmarks.tables import markdown, publish, spread
from benchmarks.training_ways import BATCH, STEPS, Process
from mobilenet_tf.core.terminal import console
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network

NETWORKS = {"v1": 0.25, "v2": 0.35, "v3_small": 0.75}
_SIZE, _ROUNDS, _STARTS = 96, 21, 3
_ORDER = ("ours", "tutorial", "step", "pipeline")


def measure(folder: str, spec: Network) -> dict:
    """One network: the starts of both ways, and then all four in turn."""
    starts = {name: [] for name in ("ours", "tutorial")}
    for _ in range(_STARTS):
        for name, found in starts.items():
            process = Process(name, folder, spec)
            found.append(process.seconds)
            process.close()
    made = {name: Process(name, folder, spec) for name in ("ours", "tutorial", "ready")}
    orders = {
        "ours": made["ours"].turn,
        "tutorial": made["tutorial"].turn,
        "step": made["ready"].turn,
        "pipeline": lambda: made["ours"].turn("pipeline"),
    }
    times = {name: np.empty((_ROUNDS, 2)) for name in orders}
    for number in range(_ROUNDS):
        for name, turn in orders.items():
            times[name][number] = turn()
    for process in made.values():
        process.close()
    wall = {name: values[:, 0] for name, values in times.items()}
    processor = {name: values[:, 1] for name, values in times.items()}
    return {
        "network": spec.name,
        "alpha": spec.alpha,
        "pictures_per_second": {
            name: float(np.median(STEPS * BATCH / wall[name])) for name in orders
        },
        "faster_than_tutorial": ratio(wall["tutorial"], wall["ours"]),
        "processor_time_of_tutorial": ratio(processor["tutorial"], processor["ours"]),
        "pipeline_against_step": ratio(wall["step"], wall["pipeline"]),
        "seconds_to_first_step": {name: float(np.median(found)) for name, found in starts.items()},
    }


def table(rows: list[dict]) -> str:
    """The figures as Markdown."""
    columns = (
        "network", "ours", "tutorial", "step alone", "pipeline alone",
        "times faster than the tutorial", "in processor time", "pipeline, times the step's speed",
        "seconds to the first step: ours", "tutorial",
    )  # fmt: skip
    return markdown(
        columns,
        [
            (
                f"`{row['network']}` {row['alpha']:g}",
                *(f"{row['pictures_per_second'][name]:.0f}" for name in _ORDER),
                spread(row["faster_than_tutorial"]),
                spread(row["processor_time_of_tutorial"]),
                spread(row["pipeline_against_step"]),
                *(f"{row['seconds_to_first_step'][name]:.1f}" for name in _ORDER[:2]),
            )
            for row in rows
        ],
    )


def main(folder: str, names: list[str]) -> None:
    """Write docs/training.json and the table in docs/benchmarks.md, network by network."""
    note = (
        f"Pictures per second, {_SIZE}x{_SIZE}, {Path(folder).name}; medians of the ratios, round "
    )
    note += "by round, and their quartiles. The first step counts from the start of the process, "
    note += "with all imports and pictures read."
    for name in names or NETWORKS:
        row = measure(folder, make_network(name, NETWORKS[name], _SIZE))
        console.print(row)
        publish("training", row, ("network", "alpha"), table, note)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
