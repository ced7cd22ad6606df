"""A search on one dataset, against published networks of the same latency: docs/search.md.

python -m benchmarks.search [--data DIR] [--seeds N] [--folder DIR] [--judge KIND] [--minutes M]

The pictures of DIR are split again, 60 % for training and 25 % for testing. The limit is the
measured latency of `REFERENCE` on this CPU. Candidates are tried for M minutes, and the best of
them are trained again. The winner and the published networks of the nearest latency are trained in
full, with the same number of epochs. Work that was interrupted continues.

With keras-tuner's environment variables, several processes share the search, as docs/search.md says
(start the workers when the chief has begun it).
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import Section, paragraph
from mobilenet_tf.core.files import read_json
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.load import class_names
from mobilenet_tf.deployment.devices.tables import cost_table
from mobilenet_tf.deployment.report.comparison_tables import markdown_table
from mobilenet_tf.selection.architecture import ArchitectureSettings, Judge
from mobilenet_tf.selection.architecture_space import DEFAULT_SPACE, load_architectures

REFERENCE = ("v2", 0.35)
EPOCHS, QAT_EPOCHS = 30, 4
FINALISTS = 8
JUDGE_SIZE = 64
JUDGES = {
    "training": Judge(kind="training", epochs=5, size=JUDGE_SIZE),
    "supernet": Judge(kind="supernet", epochs=40, size=JUDGE_SIZE),
    "macs": Judge(kind="macs"),
}


def options_of_search(module_docstring: str, folder: str) -> argparse.ArgumentParser:
    """Return a parser of the options of `settings_of`, besides those of `options_of`."""
    parser = options_of(module_docstring, folder)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--judge-epochs", type=int)
    parser.add_argument("--space", type=Path)
    parser.add_argument("--dry", action="store_true", help="leave the documents as they are")
    return parser


def settings_of(data: Path, judge: str, options: Mapping[str, Any]) -> ArchitectureSettings:
    """Return a search within the latency of the reference on the CPU."""
    space = load_architectures(options["space"] or DEFAULT_SPACE)
    network = mn.make_network(*REFERENCE, space.size[0], len(class_names(str(data))))
    table = cost_table("cpu")
    table.measure([network])
    epochs = options["epochs"]
    fields = {"train.epochs": epochs, "qat.epochs": min(QAT_EPOCHS, epochs)}
    own = JUDGES[judge]
    return ArchitectureSettings(
        data=str(data),
        input=InputSpec(),
        recipe=mn.load_recipe("small_data").with_fields(fields),
        space=space,
        judge=replace(own, epochs=options["judge_epochs"] or own.epochs),
        budget=mn.Budget(latency=table.cost(network).latency),
        finalists=options.get("finalists", 0),
        winners=1,
        seeds=options["seeds"],
    )


def measure(data: Path, folder: Path, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Search and train, and return what docs/search.json has; None for a worker."""
    out = folder / f"search_{options['judge']}"
    result = mn.search(
        settings_of(data, options["judge"], options),
        trials=options["trials"],
        hours=options["minutes"] / 60,
        out=out,
        resume=True,
    )
    if result is None:
        return None
    runs = [read_json(out / row["run"] / "result.json") for row in result["finalists"]]
    seconds = {
        "candidates": read_json(out / "oracle" / "oracle.json")["seconds"],
        "finalists": sum(run["seconds"]["train"] for run in runs),
    }
    del result["files"], result["final"]["files"]
    for row in (*result["trials"], *result["finalists"]):
        del row["run"]
    return {
        "reference": "{} {:g}".format(*REFERENCE),
        "seconds": seconds,
        "search": result,
        "machine": machine(),
    }


def render(found: Mapping[str, Any]) -> str:
    """Return the content of docs/search.json as Markdown."""
    search, here = found["search"], found["machine"]
    limit = search["limits"]["latency"]
    minutes = {stage: round(value / 60) for stage, value in found["seconds"].items()}
    again = ""
    if search["finalists"]:
        epochs = search["finalists"][0]["epochs"]
        again = (
            f" The best {len(search['finalists'])} were trained again for {epochs} epochs, in "
            f"{minutes['finalists']} minutes."
        )
    before = paragraph(
        f"In {minutes['candidates']} minutes, {search['algorithm']}, judged by {search['judge']}, "
        f"tried {len(search['trials'])} networks within {limit:.2f} ms, the measured latency of "
        f"{found['reference']}; {search['refused']:,} slower ones were not trained.{again} The "
        "winner, and the published networks whose latency is nearest, trained in full:"
    )
    # The search adds up the times of parts; the comparison measures whole files.
    summed = {one["network"]: one["latency"] for one in (*search["winners"], *search["published"])}
    ratios = [summed[row["network"]] / row["latency_ms"] for row in search["final"]["networks"]]
    last = paragraph(
        f"{_above(search['final']['networks'])} The latencies of the table are of whole files, "
        "timed in turns after the last training, each in a process of its own. The search's sums "
        f"of parts, measured before, are {min(ratios):.2f} to {max(ratios):.2f} times as long. "
        "Timed together in one process, [sums and whole files agree]"
        f"(benchmarks.md#parts-and-whole-files). {here['cores']} cores, {here['cpu']}."
    )
    return "\n\n".join((before, markdown_table(search["final"]).rstrip(), last))


def _above(networks: Sequence[Mapping[str, Any]]) -> str:
    """Return which published networks the winner, the first one, is above, beyond chance."""
    winner, *published = networks
    lower = [row["network"] for row in published if row["difference"]["high"] < 0]
    others = [row["network"] for row in published if row["network"] not in lower]
    return (
        f"Beyond chance, {winner['network']} is above {', '.join(lower) or 'none'}; not beyond "
        f"chance: {', '.join(others) or 'none'}."
    )


SECTION = Section("search", render, "docs/search.md")


def main() -> None:
    """Measure, and write docs/search.json and its section."""
    parser = options_of_search(__doc__, "search")
    parser.add_argument("--judge", choices=JUDGES, default="training")
    parser.add_argument("--minutes", type=float, default=35)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--finalists", type=int, default=FINALISTS)
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    found = measure(split_of(options), options.folder, vars(options))
    if found is not None:
        SECTION.save_or_print(found, dry=options.dry)


if __name__ == "__main__":
    main()
