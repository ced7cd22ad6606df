"""All families of networks on one small dataset, compared by `compare`: a table in docs/compare.md.

python -m benchmarks.comparison [--data DIR] [--seeds N] [--folder DIR]

The pictures of DIR are split again, 60 % for training and 25 % for testing. Work that was
interrupted continues.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import Section
from mobilenet_tf.deployment.report.comparison_tables import markdown_table

# Every family, at a size at which a training takes a minute or two; wide ones at a small alpha.
NETWORKS = (
    *("v1:0.25@64", "v1:0.5@64", "v1_full:0.25@64", "v2:0.35@64", "v2:0.5@64"),
    *("v3_small:0.5@64", "v3_large:0.35@64"),
    *("v3_small_minimalistic:0.75@64", "v3_large_minimalistic:0.5@64"),
    *("mnasnet_a1:0.35@64", "v4_conv_s:0.35@64", "v4_conv_s:0.5@64"),
    *("squeezenet_1_1@64", "xception:0.25@64"),
)
FIELDS = {"train.epochs": 20, "qat.epochs": 4}


def measure(data: Path, folder: Path, seeds: int) -> dict[str, Any]:
    """Train all networks, and return what docs/comparison.json has."""
    recipe = mn.load_recipe("small_data").with_fields(FIELDS)
    settings = mn.ComparisonSettings(recipe=recipe, seeds=seeds)
    result = mn.compare(data, NETWORKS, settings=settings, out=folder, resume=True)
    del result["files"]
    return result


def render(result: Mapping[str, Any]) -> str:
    """Return the content of docs/comparison.json as Markdown; it is empty before a measurement."""
    if not result:
        return "Not measured yet."
    here, change = result["machine"], result["int8_change"]
    bounds = (100 * change[part] for part in ("mean", "low", "high"))
    mean = "{:+.2f} [{:+.2f}, {:+.2f}]".format(*bounds)
    return (
        f"{markdown_table(result)}\nInt8 changes the accuracy by {mean} points on average over the "
        f"networks. {here['cores']} cores, {here['cpu']}."
    )


SECTION = Section("comparison", render, "docs/compare.md")


def main() -> None:
    """Measure, and write docs/comparison.json and its section."""
    options = options_of(__doc__, "comparison").parse_args()
    SECTION.save(measure(split_of(options), options.folder, options.seeds))


if __name__ == "__main__":
    main()
