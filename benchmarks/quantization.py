"""Accuracy that int8 costs: this project's training against the usual ways.

python -m benchmarks.quantization FOLDER [--data DIR] [--weights FILE] [--table]

For each network and seed, all ways start from the same float network and see the same images:
  float     the trained network
  PTQ       plain post-training quantization of it
  stock     TFMOT's `quantize_model` of it, fine-tuned with the recipe's QAT schedule
  ours      the deploy form with this project's scheme, fine-tuned with the same schedule
The seed decides the split, the initial weights and the order of the images. FOLDER stores one run
and one JSON file per network and seed; what it has is not measured again. `--table` measures
nothing and writes docs/quantization.json, plot and table from what FOLDER has.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

import mobilenet_tf as mn
from benchmarks.quantization_cases import CASES, SEEDS, Case
from benchmarks.quantization_table import publish
from benchmarks.sections import SHARED, write_measurements
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings


def unfolded(weights: str, settings: RunSettings, path: Path) -> str:
    """Write weights whose batch normalization was folded with statistics again; return the path.

    The weights file has mean 0 and variance 1 everywhere and the rest in kernel and beta. Training
    normalizes with the statistics of each batch, which would make it a different function. The
    statistics come from the training images, and gamma and beta compensate for them, so that the
    function stays the same.

    Args:
        weights: Weights file.
        settings: Settings of the run that starts with these weights.
        path: The .keras file to write.
    """
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.datasets.pipeline import calibration_images
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.networks.published.weights import load_weights

    data = load_data(settings.data, settings.network.input, settings.seed)
    network = settings.network.with_classes(len(data.classes))
    model = build_network(network)
    load_weights(model, weights, network)
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    probe = keras.Model(model.input, [norm.input for norm in norms])
    images = calibration_images(data.train, network, 256, settings.seed)
    for norm, values in zip(norms, probe.predict(images, verbose=0), strict=True):
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        true_mean, variance = values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))
        gamma, beta = scale * np.sqrt(variance + norm.epsilon), beta + (true_mean - mean) * scale
        norm.set_weights([gamma, beta, true_mean, variance])
    write_atomically(path, model.save)
    return str(path)


def measure(case: Case, settings: RunSettings, folder: Path) -> dict[str, Any]:
    """Measure all ways for one network and seed on the test images.

    Args:
        case: The network.
        settings: Settings of its run.
        folder: Folder of the run, which is continued if it exists.
    """
    run = mn.run(settings, out=folder, resume=True)
    result, recipe = run.result(), settings.recipe
    accuracy, facts = result.accuracy, result.to_dict()
    return {
        "network": case.name,
        "alpha": case.alpha,
        "size": case.size,
        "pretrained": case.pretrained,
        "seed": settings.seed,
        "float_epochs": recipe.train.epochs,
        "float_learning_rate": recipe.train.learning_rate,
        "qat_epochs": recipe.qat.epochs,
        "qat_learning_rate": recipe.qat.learning_rate,
        "test_pictures": result.data.test,
        "accuracy": {
            "float": accuracy.float,
            "ptq": accuracy.ptq_int8,
            "ours": accuracy.int8,
        },
        "qat_accuracy": accuracy.qat,
        "parity": facts["parity"],
        "least_within_1_lsb_of_a_tensor": min(block.within_1_lsb for block in result.blocks),
        "stock": stock(run),
        "machine": facts["machine"],
        "versions": facts["versions"],
    }


def stock(run: Run) -> dict[str, Any]:
    """Quantize the float network of a run with TFMOT's own quantization-aware training.

    Returns:
        `accuracy` of its file and `parity` of its model and file; or `error`, if TFMOT does not
        support the network.
    """
    import tensorflow_model_optimization as tfmot

    from mobilenet_tf.datasets.pipeline import evaluation_batches
    from mobilenet_tf.deployment.proof.evaluate import run_all
    from mobilenet_tf.deployment.proof.parity import parity
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.runs.models import load_float
    from mobilenet_tf.training.fit import fit
    from mobilenet_tf.training.transfer import Phase

    test, network, settings = run.data.test, run.network, run.settings
    try:
        model = tfmot.quantization.keras.quantize_model(load_float(run.folder))
    except (RuntimeError, ValueError) as error:
        return {"error": str(error).splitlines()[0]}
    phase = Phase("stock", "Stock QAT", settings.recipe.qat)
    fit(model, phase, run.session(), keep_initial=True)
    content = convert(model, settings.int8.io)
    file = TFLiteModel(content, mean=network.input.mean, std=network.input.std)
    learned = run.task.objective(network)
    expected = model.predict(evaluation_batches(test, network.input, learned, 64), verbose=0)
    found = run_all(file, test.images, "Verifying stock QAT")
    scores = file.output.dequantize(found)
    return {
        "accuracy": run.task.metrics(scores, test.labels, run.classes, "Stock QAT")["accuracy"],
        "parity": parity(run.task, file.scores, expected, found),
    }


def one_thread() -> None:
    """Make TensorFlow use one thread, because the machine is shared."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def measure_missing(folder: Path, data: str, weights: str, seeds: Sequence[int] = SEEDS) -> None:
    """Measure what a folder does not have yet, all networks of a seed before the next seed."""
    one_thread()
    for seed in seeds:
        for case in CASES:
            file, place = case.file(folder, seed), case.run_folder(folder, seed)
            if file.exists():
                continue
            settings = RunSettings(data=data, network=case.network, recipe=case.recipe, seed=seed)
            if case.pretrained:
                start = unfolded(weights, settings, place.with_suffix(".keras"))
                settings = replace(settings, weights=start)
            write_measurements(file, measure(case, settings, place))
            keras.backend.clear_session()


def collect(folder: Path) -> list[dict[str, Any]]:
    """Return the results that a folder has, in the order of cases and seeds."""
    files = [case.file(folder, seed) for case in CASES for seed in SEEDS]
    rows = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    for row in rows:
        if "accuracy" in row["stock"]:
            row["accuracy"]["stock"] = row["stock"]["accuracy"]
    return rows


def main() -> None:
    """Measure what is missing, and write docs/quantization.json and what is rendered from it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of results and runs")
    parser.add_argument("--data", default=str(SHARED / "data" / "sign_digits"))
    parser.add_argument(
        "--weights", default=str(SHARED / "weights" / "mobilenet_v2_0.35_96_no_top.h5")
    )
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if not options.table:
        measure_missing(options.folder, options.data, options.weights)
    publish(collect(options.folder))


if __name__ == "__main__":
    main()
