"""How much accuracy int8 costs: this project's training against the usual ways.

python -m benchmarks.quantization FOLDER [--data DIR] [--weights FILE] [--table]

For each network and seed, from one and the same float network and the same pictures:
  float     the trained network
  PTQ       plain post-training quantization of it
  stock     TFMOT's `quantize_model` of it, fine-tuned by the recipe's QAT schedule
  ours      the deploy form with this project's scheme, fine-tuned by the same schedule
The seed decides the split, the first weights, and the order of the pictures. FOLDER keeps a run
folder and one JSON per network and seed; what is there is not measured again. `--table` measures
nothing and writes docs/quantization.json, its plot and the table from what FOLDER has.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.tables import ROOT, markdown, replace_section
from mobilenet_tf.job import Job, begin
from mobilenet_tf.models.spec import ModelSpec
from mobilenet_tf.models.zoo import model_spec
from mobilenet_tf.run_folder import write_atomically, write_text
from mobilenet_tf.training.recipe import Recipe, load_recipe

DOCS = ROOT / "docs"
SEEDS = (0, 1, 2)
WAYS = {"float": "float", "ptq": "PTQ", "stock": "stock TFMOT QAT", "ours": "ours"}
DROP, LSB = 0.3, 0.995  # what is to be reached: points against float, share within 1 LSB


@dataclass(frozen=True)
class Case:
    """A network to measure, and how its float training departs from the default recipe.

    `pretrained` starts from ImageNet's weights, for which the recipe's rate is too high.
    """

    network: str
    alpha: float
    size: int
    epochs: int
    pretrained: bool = False

    @property
    def title(self) -> str:
        origin = ", fine-tuned" if self.pretrained else ""
        return f"`{self.network}` {self.alpha:g}, {self.size}x{self.size}{origin}"

    def file(self, folder: Path, seed: int) -> Path:
        kind = "-pretrained" if self.pretrained else ""
        return folder / f"{self.network}{kind}-{seed}.json"

    def recipe(self) -> Recipe:
        recipe = load_recipe("small_data").override(epochs=self.epochs, qat_epochs=QAT_EPOCHS)
        if self.pretrained:
            recipe = replace(recipe, train=replace(recipe.train, learning_rate=FINE_TUNING_RATE))
        return recipe


# Small and narrow: the narrower a network, the less there is to average rounding errors out.
QAT_EPOCHS, FINE_TUNING_RATE = 4, 5e-4
CASES = (
    Case("v1", 0.25, 64, 25),
    Case("v2", 0.35, 64, 25),
    Case("v3_small", 0.35, 64, 25),
    Case("v3_small_minimalistic", 0.35, 64, 25),
    Case("v3_large", 0.35, 64, 25),
    Case("v3_large_minimalistic", 0.35, 64, 25),
    Case("v2", 0.35, 96, 8, pretrained=True),
)


def unfolded(weights: str, spec: ModelSpec, data: str, seed: int, path: Path) -> str:
    """Weights whose batch normalization was folded, with statistics again: the same function.

    The file has mean 0 and variance 1 and all else in kernel and beta. Training normalizes with
    what a batch has, which would make another function of that. The true statistics, and a gamma
    and beta that undo them, come from the training pictures.
    """
    import tf_keras as keras

    from mobilenet_tf.data.load import load_data
    from mobilenet_tf.data.pipeline import calibration_pictures
    from mobilenet_tf.models.build import build_from_spec
    from mobilenet_tf.models.weights import load_weights

    pictures = load_data(data, spec, seed)
    model = build_from_spec(spec.with_classes(len(pictures.classes)))
    load_weights(model, weights)
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    probe = keras.Model(model.input, [norm.input for norm in norms])
    images = calibration_pictures(pictures.train, spec, 256, seed)
    for norm, values in zip(norms, probe.predict(images, verbose=0), strict=True):
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        true_mean, variance = values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))
        gamma, beta = scale * np.sqrt(variance + norm.epsilon), beta + (true_mean - mean) * scale
        norm.set_weights([gamma, beta, true_mean, variance])
    write_atomically(path, model.save)
    return str(path)


def measure(case: Case, seed: int, folder: Path, data: str, weights: str) -> dict:
    """All ways of one network under one seed, on the test pictures."""
    from export.tflite import export
    from export.verify import verify
    from mobilenet_tf.quantization.quantize import quantize
    from mobilenet_tf.training.train import train

    place = case.file(folder / "runs", seed).with_suffix("")
    spec = model_spec(case.network, case.alpha, case.size)
    start = "none"
    if case.pretrained:
        start = unfolded(weights, spec, data, seed, place.with_suffix(".keras"))
    job = begin(place, data, spec, case.recipe(), start, seed, resume=True)
    for stage in (train, quantize, export):
        stage(job)
    result = verify(job)
    accuracy = result["accuracy"]
    return {
        "network": case.network,
        "alpha": case.alpha,
        "size": case.size,
        "pretrained": case.pretrained,
        "seed": seed,
        "float_epochs": case.epochs,
        "qat_epochs": QAT_EPOCHS,
        "qat_learning_rate": job.recipe.qat.learning_rate,
        "test_pictures": len(job.data.test),
        "accuracy": {
            "float": accuracy["float"],
            "ptq": accuracy["ptq_int8"],
            "ours": accuracy["int8"],
        },
        "qat_accuracy": accuracy["qat"],
        "parity": result["parity"],
        "least_within_1_lsb_of_a_tensor": min(b["within_1_lsb"] for b in result["blocks"]),
        "stock": stock(job),
        "machine": result["machine"],
        "versions": result["versions"],
    }


def stock(job: Job) -> dict:
    """TFMOT's own quantization-aware training of the float network of a run.

    Returns:
        `accuracy` of its file and `parity` of its model and file; or `error`, where TFMOT
        refuses the network.
    """
    import tensorflow_model_optimization as tfmot

    from export.evaluate import figures, run_all
    from export.runtime import TFLiteModel
    from export.tflite import convert
    from export.verify import parity
    from mobilenet_tf.data.pipeline import evaluation_batches
    from mobilenet_tf.quantization.quantize import load_float
    from mobilenet_tf.training.fit import fit

    test, preprocessing = job.data.test, job.spec.preprocessing
    try:
        model = tfmot.quantization.keras.quantize_model(load_float(job))
    except (RuntimeError, ValueError) as error:
        return {"error": str(error).splitlines()[0]}
    fit(
        model,
        job.data,
        job.spec,
        job.recipe.qat,
        job.recipe.batch,
        job.seed,
        job.run.checkpoints / "stock.npz",
        "Stock QAT",
    )
    file = TFLiteModel(convert(model, job.int8.io), mean=preprocessing.mean, std=preprocessing.std)
    expected = model.predict(evaluation_batches(test, job.spec, 64), verbose=0)
    found = run_all(file, test.pictures, "Verifying stock QAT")
    return {
        "accuracy": figures(found, test.labels, job.classes)["accuracy"],
        "parity": parity(file.scores, expected, found),
    }


def run(folder: Path, data: str, weights: str) -> None:
    """Measure what `folder` lacks, one seed of all networks after the other."""
    import tensorflow as tf
    import tf_keras as keras

    # The machine is shared: one thread, so that the time per network says something.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for seed in SEEDS:
        for case in CASES:
            file = case.file(folder, seed)
            if not file.exists():
                found = measure(case, seed, folder, data, weights)
                keras.backend.clear_session()
                write_text(file, json.dumps(found, indent=1) + "\n")


def collect(folder: Path) -> dict[Case, list[dict]]:
    """The results that are there, by network."""
    found = {}
    for case in CASES:
        files = [case.file(folder, seed) for seed in SEEDS]
        rows = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
        for row in rows:
            if "accuracy" in row["stock"]:
                row["accuracy"]["stock"] = row["stock"]["accuracy"]
        if rows:
            found[case] = rows
    return found


def spread(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (of a sample; 0 for one), of shares, in points."""
    points = 100 * np.array(values)
    return float(points.mean()), float(points.std(ddof=1)) if len(points) > 1 else 0.0


def shares(rows: list[dict], way: str) -> list[float]:
    """Accuracy of one way for each seed; empty where it did not work."""
    return [row["accuracy"][way] for row in rows if way in row["accuracy"]]


def gains(rows: list[dict], way: str) -> list[float]:
    """Accuracy of ours less that of another way, seed by seed."""
    return [
        row["accuracy"]["ours"] - row["accuracy"][way] for row in rows if way in row["accuracy"]
    ]


def table(found: dict[Case, list[dict]]) -> str:
    """Accuracy, differences and agreement as Markdown."""
    columns = (
        "network", "seeds", *WAYS.values(), "ours - float", "ours - PTQ", "ours - stock",
        "within 1 LSB: ours", "stock",
    )  # fmt: skip

    def cell(values: list[float], sign: str = "") -> str:
        return "{:{sign}.2f} ± {:.2f}".format(*spread(values), sign=sign) if values else "-"

    lines = []
    for case, rows in found.items():
        accuracy = [cell(shares(rows, way)) for way in WAYS]
        if not shares(rows, "stock"):
            accuracy[list(WAYS).index("stock")] = rows[0]["stock"]["error"]
        agreement = [row["parity"]["within_1_lsb"] for row in rows]
        theirs = [row["stock"]["parity"]["within_1_lsb"] for row in rows if shares([row], "stock")]
        lines.append(
            (
                case.title,
                len(rows),
                *accuracy,
                *(cell(gains(rows, way), "+") for way in ("float", "ptq", "stock")),
                f"{min(agreement):.2%}",
                f"{min(theirs):.2%}" if theirs else "-",
            )
        )
    return markdown(columns, lines)


def text(found: dict[Case, list[dict]]) -> str:
    """The section of docs/benchmarks.md."""
    every = [row for rows in found.values() for row in rows]
    one, machine = every[0], every[0]["machine"]
    pictures = one["test_pictures"]
    mean, deviation = spread(gains(every, "float"))
    per_network = {case.title: spread(gains(rows, "float"))[0] for case, rows in found.items()}
    worst = min(per_network, key=per_network.get)
    below = [
        f"{case.title} below {WAYS[way]}"
        for way in ("ptq", "stock")
        for case, rows in found.items()
        if gains(rows, way) and sum(spread(gains(rows, way))) < 0
    ]
    lsb = min(row["parity"]["within_1_lsb"] for row in every)
    inside = min(row["least_within_1_lsb_of_a_tensor"] for row in every)

    def held(truth: bool) -> str:
        return "reached" if truth else "**not reached**"

    return f"""{table(found)}

Per cent of the test pictures, mean ± standard deviation over the seeds; differences are taken
seed by seed. Each seed has a split, first weights and an order of pictures of its own. One
picture of {pictures} is {100 / pictures:.2f} points of a single run and, with {len(SEEDS)} seeds,
{100 / pictures / len(SEEDS):.2f} points of a mean: smaller differences do not exist here, and those
of a few pictures say little. {", ".join(f"{c.title} {c.epochs}" for c in found)} float epochs;
then {QAT_EPOCHS} epochs of QAT at a learning rate of {one["qat_learning_rate"]:g}, the same for
stock and ours. {machine["cpu"]}, TensorFlow {one["versions"]["tensorflow"]}, TFMOT
{one["versions"]["tfmot"]}, LiteRT {one["versions"]["litert"]}.

- To reach: a mean drop against float of at most {DROP} points. Over all {len(every)} runs ours
  changes {mean:+.2f} ± {deviation:.2f}: {held(mean >= -DROP)}; the worst network is {worst} with
  {per_network[worst]:+.2f}.
- To reach: never below PTQ or stock QAT beyond the spread:
  {held(not below)}{": " + "; ".join(below) if below else ""}.
- To reach: the outputs of QAT and of its file within 1 LSB for at least {LSB:.1%} of values. The
  worst run has {lsb:.2%}, the worst tensor inside of a network {inside:.2%}: {held(lsb >= LSB)}.

![accuracy against float](quantization.png)"""


def plot(found: dict[Case, list[dict]], path: Path) -> None:
    """What each way to int8 gains or loses against its own float network."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.75 * len(found) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for offset, (way, colour) in enumerate(
        {"ptq": "tab:grey", "stock": "tab:orange", "ours": "tab:blue"}.items()
    ):
        for row, rows in enumerate(found.values()):
            losses = [
                100 * (r["accuracy"][way] - r["accuracy"]["float"])
                for r in rows
                if way in r["accuracy"]
            ]
            place = row + 0.22 * (offset - 1)
            label = WAYS[way] if row == 0 else None
            if losses:
                axes.plot(losses, [place] * len(losses), "o", color=colour, alpha=0.45, ms=4)
                axes.plot([np.mean(losses)], [place], "D", color=colour, ms=7, label=label)
            else:
                axes.text(0.05, place, "does not work", color=colour, va="center", fontsize=8)
    axes.axvline(0, color="black", lw=0.8)
    axes.axvline(-DROP, color="black", lw=0.8, ls=":")
    axes.set_yticks(range(len(found)), [case.title.replace("`", "") for case in found])
    axes.invert_yaxis()
    axes.set_xlabel("points against float; small: a seed, large: their mean; dotted: to reach")
    axes.legend(loc="lower left")
    figure.savefig(path, dpi=100)


def write(folder: Path) -> None:
    """docs/quantization.json, docs/quantization.png and the section of docs/benchmarks.md."""
    found = collect(folder)
    every = [row for rows in found.values() for row in rows]
    write_text(DOCS / "quantization.json", json.dumps(every, indent=1) + "\n")
    plot(found, DOCS / "quantization.png")
    replace_section(DOCS / "benchmarks.md", "quantization", text(found))


def main() -> None:
    """Measure what is missing and write."""
    shared = ROOT.parent / "shared"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="of results and runs")
    parser.add_argument("--data", default=str(shared / "data" / "sign_digits"))
    parser.add_argument(
        "--weights", default=str(shared / "weights" / "mobilenet_v2_0.35_96_no_top.h5")
    )
    parser.add_argument("--table", action="store_true", help="write what is there")
    options = parser.parse_args()
    if not options.table:
        run(options.folder, options.data, options.weights)
    write(options.folder)


if __name__ == "__main__":
    main()
