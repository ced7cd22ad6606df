"""NetAdapt against the width multiplier, at equal measured latency and equal epochs: docs/adapt.md.

python -m benchmarks.adapt [--data DIR] [--weights DIR] [--folder DIR] [--starts NAME...] ...

The pictures of DIR are split again, 60 % for training and 25 % for testing. Each network is
trained, from published or from random weights, and adapted to shares of its measured latency. Two
controls start from the same trained weights: the network at the alpha that has the latency of the
adapted one, its channels chosen by the same norm; and the adapted shape with random channels. Where
the network itself began with random weights, so do two more: the adapted shape, and the network at
that alpha. All are trained for as many epochs as the weights of the adapted network. Work that was
interrupted continues. Nothing is chosen by test pictures.
"""

import argparse
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import mobilenet_tf as mn
from benchmarks.adapt_controls import Bench, Lengths
from benchmarks.adapt_page import DEVICES, SECTIONS, draw, summary
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import SHARED, merged
from mobilenet_tf.core.files import read_json, write_json
from mobilenet_tf.core.system import machine
from mobilenet_tf.core.terminal import say
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import Budget


class Start(NamedTuple):
    """A network that is adapted, and the file of published weights that it is trained from."""

    name: str
    weights: str | None = None


STARTS = {
    "v2_imagenet": Start("v2", "mobilenet_v2_1.0_224.h5"),
    "v3_small": Start("v3_small"),
    "v2": Start("v2"),
}
SHARES = (0.75, 0.5, 0.35)
SIZE = 64
DEVICE_SIZE, DEVICE_WEIGHTS = 96, "mobilenet_v2_0.35_96_no_top.h5"
# Budgets of one run each, as shares of the cost before.
BUDGETS = (("mcu", "ram", 0.6), ("mcu", "flash", 0.5), ("ethos-u55-128", "latency", 0.6))


def on_cpu(data: Path, options: argparse.Namespace, lengths: Lengths) -> dict[str, Any]:
    """Compare all networks at all shares, and return what docs/adapt.json has."""
    outcomes: list[dict[str, Any]] = []
    for seed in range(options.seeds):
        for title in options.starts:
            start, bench = STARTS[title], None
            for larger, share in pairwise((None, *sorted(options.shares, reverse=True))):
                folder = options.folder / f"{title}_{seed}"
                file = folder / f"{share:g}.json"
                if not file.exists():
                    settings = mn.RunSettings(
                        data=str(data),
                        network=make_network(start.name, 1.0, SIZE),
                        weights=str(options.weights / start.weights) if start.weights else "none",
                        seed=seed,
                    )
                    bench = bench or Bench(folder, settings, lengths)
                    write_json(file, bench.shares(share, larger))
                outcomes.append({"model": title, "seed": seed} | read_json(file))
                say(f"{title}, seed {seed}, {share:.0%}: done")
    return summary(outcomes, lengths.__dict__)


def on_devices(
    data: Path, options: argparse.Namespace, lengths: Lengths
) -> Iterator[dict[str, Any]]:
    """Adapt V2 0.35 to budgets of a microcontroller and an NPU; yield the rows of a table."""
    network = make_network("v2", 0.35, DEVICE_SIZE)
    weights = str(options.weights / DEVICE_WEIGHTS)
    settings = mn.RunSettings(data=str(data), network=network, weights=weights)
    bench = Bench(options.folder / "devices", settings, lengths)
    for device, cost, share in BUDGETS:
        table = cost_table(device)
        table.measure([bench.base.network])
        before = getattr(table.cost(bench.base.network), cost)
        limit = share * before if cost == "latency" else int(share * before)
        adapting = mn.AdaptSettings(
            budget=Budget(**{cost: limit}),
            device=device,
            steps=lengths.planned(share),
            batches=lengths.batches,
        )
        found = bench.adapted(f"{device}_{cost}", adapting)
        row = {"cost": cost, "limit": limit} | found
        del row["run"], row["plot"]  # paths are of this machine
        yield row


def main() -> None:
    """Measure, and write docs/adapt.json, docs/adapt_devices.json, the plot and their sections."""
    parser = options_of(__doc__ or "", "adapt")
    parser.add_argument("--weights", type=Path, default=SHARED / "weights")
    parser.add_argument("--only", choices=("cpu", "devices"))
    parser.add_argument("--starts", choices=STARTS, nargs="+", default=("v2_imagenet", "v3_small"))
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    for name, value in Lengths().__dict__.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dry", action="store_true", help="leave the documents as they are")
    options = parser.parse_args()
    if options.table:
        for section in SECTIONS:
            section.write()
        return
    lengths = Lengths(**{name: getattr(options, name) for name in Lengths().__dict__})
    data, facts = split_of(options), {"machine": machine(), "source": options.data.name}
    if options.only != "devices":
        found = facts | on_cpu(data, options, lengths)
        if options.dry:
            print(SECTIONS[0].render(found))
        else:
            found["rows"] = merged(SECTIONS[0].content().get("rows", ()), found["rows"], "model")
            SECTIONS[0].save(found)
            draw(found)
    if options.only != "cpu":
        for row in on_devices(data, options, lengths):
            if options.dry:
                print(DEVICES.render(facts | {"rows": [row]}))
            else:
                earlier = DEVICES.content().get("rows", ())
                DEVICES.save(facts | {"rows": merged(earlier, [row], "cost")})


if __name__ == "__main__":
    main()
