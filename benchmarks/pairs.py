"""Whether training by pairs helps to tell similar clothes apart: the table in docs/pairs.md.

python -m benchmarks.pairs [--data DIR] [--weights FILE] [--seeds N] [--folder DIR] [--table]

The pictures of DIR are split again, 60 % for training and 25 % for testing. The same network is
trained from the same pre-trained backbone, with the same recipe and epochs, as a plain classifier
and by pairs. Work that was interrupted continues. `--table` measures nothing and renders
docs/pairs.md from docs/pairs.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import SHARED, Section, markdown, paragraph
from mobilenet_tf.core.files import write_json
from mobilenet_tf.core.system import machine
from mobilenet_tf.deployment.report.comparison_tables import points
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.trial import trial_run
from mobilenet_tf.selection.bootstrap import Bootstrap, Correct
from mobilenet_tf.tasks.classification.task import Classification

NETWORK = make_network("v2", 0.35, 96)
RECIPE, EPOCHS = "transfer", 20
WAYS = {"plain": Classification(), "pairs": Classification(pairs=True)}
ALIKE = ("longsleeve", "outwear", "shirt", "t-shirt")  # the classes that are confused
_FOLDERS = tuple(f"test/{name}/" for name in ALIKE)
COLUMNS = ("training", "test accuracy", "of similar classes")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train all networks and return the content of docs/pairs.json."""
    data = split_of(options)
    correct: dict[str, list[Correct]] = {name: [] for name in WAYS}
    for seed in range(options.seeds):
        for name, task in WAYS.items():
            settings = mn.RunSettings(
                data=str(data),
                network=NETWORK,
                task=task,
                recipe=mn.load_recipe(RECIPE).with_fields({"train.epochs": EPOCHS}),
                weights=str(options.weights),
                seed=seed,
            )
            correct[name].append(_correct(settings, options.folder / f"{name}_{seed}"))
    alike = {
        name: [{k: v for k, v in run.items() if k.startswith(_FOLDERS)} for run in runs]
        for name, runs in correct.items()
    }
    found = {"all": Bootstrap(correct), "alike": Bootstrap(alike)}
    return {
        "data": options.data.name,
        "images": len(correct["plain"][0]),
        "seeds": options.seeds,
        "accuracy": {
            name: {part: one.accuracy(name).to_dict() for part, one in found.items()}
            for name in WAYS
        },
        "difference": {
            part: one.difference("pairs", "plain").to_dict() for part, one in found.items()
        },
        "machine": machine(),
    }


def _correct(settings: mn.RunSettings, folder: Path) -> Correct:
    """Return which test pictures a network classifies correctly after training."""
    kept = folder.with_suffix(".json")
    if kept.exists():
        known: Correct = json.loads(kept.read_text(encoding="utf-8"))
        return known
    with trial_run(settings, folder) as run:
        found = _trained(run)
    write_json(kept, found)
    return found


def _trained(run: Run) -> dict[str, bool]:
    from mobilenet_tf.deployment.proof.verify import real_outputs
    from mobilenet_tf.runs.train import train

    test = run.data.test
    predicted = real_outputs(train(run), test.images, run.network.input).argmax(axis=1)
    return dict(zip(test.names, (predicted == test.labels).tolist(), strict=True))


def render(measured: dict[str, Any]) -> str:
    """Return the content of docs/pairs.json as Markdown."""
    rows = [
        [name, *(f"{shares[part]['mean']:.1%}" for part in ("all", "alike"))]
        for name, shares in measured["accuracy"].items()
    ]
    differences = [points(measured["difference"][part]) for part in ("all", "alike")]
    rows.append(["difference, points", *differences])
    here = measured["machine"]
    note = f"""Float networks, `{NETWORK.name}` {NETWORK.alpha:g} at 96x96 from ImageNet weights,
        {EPOCHS} epochs of the recipe `{RECIPE}`, on {measured["images"]:,} test images of
        {measured["data"]}, {measured["seeds"]} seeds; the similar classes are {", ".join(ALIKE)}.
        In brackets, 95 % intervals of a paired bootstrap over images and seeds. {here["cores"]}
        cores, {here["cpu"]}."""
    return "\n\n".join((markdown(COLUMNS, rows), paragraph(note), _verdict(measured)))


def _verdict(measured: dict[str, Any]) -> str:
    """Return whether the difference is more than chance."""
    low, high = (measured["difference"]["all"][end] for end in ("low", "high"))
    if low > 0:
        return "Pairs help on this data."
    if high < 0:
        return "Pairs harm on this data."
    return "Whether pairs help cannot be told from this data: the interval contains 0."


SECTION = Section("pairs", render, "docs/pairs.md")


def main() -> None:
    """Measure, and write docs/pairs.json and docs/pairs.md."""
    parser = options_of(__doc__, "pairs")
    weights = SHARED / "weights" / "mobilenet_v2_0.35_96_no_top.h5"
    parser.add_argument("--weights", type=Path, default=weights)
    options = parser.parse_args()
    if options.table:
        SECTION.write()
    else:
        SECTION.save(measure(options))


if __name__ == "__main__":
    main()
