"""How quantization-aware training should start, and how fast it should learn.

python -m benchmarks.quantization_sweep FOLDER

FOLDER is that of `benchmarks.quantization`. Its float networks are quantized again, with one
setting of the recipe changed at a time, and evaluated on the validation images, because the test
images must not influence what is chosen. FOLDER stores one JSON file per network and seed.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

from benchmarks.quantization import one_thread
from benchmarks.quantization_cases import CASES, SEEDS
from benchmarks.sections import Section, markdown, paragraph, write_measurements
from mobilenet_tf.compression.calibration import RangeRule, extremes
from mobilenet_tf.compression.post_training.ranges import least_squares, percentile
from mobilenet_tf.runs.run import Run
from mobilenet_tf.training.recipe import Recipe, Stage

NETWORKS = {
    case.name: case
    for case in CASES
    if case.name in ("v2", "v3_small", "v3_large") and not case.pretrained
}
RATES = (1e-4, 3e-4)
LENGTHS = (2, 8)
TEACHING = (0.7, 1.0)  # weight of the teacher in the loss


@dataclass(frozen=True)
class Setting:
    """One way to quantize.

    Attributes:
        stage: Settings of quantization-aware training.
        range_rule: Rule of the tensors' ranges.
        taught: Whether the float network teaches the quantized one.
    """

    stage: Stage
    range_rule: RangeRule = extremes
    taught: bool = False


def settings(recipe: Recipe) -> dict[str, Setting]:
    """Return the settings to try by name: the recipe, then with one change at a time."""
    stage = recipe.qat
    found = {
        "the recipe": Setting(stage),
        "ranges: percentile": Setting(stage, percentile),
        "ranges: least squares": Setting(stage, least_squares),
    }
    for rate in RATES:
        found[f"rate: {rate:g}"] = Setting(replace(stage, learning_rate=rate))
    strong = replace(stage, augmentation=recipe.train.augmentation)
    found["augmentation: that of float training"] = Setting(strong)
    for epochs in LENGTHS:
        found[f"epochs: {epochs}"] = Setting(replace(stage, epochs=epochs))
    for weight in TEACHING:
        distillation = replace(stage.distillation, weight=weight)
        taught = Setting(replace(stage, distillation=distillation), taught=True)
        found[f"self-distillation: {weight:g}"] = taught
    return found


def measure(run: Run, name: str, setting: Setting) -> dict[str, float]:
    """Quantize the float network of a run in one way.

    Returns:
        The metrics on the validation images, with the best weights of all epochs.
    """
    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.datasets.pipeline import calibration_images, evaluation_batches
    from mobilenet_tf.runs.models import load_float
    from mobilenet_tf.training.distillation import as_teacher
    from mobilenet_tf.training.fit import fit
    from mobilenet_tf.training.learner import make_learner
    from mobilenet_tf.training.transfer import Phase

    network, recipe, seed = run.network, run.settings.recipe, run.settings.seed
    images = calibration_images(run.data.train, network, recipe.calibration, seed)
    original = load_float(run.folder)
    objective = run.task.objective(network)
    teacher = None
    if setting.taught:
        teacher = as_teacher(original, network, objective, network.input, "float.keras")
    model = quantize_aware(
        deploy_form(original), images, network.input, range_rule=setting.range_rule
    )
    phase = Phase(f"sweep-{name}", name, setting.stage)
    fit(model, phase, run.session(), teacher=teacher, keep_initial=True)
    learner = make_learner(model, objective, setting.stage, 1)
    validation = evaluation_batches(run.data.validation, network.input, objective, 64)
    metrics = learner.evaluate(validation, return_dict=True, verbose=0)
    return {f"val_{key}": value for key, value in metrics.items()}


def measure_missing(run: Run, file: Path) -> None:
    """Measure the settings that a JSON file does not have yet."""
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name, setting in settings(run.settings.recipe).items():
        if name not in found:
            found[name] = measure(run, name, setting)
            keras.backend.clear_session()
            write_measurements(file, found)


def collect(folder: Path) -> list[dict[str, Any]]:
    """Return the results that a folder has, in the order of networks and seeds."""
    files = [
        (name, case.file(folder / "sweep", seed))
        for name, case in NETWORKS.items()
        for seed in SEEDS
    ]
    return [
        {"network": name, "settings": json.loads(file.read_text(encoding="utf-8"))}
        for name, file in files
        if file.exists()
    ]


def render(rows: list[dict[str, Any]]) -> str:
    """Return the content of docs/quantization_sweep.json as Markdown."""
    names = list(dict.fromkeys(name for row in rows for name in row["settings"]))
    lines = [_cells(network, name, names[0], rows) for name in names for network in NETWORKS]
    columns = (
        "setting", "network", "seeds", "accuracy, %", "loss", "difference in loss",
        "spread of the difference",
    )  # fmt: skip
    note = """Measured on the validation images with the best weights of all epochs. The first lines
        have the settings of the recipe, the others change one of them; the difference is that from
        the recipe's loss, and its spread is the largest minus the smallest over the seeds. With
        self-distillation, the float network teaches the quantized one; the number is the teacher's
        weight in the loss. A difference of one or two images in accuracy is not significant."""
    return f"{markdown(columns, [line for line in lines if line])}\n\n{paragraph(note)}"


def _cells(
    network: str, name: str, base: str, rows: list[dict[str, Any]]
) -> tuple[object, ...] | None:
    """One line of the table, or None if the setting was not tried on the network."""
    found = [row["settings"] for row in rows if row["network"] == network]
    found = [settings for settings in found if name in settings]
    if not found:
        return None
    loss = np.array([one[name]["val_loss"] for one in found])
    difference = loss - [one[base]["val_loss"] for one in found]
    accuracy = np.array([100 * one[name]["val_accuracy"] for one in found])
    spread = f"{np.ptp(difference):.4f}" if len(found) > 1 else "-"
    cells = f"{accuracy.mean():.2f}", f"{loss.mean():.4f}", f"{difference.mean():+.4f}", spread
    title = name.replace("taught by itself", "self-distillation")  # its name in older results
    return title, NETWORKS[network].title, len(found), *cells


SECTION = Section("quantization_sweep", render)


def main() -> None:
    """Measure what is missing, and write docs/quantization_sweep.json and its section."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of benchmarks.quantization")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="none: only write")
    options = parser.parse_args()
    one_thread()
    for seed in options.seeds:
        for case in NETWORKS.values():
            run = Run.open(case.run_folder(options.folder, seed), "float.keras")
            measure_missing(run, case.file(options.folder / "sweep", seed))
    SECTION.save(collect(options.folder))


if __name__ == "__main__":
    main()
