"""Embeddings of classes that were never trained: the table in docs/embedding.md.

python -m benchmarks.embedding [--data DIR] [--weights FILE] [--seeds N] [--folder DIR] [--table]

DIR has the folders sign_digits and clothing, FILE is a weights file of V2 0.35 at 96x96 without
classifier. In each case some classes are kept for testing. The settings of the task are its
defaults, and the recipe is the one for trained weights and few images. The document has each seed
as soon as it is measured, and what it has is not measured again. `--table` measures nothing and
renders the table again.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sections import SHARED, Section, markdown, paragraph
from mobilenet_tf.commands.run import run
from mobilenet_tf.core.system import machine
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.embedding.task import Embedding
from mobilenet_tf.training.recipe import load_recipe

NETWORK = make_network("v2", 0.35, 96)
RECIPE = "embedding_transfer"
COLUMNS = (
    *("data", "never trained", "images", "seeds", "ImageNet features", "float", "int8"),
    *("recall@1", "mAP", "TAR at FAR 1 %"),
)


@dataclass(frozen=True)
class Case:
    """Classes of a folder of images that are never trained."""

    data: str
    held_out: tuple[str, ...]

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.data}_{'_'.join(self.held_out)}"


CASES = (
    Case("sign_digits", ("7", "8", "9")),
    Case("sign_digits", ("4", "5", "6")),
    Case("sign_digits", ("1", "2", "3")),
    Case("clothing", ("dress", "shorts", "t-shirt")),
)


def untrained(case: Case, options: argparse.Namespace) -> float:
    """Return the verification accuracy of pooled ImageNet features on the held-out classes."""
    from mobilenet_tf.deployment.proof.verify import real_outputs
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.networks.published.weights import load_weights

    model = build_network(NETWORK, include_top=False, pooling="avg")
    load_weights(model, options.weights, NETWORK)
    task = Embedding(held_out=case.held_out)
    data = task.read(str(options.data / case.data), NETWORK.input, 0)
    outputs = real_outputs(model, data.test.images, NETWORK.input)
    return float(task.metrics(outputs, data.test.labels, data.classes)["verification"])


def measure(case: Case, seed: int, options: argparse.Namespace) -> dict[str, Any] | None:
    """Train by the default settings; return what docs/embedding.json then has of a case.

    None if it has this seed already.
    """
    earlier: dict[str, Any] = next((one for one in SECTION.content() if _is_of(one, case)), {})
    seeds = earlier.get("seeds", [])
    if seed < len(seeds):
        return None
    result = _trained(case, seed, options)
    return {
        "data": case.data,
        "held_out": list(case.held_out),
        "images": result["parity"]["images"],
        "loss": Embedding.loss,
        "recipe": RECIPE,
        "untrained": earlier.get("untrained") or untrained(case, options),
        "seeds": [*seeds, {name: result[name] for name in ("metrics", "parity")}],
        "machine": machine(),
    }


def _is_of(found: Mapping[str, Any], case: Case) -> bool:
    return (found["data"], tuple(found["held_out"])) == (case.data, case.held_out)


def _trained(case: Case, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the result of a run."""
    settings = RunSettings(
        data=str(options.data / case.data),
        network=NETWORK,
        task=Embedding(held_out=case.held_out),
        recipe=load_recipe(RECIPE),
        weights=str(options.weights),
        seed=seed,
    )
    folder = options.folder / f"{case.name}_{seed}"
    run(settings, out=folder, resume=True)
    return RunFolder.open(folder, "result.json").result().to_dict()


def shares(found: dict[str, Any], metric: str, form: str) -> list[float]:
    """Return a metric with each seed."""
    return [one["metrics"][metric][form] for one in found["seeds"]]


def row(found: dict[str, Any]) -> list[str]:
    """Return one case as cells."""
    cells = [("verification", "float"), ("verification", "int8")]
    cells += [(name, "int8") for name in ("recall_at_1", "map", "true_accepts_1e2")]
    return [
        found["data"],
        ", ".join(found["held_out"]),
        f"{found['images']:,}",
        str(len(found["seeds"])),
        f"{found['untrained']:.1%}",
        *(f"{np.mean(shares(found, *cell)):.1%}" for cell in cells),
    ]


def render(measured: list[dict[str, Any]]) -> str:
    """Return the content of docs/embedding.json as Markdown."""
    table = markdown(COLUMNS, [row(found) for found in measured])
    signs = [found for found in measured if found["data"] == "sign_digits"]
    before = 100 * np.mean([found["untrained"] for found in signs])
    base, file, rounded = (
        [100 * np.array(shares(found, "verification", form)) for found in signs]
        for form in ("float", "int8", "ptq_int8")
    )
    changes = [np.concatenate(one) - np.concatenate(base) for one in (file, rounded)]
    errors = [one.std(ddof=1) / len(one) ** 0.5 for one in changes]
    cores, processor = measured[0]["machine"]["cores"], measured[0]["machine"]["cpu"]
    note = f"""Verification accuracy on classes that were never trained, `{NETWORK.name}`
        {NETWORK.alpha:g} at 96x96 from ImageNet weights, the recipe `{measured[0]["recipe"]}` and
        the loss `{measured[0]["loss"]}`; recall@1, mAP and TAR are
        those of the int8 file. All are means over the seeds. The mean of
        the {len(signs)} choices of signs is {before:.1f} % for the untrained features,
        {np.mean([one.mean() for one in base]):.1f} % for the float network and
        {np.mean([one.mean() for one in file]):.1f} % for the int8 file. Over all
        {len(changes[0])} trainings, the file differs by {changes[0].mean():+.1f} points from the
        float network, with a standard error of {errors[0]:.1f}: quantization-aware training goes on
        learning. Rounded after training instead, it differs by {changes[1].mean():+.1f}, with a
        standard error of {errors[1]:.1f}.
        {cores} cores, {processor}."""
    return f"{table}\n\n{paragraph(note)}"


SECTION = Section("embedding", render, "docs/embedding.md")


def main() -> None:
    """Measure, and write docs/embedding.json and docs/embedding.md after each training."""
    weights = SHARED / "weights" / "mobilenet_v2_0.35_96_no_top.h5"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--weights", type=Path, default=weights)
    parser.add_argument("--folder", type=Path, default=Path("runs") / "embedding")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    for seed, case in product(range(options.seeds), CASES):
        found = measure(case, seed, options)
        if found is not None:
            rows = [*(one for one in SECTION.content() if not _is_of(one, case)), found]
            SECTION.save([one for case in CASES for one in rows if _is_of(one, case)])


if __name__ == "__main__":
    main()
