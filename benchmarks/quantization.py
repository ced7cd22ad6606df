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
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.tables import ROOT
from mobilenet_tf.core.files import write_atomically, write_text
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import Recipe, load_recipe

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Case:
    """A network to measure: trained from random weights by the default recipe, or fine-tuned."""

    network: str
    alpha: float
    size: int
    pretrained: bool = False

    @property
    def title(self) -> str:
        origin = ", fine-tuned" if self.pretrained else ""
        return f"`{self.network}` {self.alpha:g}, {self.size}x{self.size}{origin}"

    def file(self, folder: Path, seed: int) -> Path:
        kind = "-pretrained" if self.pretrained else ""
        return folder / f"{self.network}{kind}-{seed}.json"

    def recipe(self) -> Recipe:
        return load_recipe("small_data").with_fields(FINE_TUNING if self.pretrained else {})


# From ImageNet's weights the recipe's rate is too high, and its length not needed.
FINE_TUNING = {"train.epochs": 8, "train.learning_rate": 5e-4}
# Small and narrow: the narrower a network, the less there is to average rounding errors out.
CASES = (
    Case("v1", 0.25, 64),
    Case("v2", 0.35, 64),
    Case("v3_small", 0.35, 64),
    Case("v3_small_minimalistic", 0.35, 64),
    Case("v3_large", 0.35, 64),
    Case("v3_large_minimalistic", 0.35, 64),
    Case("v2", 0.35, 96, pretrained=True),
)


def unfolded(weights: str, spec: Network, data: str, seed: int, path: Path) -> str:
    """Weights whose batch normalization was folded, with statistics again: the same function.

    The file has mean 0 and variance 1 and all else in kernel and beta. Training normalizes with
    what a batch has, which would make another function of that. The true statistics, and a gamma
    and beta that undo them, come from the training pictures.
    """
    import tf_keras as keras

    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import calibration_images
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.networks.published.weights import load_weights

    pictures = load_data(data, spec.input, seed)
    model = build_network(spec.with_classes(len(pictures.classes)))
    load_weights(model, weights)
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    probe = keras.Model(model.input, [norm.input for norm in norms])
    images = calibration_images(pictures.train, spec, 256, seed)
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
    import mobilenet_tf as mn

    place = case.file(folder / "runs", seed).with_suffix("")
    spec = make_network(case.network, case.alpha, case.size)
    start = "none"
    if case.pretrained:
        start = unfolded(weights, spec, data, seed, place.with_suffix(".keras"))
    settings = RunSettings(data=data, network=spec, recipe=case.recipe(), weights=start, seed=seed)
    run = mn.run(settings, out=place, resume=True)
    result, recipe = run.result().to_dict(), settings.recipe
    accuracy = result["accuracy"]
    return {
        "network": case.network,
        "alpha": case.alpha,
        "size": case.size,
        "pretrained": case.pretrained,
        "seed": seed,
        "float_epochs": recipe.train.epochs,
        "float_learning_rate": recipe.train.learning_rate,
        "qat_epochs": recipe.qat.epochs,
        "qat_learning_rate": recipe.qat.learning_rate,
        "test_pictures": len(run.data.test),
        "accuracy": {
            "float": accuracy["float"],
            "ptq": accuracy["ptq_int8"],
            "ours": accuracy["int8"],
        },
        "qat_accuracy": accuracy["qat"],
        "parity": result["parity"],
        "least_within_1_lsb_of_a_tensor": min(b["within_1_lsb"] for b in result["blocks"]),
        "stock": stock(run),
        "machine": result["machine"],
        "versions": result["versions"],
    }


def stock(run: Run) -> dict:
    """TFMOT's own quantization-aware training of the float network of a run.

    Returns:
        `accuracy` of its file and `parity` of its model and file; or `error`, where TFMOT
        refuses the network.
    """
    import tensorflow_model_optimization as tfmot

    from mobilenet_tf.datasets.pipeline import evaluation_batches
    from mobilenet_tf.deployment.proof.evaluate import metrics, run_all
    from mobilenet_tf.deployment.proof.parity import parity
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.runs.models import load_float
    from mobilenet_tf.training.fit import fit
    from mobilenet_tf.training.transfer import Phase

    test, preprocessing = run.data.test, run.network.input
    try:
        model = tfmot.quantization.keras.quantize_model(load_float(run.folder))
    except (RuntimeError, ValueError) as error:
        return {"error": str(error).splitlines()[0]}
    phase = Phase("stock", "Stock QAT", run.settings.recipe.qat)
    fit(model, phase, run.session(), keep_initial=True)
    file = TFLiteModel(
        convert(model, run.settings.int8.io), mean=preprocessing.mean, std=preprocessing.std
    )
    expected = model.predict(evaluation_batches(test, run.network, 64), verbose=0)
    found = run_all(file, test.images, "Verifying stock QAT")
    return {
        "accuracy": metrics(found, test.labels, run.classes)["accuracy"],
        "parity": parity(file.scores, expected, found),
    }


def one_thread() -> None:
    """The machine is shared: one thread, so that the time per network says something."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def run(folder: Path, data: str, weights: str) -> None:
    """Measure what `folder` lacks, one seed of all networks after the other."""
    import tf_keras as keras

    one_thread()
    for seed in SEEDS:
        for case in CASES:
            file = case.file(folder, seed)
            if not file.exists():
                found = measure(case, seed, folder, data, weights)
                keras.backend.clear_session()
                write_text(file, json.dumps(found, indent=1) + "\n")


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
    from benchmarks.quantization_table import write

    write(options.folder)


if __name__ == "__main__":
    main()
