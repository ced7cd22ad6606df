"""All families of networks on small datasets, compared by `compare`: tables in docs/compare.md.

python -m benchmarks.comparison [--data DIR] [--seeds N] [--folder DIR] [--table]

The pictures of DIR are split again, 60 % for training and 25 % for testing. Work that was
interrupted continues. What was measured on other datasets stays. `--table` measures nothing and
renders docs/compare.md from docs/comparison.json.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.deployment.report.comparison_tables import markdown_table
from mobilenet_tf.runs.predictions import read_predictions
from mobilenet_tf.selection.bootstrap import Bootstrap, Correct

# Every family, at a size at which a training takes a minute or two; wide ones at a small alpha.
MOBILENETS = (
    *("v1:0.25@64", "v1:0.5@64", "v2:0.35@64", "v2:0.5@64", "v3_small:0.5@64", "v3_large:0.35@64"),
    *("v3_small_minimalistic:0.75@64", "v3_large_minimalistic:0.5@64"),
)
OTHERS = (
    *("v1_full:0.25@64", "mnasnet_a1:0.35@64", "v4_conv_s:0.35@64", "v4_conv_s:0.5@64"),
    *("v4_conv_m:0.25@64", "v4_conv_l:0.25@64", "squeezenet_1_0:0.5@64", "squeezenet_1_1@64"),
    "xception:0.25@64",
)
# On pictures that every network recognises, only the change by int8 is of interest.
NETWORKS = {"sign_digits": OTHERS}
FIELDS = {"train.epochs": 20, "qat.epochs": 4}
FORMS = ("float", "int8")
_POOLED = "all of these"


def measure(data: Path, folder: Path, seeds: int) -> dict[str, Any]:
    """Train all networks on a dataset, and return the result of `compare`."""
    recipe = mn.load_recipe("small_data").with_fields(FIELDS)
    settings = mn.ComparisonSettings(recipe=recipe, seeds=seeds)
    networks = NETWORKS.get(data.name, (*MOBILENETS, *OTHERS))
    result = mn.compare(data, networks, settings=settings, out=folder / data.name, resume=True)
    del result["files"]
    return result


def int8_changes(measured: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """Return by how much int8 changes the accuracy of the networks that all datasets have.

    Args:
        measured: Dataset -> result of `measure`.
        folder: Folder of the comparisons.

    Returns:
        Network, or "all of these" for their mean -> dataset, or "pooled" for the pictures of all
        -> mean, low, high of the accuracy of the int8 file minus that of the float network.
    """
    runs: dict[str, dict[str, list[Path]]] = {
        data: {
            row["network"]: [folder / data / trial for trial in row["trials"]]
            for row in result["networks"]
        }
        for data, result in measured.items()
    }
    common = [
        name for name in next(iter(runs.values())) if all(name in one for one in runs.values())
    ]
    parts = {data: [data] for data in runs} | {"pooled": list(runs)}
    found: dict[str, dict[str, Any]] = {name: {} for name in (*common, _POOLED)}
    for part, datasets in parts.items():
        outcomes = {
            (name, form): [
                _correct(trials, form)
                for trials in zip(*(runs[data][name] for data in datasets), strict=True)
            ]
            for name in common
            for form in FORMS
        }
        bootstrap = Bootstrap(outcomes)
        pairs = {name: [((name, "int8"), (name, "float"))] for name in common}
        pairs[_POOLED] = [pair for one in pairs.values() for pair in one]
        for name, compared in pairs.items():
            found[name][part] = bootstrap.mean_difference(compared).to_dict()
    return found


def _correct(trials: Iterable[Path], form: str) -> Correct:
    """Return what was classified correctly in trials on different datasets."""
    found = {}
    for dataset, trial in enumerate(trials):
        predictions = read_predictions(trial)
        if predictions is None:
            raise FileNotFoundError(f"{trial} is not finished")
        found |= {f"{dataset}/{name}": right for name, right in predictions.correct(form).items()}
    return found


def render(content: Mapping[str, Any]) -> str:
    """Return the content of docs/comparison.json as Markdown."""
    tables = []
    for data, result in content["datasets"].items():
        here = result["machine"]
        tables.append(
            f"### {data}\n\n{markdown_table(result)}\n{here['cores']} cores, {here['cpu']}."
        )
    changes = content["int8"]
    columns = list(changes[_POOLED])
    lines = [
        (name, *(_points(change[column]) for column in columns)) for name, change in changes.items()
    ]
    note = """Accuracy of the int8 file minus that of the float network, in points, with 95 %
        intervals of a paired bootstrap over images and seeds. `pooled` counts every test image
        of all datasets once."""
    table = markdown(("network", *columns), lines)
    return "\n\n".join((*tables, f"### What int8 changes\n\n{table}\n\n{paragraph(note)}"))


def _points(change: Mapping[str, float]) -> str:
    return "{:+.2f} [{:+.2f}, {:+.2f}]".format(
        *(100 * change[part] for part in ("mean", "low", "high"))
    )


SECTION = Section("comparison", render, "docs/compare.md")


def main() -> None:
    """Measure, and write docs/comparison.json and its section."""
    options = options_of(__doc__, "comparison").parse_args()
    if options.table:
        SECTION.write()
        return
    known = SECTION.content()
    result = measure(split_of(options), options.folder, options.seeds)
    datasets = known.get("datasets", {}) | {result["data"]: result}
    SECTION.save({"datasets": datasets, "int8": int8_changes(datasets, options.folder)})


if __name__ == "__main__":
    main()
