"""Accuracy against flash of pruned and clustered networks: the curve in docs/compression.md.

python -m benchmarks.compression_curve [--data DIR] [--seeds N] [--folder DIR] [--epochs N]
    [--networks v1,v2] [--table]

The pictures of DIR are split again, 60 % for training and 25 % for testing. Every network is
trained once per seed; its int8 forms start from that. Controls are the same networks with smaller
alphas, as they are: what a smaller network reaches in the same flash. Flash is the file for
TensorFlow Lite Micro and, where kernels are encoded, the code of the decoders. Work that was
interrupted continues.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.core.files import write_json
from mobilenet_tf.core.system import machine
from mobilenet_tf.deployment.report.comparison_tables import points
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.trial import trial_run
from mobilenet_tf.selection.bootstrap import Bootstrap, Correct

SIZE, RECIPE, EPOCHS = 96, "small_data", 60
# Network -> the alpha that is compressed, and those of the controls.
NETWORKS = {
    "v1": (0.25, (0.2, 0.15, 0.1)),
    "v2": (0.35, (0.25, 0.15, 0.1)),
    "v3_small": (0.35, (0.25, 0.15, 0.1)),
}
PLAIN = "plain"
# Title -> fields of the recipe; `qat` comes last in each.
FORMS: dict[str, dict[str, Any]] = {
    PLAIN: {"compress": "qat"},
    **{
        f"{count} values": {"compress": "cluster,qat", "cluster.values": count}
        for count in (64, 32, 16, 8)
    },
    **{
        f"{share:.0%} zeros": {"compress": "prune,qat", "prune.sparsity": share}
        for share in (0.5, 0.75, 0.9)
    },
    "16 values, 75% zeros": {
        "compress": "prune,cluster,qat",
        "cluster.values": 16,
        "prune.sparsity": 0.75,
    },
    **{
        f"{count} vectors of {length}": {
            "compress": "pq,qat",
            "pq.vectors": count,
            "pq.length": length,
        }
        for count, length in ((64, 2), (256, 4), (64, 4))
    },
    **{f"hashed 1/{ratio}": {"compress": "hash,qat", "hash.ratio": ratio} for ratio in (2, 4)},
    "4 bits": {"compress": "int4,qat"},
    "4 bits, 75% zeros": {"compress": "prune,int4,qat", "prune.sparsity": 0.75},
}
COLUMNS = ("network", "weights", "flash, bytes", "accuracy", "vs. plain", "vs. smaller alpha")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train all networks and return the content of docs/compression_curve.json."""
    data, rows = split_of(options), []
    for name in options.networks.split(","):
        alpha, smaller = NETWORKS[name]
        forms = [(alpha, form) for form in FORMS] + [(one, PLAIN) for one in smaller]
        found = {
            key: [_measured(options, data, name, *key, seed) for seed in range(options.seeds)]
            for key in forms
        }
        rows += _rows(name, alpha, found)
    return {
        "data": options.data.name,
        "seeds": options.seeds,
        "epochs": options.epochs,
        "rows": rows,
        "machine": machine(),
    }


def _rows(name: str, alpha: float, found: dict[Any, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return a row per form of a network and per control.

    A form is compared with the widest control that takes no more flash.
    """
    outcomes: dict[Any, list[Correct]] = {
        key: [run["correct"] for run in runs] for key, runs in found.items()
    }
    bootstrap = Bootstrap(outcomes)
    flash = {key: sum(run["flash"] for run in runs) // len(runs) for key, runs in found.items()}
    plain = [key for key in found if key[1] == PLAIN]
    rows = []
    for key in found:
        fitting = [one for one in plain if flash[one] <= flash[key] and one != key]
        control = max(fitting, default=None) if key[1] != PLAIN else None
        of_plain = key[1] != PLAIN
        rows.append(
            {
                "network": name,
                "alpha": key[0],
                "weights": key[1],
                "flash": flash[key],
                "accuracy": bootstrap.accuracy(key).to_dict(),
                "difference": bootstrap.difference(key, (alpha, PLAIN)).to_dict()
                if of_plain
                else None,
                "control": control and control[0],
                "to_control": bootstrap.difference(key, control).to_dict() if control else None,
            }
        )
    return rows


def _measured(
    options: argparse.Namespace, data: Path, name: str, alpha: float, form: str, seed: int
) -> dict[str, Any]:
    """Return flash, and which test pictures the int8 file classifies correctly."""
    folder = options.folder / f"{name}_{alpha:g}_{seed}"
    kept = folder.with_name(f"{folder.name}_{list(FORMS).index(form)}.json")
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return known
    settings = mn.RunSettings(
        data=str(data),
        network=make_network(name, alpha, SIZE),
        recipe=mn.load_recipe(RECIPE).with_fields({"train.epochs": options.epochs}),
        seed=seed,
    )
    if not (folder / "float.keras").exists():
        with trial_run(settings, folder) as run:
            from mobilenet_tf.runs.train import train

            train(run)
    quantized = mn.quantize(folder, fields=_fields(form, options.epochs), overwrite=True)
    found = _judged(quantized)
    write_json(kept, found)
    print(json.dumps({"run": kept.stem, "form": form, "flash": found["flash"]}), flush=True)
    return found


def _fields(form: str, epochs: int) -> dict[str, Any]:
    """Return the fields of a form; a short try has short stages too."""
    stages = FORMS[form]["compress"].split(",")
    short = {f"{stage}.epochs": 1 for stage in stages} if epochs < EPOCHS else {}
    return {**FORMS[form], **short}


def _judged(run: Run) -> dict[str, Any]:
    from mobilenet_tf.deployment.devices.mcu.form import McuForm
    from mobilenet_tf.deployment.proof.evaluate import run_all
    from mobilenet_tf.deployment.tflite.compressed.compress import AUTO, INTERPRETER
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.runs.models import load_qat

    model, test, spec = load_qat(run.folder), run.data.test, run.network.input
    file = TFLiteModel(convert(model, "float32"), threads=2, mean=spec.mean, std=spec.std)
    predicted = file.real(run_all(file, test.images, "Testing")).argmax(axis=1)
    small = McuForm(convert(model, "int8"), AUTO)
    decoders = INTERPRETER.code if small.small is not small.plain else 0
    correct = (predicted == test.labels).tolist()
    return {
        "flash": len(small.small) + decoders,
        "correct": dict(zip(test.names, correct, strict=True)),
    }


def _points(interval: dict[str, float] | None) -> str:
    return "" if interval is None else points(interval)


def render(measured: dict[str, Any]) -> str:
    """Return the content of docs/compression_curve.json as Markdown."""
    cells = [
        (
            f"{row['network']} {row['alpha']:g}",
            row["weights"],
            f"{row['flash']:,}",
            f"{row['accuracy']['mean']:.1%}",
            _points(row["difference"]),
            _points(row["to_control"]) + (f" ({row['control']:g})" if row["control"] else ""),
        )
        for row in measured["rows"]
    ]
    here = measured["machine"]
    note = f"""{SIZE}x{SIZE} pixels, {measured["epochs"]} epochs of the recipe `{RECIPE}` from
        random weights, then the stages of the recipe, on {measured["data"]} with
        {measured["seeds"]} seeds. Flash is the file for TensorFlow Lite Micro, with the code of the
        decoders where kernels are encoded. Differences are in points, with 95 % intervals of a
        paired bootstrap over images and seeds: from the same network with plain weights, and from
        the widest plain one, of the alpha in brackets, that takes no more flash.
        {here["cores"]} cores, {here["cpu"]}."""
    return f"{markdown(COLUMNS, cells)}\n\n{paragraph(note)}"


SECTION = Section("compression_curve", render, "docs/compression.md")


def main() -> None:
    """Measure, and write docs/compression_curve.json and docs/compression.md."""
    parser = options_of(__doc__, "compression_curve")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of float training")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    options = parser.parse_args()
    if options.table:
        SECTION.write()
    else:
        SECTION.save(measure(options))


if __name__ == "__main__":
    main()
