"""Embeddings of classes that were never trained: the table in docs/embedding.md.

python -m benchmarks.embedding [--data DIR] [--weights FILE] [--folder DIR] [--table]

DIR has the folders sign_digits and clothing, FILE is a weights file of V2 0.35 at 96x96 without
classifier. In each case some classes are kept for testing. How the network is trained is chosen
among `WAYS` without them: each way is tried with some of the other classes held out in turn. What
was finished stays in the folder; an interrupted program goes on after it. `--table` measures
nothing and renders the table again.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sections import ROOT, Section, markdown, paragraph
from mobilenet_tf.commands.run import run
from mobilenet_tf.core.system import machine
from mobilenet_tf.core.terminal import console
from mobilenet_tf.datasets.sources.listing import list_dataset
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.trial import trial_run
from mobilenet_tf.tasks.embedding.task import Embedding
from mobilenet_tf.training.recipe import load_recipe

NETWORK = make_network("v2", 0.35, 96)
EPOCHS, QAT_EPOCHS = 12, 2
COLUMNS = (
    *("data", "never trained", "images", "trained by", "ImageNet features"),
    *("float", "int8", "recall@1", "mAP", "TAR at FAR 1 %"),
)


@dataclass(frozen=True)
class Case:
    """Classes that are never trained.

    Attributes:
        data: Folder of the images.
        held_out: The classes.
        inner: Those of the others that are held out while the way of training is chosen.
    """

    data: str
    held_out: tuple[str, ...]
    inner: tuple[str, ...]

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.data}_{'_'.join(self.held_out)}"


@dataclass(frozen=True)
class Way:
    """A way of training: a loss and a recipe."""

    loss: str
    recipe: str


CASES = (
    Case("sign_digits", ("7", "8", "9"), ("4", "5", "6")),
    Case("sign_digits", ("4", "5", "6"), ("1", "2", "3")),
    Case("sign_digits", ("1", "2", "3"), ("7", "8", "9")),
    Case("clothing", ("dress", "shorts", "t-shirt"), ("longsleeve", "pants", "shoes")),
)
WAYS = (
    Way("cosface", "embedding"),
    Way("triplets", "embedding"),
    Way("cosface", "transfer"),
)


def without(source: Path, held_out: tuple[str, ...], out: Path) -> Path:
    """Link all images but those of some classes into a folder; return it."""
    classes, files, _ = list_dataset(source.resolve())
    for file in files:
        if classes[file.label] in held_out:
            continue
        link = out / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to((source / file.name).resolve())
    return out


def settings_of(data: Path, held_out: tuple[str, ...], way: Way, weights: Path) -> RunSettings:
    """Return the settings of a training."""
    fields = {
        "train.epochs": EPOCHS,
        "qat.epochs": QAT_EPOCHS,
        "train.label_smoothing": 0.0,
        "qat.label_smoothing": 0.0,
        "batch": 64,
    }
    return RunSettings(
        data=str(data),
        network=NETWORK,
        task=Embedding(loss=way.loss, held_out=held_out),
        recipe=load_recipe(way.recipe).with_fields(fields),
        weights=str(weights),
    )


def tried(case: Case, way: Way, options: argparse.Namespace) -> float:
    """Return the verification accuracy on the inner classes after training the others."""
    from mobilenet_tf.deployment.proof.verify import real_outputs
    from mobilenet_tf.runs.train import train

    folder = options.folder / case.name
    data = without(options.data / case.data, case.held_out, folder / "others")
    settings = settings_of(data, case.inner, way, options.weights)
    with trial_run(settings, folder / f"{way.loss}_{way.recipe}") as trial:
        test = trial.data.test
        outputs = real_outputs(train(trial), test.images, trial.network.input)
        found = trial.task.metrics(outputs, test.labels, trial.classes)
    return float(found["verification"])


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
    """Choose a way of training, train by it, and return what docs/embedding.json has of a case."""
    folder = options.folder / case.name
    notes = folder / "tried.json"
    scores = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}
    for way in WAYS:
        name = f"{way.loss}, {way.recipe}"
        if name not in scores:
            scores[name] = tried(case, way, options)
            notes.write_text(json.dumps(scores), encoding="utf-8")
            console.print(case.name, name, scores[name])
    best = max(WAYS, key=lambda way: scores[f"{way.loss}, {way.recipe}"])
    settings = settings_of(options.data / case.data, case.held_out, best, options.weights)
    run(settings, out=folder / "run", resume=True)
    result = RunFolder.open(folder / "run", "result.json").result().to_dict()
    return {
        "data": case.data,
        "held_out": list(case.held_out),
        "images": result["parity"]["images"],
        "tried": scores,
        "loss": best.loss,
        "recipe": best.recipe,
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
        f"{found['loss']}, `{found['recipe']}`",
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
        {NETWORK.alpha:g} at 96x96 from ImageNet weights, {EPOCHS} epochs; recall@1, mAP and TAR are
        those of the int8 file. The mean of the {len(signs)} choices of signs is {before:.1f} % for
        the untrained features, {base:.1f} % for the float network and {file:.1f} % for the int8
        file. The loss and the recipe of each row were chosen by other classes than those that are
        never trained. {cores} cores, {processor}."""
    return f"{table}\n\n{paragraph(note)}"


SECTION = Section("embedding", render, "docs/embedding.md")


def main() -> None:
    """Measure, and write docs/embedding.json and docs/embedding.md after each case."""
    shared = ROOT.parent / "shared"
    weights = shared / "weights" / "mobilenet_v2_0.35_96_no_top.h5"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=shared / "data")
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
