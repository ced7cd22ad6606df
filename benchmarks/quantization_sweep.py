"""What quantization-aware training should start from, and how fast it should learn.

python -m benchmarks.quantization_sweep FOLDER

FOLDER is that of `benchmarks.quantization`, whose float networks are quantized again, with one
number of the recipe changed at a time. Validation pictures judge: the test pictures must not have
a say in what is chosen. One JSON per network and seed is kept in FOLDER.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.quantization import CASES, SEEDS, Case
from benchmarks.tables import ROOT, markdown, replace_section
from mobilenet_tf.job import Job
from mobilenet_tf.run_folder import write_text

NETWORKS = ("v2", "v3_small")
RATES = (3e-5, 1e-4, 3e-4, 1e-3)
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


def settings(job: Job) -> dict[str, tuple]:
    """What is tried: name -> (rule of ranges, schedule)."""
    from mobilenet_tf.quantization.calibration import extremes

    schedule = job.recipe.qat
    rules = {"extremes": extremes, "percentile": percentile, "least squares": least_squares}
    tried = {f"ranges: {name}": (rule, schedule) for name, rule in rules.items()}
    for rate in RATES:
        if rate != schedule.learning_rate:  # that one is the first of the rules
            tried[f"rate: {rate:g}"] = (extremes, replace(schedule, learning_rate=rate))
    return tried


def try_out(case: Case, seed: int, folder: Path) -> None:
    """Quantize one float network in every way; keep the best epoch's validation figures."""
    import tf_keras as keras

    from mobilenet_tf.data.pipeline import calibration_pictures
    from mobilenet_tf.quantization.deploy import deploy_form
    from mobilenet_tf.quantization.qat import quantize_aware
    from mobilenet_tf.quantization.quantize import load_float
    from mobilenet_tf.training.fit import fit

    file = case.file(folder / "sweep", seed)
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    job = Job.open(case.file(folder / "runs", seed).with_suffix(""), "float.keras")
    pictures = calibration_pictures(job.data.train, job.spec, job.recipe.calibration, job.seed)
    for name, (rule, schedule) in settings(job).items():
        if name in found:
            continue
        deployed = deploy_form(load_float(job))
        model = quantize_aware(deployed, pictures, job.spec.preprocessing, ends=rule)
        state = job.run.checkpoints / f"sweep-{name}.npz"
        history, _ = fit(
            model, job.data, job.spec, schedule, job.recipe.batch, job.seed, state, name
        )
        best = int(np.argmin(history["val_loss"]))
        found[name] = {key: history[key][best] for key in ("val_loss", "val_accuracy")}
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
            lines.append((name, case.title, len(own), *cells, f"{np.ptp(gain):.4f}"))
    columns = (
        "changed", "network", "seeds", "accuracy, %", "loss", "loss against the first",
        "its spread",
    )  # fmt: skip
    text = f"""{markdown(columns, lines)}

Validation pictures; the epoch with the lowest loss. The first lines are what the recipe has. The
spread is that of the differences over the seeds, largest less smallest."""
    replace_section(ROOT / "docs" / "benchmarks.md", "quantization_sweep", text)


def main() -> None:
    """Try what is missing and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="of benchmarks.quantization")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    for seed in options.seeds:
        for case in CASES:
            if case.network in NETWORKS and not case.pretrained:
                try_out(case, seed, options.folder)
    write(options.folder)


if __name__ == "__main__":
    main()
