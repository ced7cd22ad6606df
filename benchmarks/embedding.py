"""Embeddings of classes that were never trained: the table in docs/embedding.md.

python -m benchmarks.embedding [--data DIR] [--weights FILE] [--folder DIR] [--table]

DIR has the folders sign_digits and clothing, FILE is a weights file of V2 0.35 at 96x96 without
classifier. In each case some classes are kept for testing. The settings of the task are its
defaults, and the recipe is the one for trained weights and few images. An interrupted program goes
on where it was. `--table` measures nothing and renders the table again.
"""

import argparse
from dataclasses import dataclass
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
    *("data", "never trained", "images", "ImageNet features", "float", "int8"),
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


def measure(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Train by the default settings, and return what docs/embedding.json has of a case."""
    task = Embedding(held_out=case.held_out)
    settings = RunSettings(
        data=str(options.data / case.data),
        network=NETWORK,
        task=task,
        recipe=load_recipe(RECIPE),
        weights=str(options.weights),
    )
    run(settings, out=options.folder / case.name, resume=True)
    result = RunFolder.open(options.folder / case.name, "result.json").result().to_dict()
    return {
        "data": case.data,
        "held_out": list(case.held_out),
        "images": result["parity"]["images"],
        "loss": task.loss,
        "recipe": RECIPE,
        "untrained": untrained(case, options),
        "metrics": result["metrics"],
        "parity": result["parity"],
        "machine": machine(),
    }


def row(found: dict[str, Any]) -> list[str]:
    """Return one case as cells."""
    metrics = found["metrics"]
    cells = [metrics["verification"]["float"], metrics["verification"]["int8"]]
    cells += [metrics[name]["int8"] for name in ("recall_at_1", "map", "true_accepts_1e2")]
    return [
        found["data"],
        ", ".join(found["held_out"]),
        f"{found['images']:,}",
        f"{found['untrained']:.1%}",
        *(f"{share:.1%}" for share in cells),
    ]


def render(measured: list[dict[str, Any]]) -> str:
    """Return the content of docs/embedding.json as Markdown."""
    table = markdown(COLUMNS, [row(found) for found in measured])
    signs = [found for found in measured if found["data"] == "sign_digits"]
    before, base, file = (
        100 * np.mean(values)
        for values in (
            [found["untrained"] for found in signs],
            [found["metrics"]["verification"]["float"] for found in signs],
            [found["metrics"]["verification"]["int8"] for found in signs],
        )
    )
    cores, processor = measured[0]["machine"]["cores"], measured[0]["machine"]["cpu"]
    note = f"""Verification accuracy on classes that were never trained, `{NETWORK.name}`
        {NETWORK.alpha:g} at 96x96 from ImageNet weights, the recipe `{measured[0]["recipe"]}` and
        the loss `{measured[0]["loss"]}`; recall@1, mAP and TAR are
        those of the int8 file. The mean of the {len(signs)} choices of signs is {before:.1f} % for
        the untrained features, {base:.1f} % for the float network and {file:.1f} % for the int8
        file. {cores} cores, {processor}."""
    return f"{table}\n\n{paragraph(note)}"


SECTION = Section("embedding", render, "docs/embedding.md")


def main() -> None:
    """Measure, and write docs/embedding.json and docs/embedding.md after each case."""
    weights = SHARED / "weights" / "mobilenet_v2_0.35_96_no_top.h5"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--weights", type=Path, default=weights)
    parser.add_argument("--folder", type=Path, default=Path("runs") / "embedding")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    measured: list[dict[str, Any]] = []
    for case in CASES:
        measured.append(measure(case, options))
        SECTION.save(measured)


if __name__ == "__main__":
    main()
