"""What quantization-aware training should start from, and how fast it should learn.

python -m benchmarks.quantization_sweep FOLDER

FOLDER is that of `benchmarks.quantization`, whose float networks are quantized again, with one
number of the recipe changed at a time. Validation pictures judge: the test pictures must not have
a say in what is chosen. One JSON per network and seed is kept in FOLDER.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.quantization import CASES, SEEDS, Case, one_thread
from benchmarks.tables import ROOT, markdown, replace_section
from mobilenet_tf.compression.calibration import extremes
from mobilenet_tf.core.files import write_text
from mobilenet_tf.runs.run import Run
from mobilenet_tf.training.recipe import Recipe, Stage

NETWORKS = ("v2", "v3_small", "v3_large")
RATES = (1e-4, 3e-4)
LENGTHS = (2, 8)
TEACHING = (0.7, 1.0)  # the teacher's weight in the loss
_VALUES = 20_000  # of a tensor, to judge a range with


def percentile(values: np.ndarray) -> tuple[float, float]:
    """All but one value of 10,000 at either end."""
    return tuple(np.percentile(values, (0.01, 99.99)))


def least_squares(values: np.ndarray) -> tuple[float, float]:
    """The part of the whole range whose 256 steps leave the least squared error."""
    values = values.ravel()[:: max(1, values.size // _VALUES)]
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)

    def error(share: float) -> float:
        step = max(high - low, 1e-6) * share / 255
        rounded = np.clip(np.rint(values / step) * step, low * share, high * share)
        return float(np.square(rounded - values).mean())

    share = min(np.linspace(0.4, 1.0, 25), key=error)
    return low * share, high * share


@dataclass(frozen=True)
class Setting:
    """One way to quantize.

    Attributes:
        stage: of quantization-aware training.
        ends: the rule of the ranges.
        taught: whether the float network teaches its quantized twin.
    """

    stage: Stage
    ends: Callable[[np.ndarray], tuple[float, float]] = extremes
    taught: bool = False


def settings(recipe: Recipe) -> dict[str, Setting]:
    """What is tried, by name: quantization as it is, then with one thing changed."""
    stage = recipe.qat
    tried = {"the recipe": Setting(stage)}
    tried["ranges: percentile"] = Setting(stage, percentile)
    tried["ranges: least squares"] = Setting(stage, least_squares)
    for rate in RATES:
        tried[f"rate: {rate:g}"] = Setting(replace(stage, learning_rate=rate))
    strong = replace(stage, augmentation=recipe.train.augmentation)
    tried["augmentation: that of float training"] = Setting(strong)
    for epochs in LENGTHS:
        tried[f"epochs: {epochs}"] = Setting(replace(stage, epochs=epochs))
    for weight in TEACHING:
        numbers = replace(stage.distillation, weight=weight)
        tried[f"taught by itself: {weight:g}"] = Setting(
            replace(stage, distillation=numbers), taught=True
        )
    return tried


def try_out(case: Case, seed: int, folder: Path) -> None:
    """Quantize one float network in every way; keep the validation figures of the best weights."""
    import tf_keras as keras

    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.qat import quantize_aware
    from mobilenet_tf.datasets.pipeline import calibration_images, evaluation_batches
    from mobilenet_tf.runs.models import load_float
    from mobilenet_tf.training.distillation import as_teacher
    from mobilenet_tf.training.fit import fit
    from mobilenet_tf.training.learner import make_learner
    from mobilenet_tf.training.transfer import Phase

    file = case.file(folder / "sweep", seed)
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    run = Run.open(case.file(folder / "runs", seed).with_suffix(""), "float.keras")
    network, recipe = run.network, run.settings.recipe
    preprocessing = network.input
    pictures = calibration_images(run.data.train, network, recipe.calibration, run.settings.seed)
    for name, setting in settings(recipe).items():
        if name in found:
            continue
        original = load_float(run.folder)
        teacher = None
        if setting.taught:
            teacher = as_teacher(original, network, preprocessing, "float.keras")
        model = quantize_aware(
            deploy_form(original), pictures, preprocessing, range_rule=setting.ends
        )
        phase = Phase(f"sweep-{name}", name, setting.stage)
        fit(model, phase, run.session(), teacher=teacher, keep_initial=True)
        learner = make_learner(model, setting.stage, 1)
        validation = evaluation_batches(run.data.validation, network, 64)
        figures = learner.evaluate(validation, return_dict=True, verbose=0)
        found[name] = {f"val_{key}": value for key, value in figures.items()}
        keras.backend.clear_session()
        write_text(file, json.dumps(found, indent=1) + "\n")


def write(folder: Path) -> None:
    """docs/quantization_sweep.json and the section of docs/benchmarks.md."""
    cases = [case for case in CASES if case.network in NETWORKS and not case.pretrained]
    rows = []
    for case in cases:
        for file in (case.file(folder / "sweep", seed) for seed in SEEDS):
            if file.exists():
                rows.append((case, json.loads(file.read_text(encoding="utf-8"))))
    kept = [{"network": case.network, "settings": found} for case, found in rows]
    write_text(ROOT / "docs" / "quantization_sweep.json", json.dumps(kept, indent=1) + "\n")
    names = dict.fromkeys(name for _, found in rows for name in found)
    base = next(iter(names))
    lines = []
    for name in names:
        for case in cases:
            own = [found for other, found in rows if other == case and name in found]
            if not own:
                continue
            loss = np.array([found[name]["val_loss"] for found in own])
            gain = loss - [found[base]["val_loss"] for found in own]
            right = np.array([100 * found[name]["val_accuracy"] for found in own])
            cells = f"{right.mean():.2f}", f"{loss.mean():.4f}", f"{gain.mean():+.4f}"
            around = f"{np.ptp(gain):.4f}" if len(own) > 1 else "-"
            lines.append((name, case.title, len(own), *cells, around))
    columns = (
        "changed", "network", "seeds", "accuracy, %", "loss", "loss against the first",
        "its spread",
    )  # fmt: skip
    text = f"""{markdown(columns, lines)}

Validation pictures, with the weights that are kept. The first lines are what the recipe has, and
each setting below is tried in its place. "Taught by itself" is self-distillation: the float network
teaches its quantized twin, with that weight in the loss. The spread is that of the differences over
the seeds, largest less smallest; with one seed there is none, and a difference of one or two
pictures of accuracy says nothing."""
    replace_section(ROOT / "docs" / "benchmarks.md", "quantization_sweep", text)


def main() -> None:
    """Try what is missing and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="of benchmarks.quantization")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS, help="none: only write")
    options = parser.parse_args()
    one_thread()
    for seed in options.seeds:
        for case in CASES:
            if case.network in NETWORKS and not case.pretrained:
                try_out(case, seed, options.folder)
    write(options.folder)


if __name__ == "__main__":
    main()
