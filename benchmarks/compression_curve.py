"""Accuracy against flash of pruned and clustered networks: the tables in docs/compression.md.

python -m benchmarks.compression_curve [--data DIR] [--seeds N] [--folder DIR] [--epochs N]
    [--networks NAME...] [--two-classes] [--table]

The pictures of DIR are split again, 60 % for training and 25 % for testing. Every network is
trained once per seed; its int8 forms start from that. Controls are the same networks with smaller
alphas, as they are: what a smaller network reaches in the same flash. All are trained for the same
number of epochs. With --two-classes, the classes are those of `GROUPS`. The documents have each
file as soon as it is measured, and what they have is not measured again.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mobilenet_tf as mn
from benchmarks.compression_page import CURVE, DEEP, GOAL, NPU, PLAIN, SECTIONS, TWO_CLASSES, packed
from benchmarks.resplit import grouped, options_of, split_of
from benchmarks.sections import Section
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.system import machine
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.trial import trial_run

if TYPE_CHECKING:
    from mobilenet_tf.deployment.tflite.compressed.layout import Part

SIZE, RECIPE, EPOCHS = 96, "small_data", 60
# Network -> the alpha that is compressed, and those of the controls.
NETWORKS = {
    "v1": (0.25, (0.2, 0.15, 0.1)),
    "v2": (0.35, (0.25, 0.15, 0.1)),
    "v3_small": (0.35, (0.25, 0.15, 0.1)),
}
# Stands for the classes in two groups: what is worn above the waist, and what is not.
GROUPS = (
    ("dress", "longsleeve", "outwear", "shirt", "t-shirt"),
    ("hat", "pants", "shoes", "shorts", "skirt"),
)
# Epochs from the float network to the file: of all stages together, and of `qat` after others.
EPOCHS_TO_INT8, QAT_EPOCHS = 26, 6
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
    "16 values, 75% zeros, depthwise too": {
        "compress": "prune,cluster,qat",
        "cluster.values": 16,
        "prune.sparsity": 0.75,
        "cluster.depthwise": True,
        "cluster.smallest": 1,
        "prune.depthwise": True,
        "prune.smallest": 1,
    },
    # A size that is meant for two classes.
    "by sensitivity": {"compress": "prune,cluster,qat", "max_flash": GOAL["bytes"]},
}
# Only plain C decodes what these stages make.
_ONLY_C = ("pq", "hash")
TWO_CLASS_FORMS = (
    PLAIN,
    "64 values",
    "16 values",
    "8 values",
    "50% zeros",
    "75% zeros",
    "90% zeros",
    "16 values, 75% zeros",
    "4 bits",
    "by sensitivity",
)


def measure(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Train networks, and yield the content of docs/compression_curve.json after each file."""
    data = split_of(options)
    if options.two_classes:
        data = grouped(data, GROUPS, data.with_name(f"{data.name}_in_groups"))
    about = {
        "data": options.data.name,
        "size": SIZE,
        "recipe": RECIPE,
        "epochs": options.epochs,
        "epochs_to_int8": EPOCHS_TO_INT8,
        "groups": [list(group) for group in GROUPS] if options.two_classes else [],
    }
    own: list[dict[str, Any]] = []

    def known() -> list[dict[str, Any]]:
        return own if options.dry else _earlier(section_of(options), about)

    for key in _wanted(options):
        if not any(key.items() <= run.items() for run in known()):
            found = key | _measured(options, data, **key)
            # Read once more: another process may have measured another network meanwhile.
            own = [*known(), found]
            yield about | {"runs": own, "machine": machine()}


def _wanted(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the network, alpha, form and seed of every file."""
    forms = [form for form in FORMS if "max_flash" not in FORMS[form]]
    if options.two_classes:
        forms = list(TWO_CLASS_FORMS)
    for name in options.networks:
        alpha, smaller = NETWORKS[name]
        for seed in range(options.seeds):
            for width, form in [(alpha, one) for one in forms] + [(one, PLAIN) for one in smaller]:
                yield {"network": name, "alpha": width, "weights": form, "seed": seed}


def _earlier(section: Section, about: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was measured earlier.

    Raises:
        UserError: It was measured with other settings.
    """
    content: dict[str, Any] = section.content()
    if content and not about.items() <= content.items():
        raise UserError(f"{section.file} has other settings; replace it by {{}} to measure anew.")
    found: list[dict[str, Any]] = content.get("runs", [])
    return found


def _measured(
    options: argparse.Namespace, data: Path, network: str, alpha: float, weights: str, seed: int
) -> dict[str, Any]:
    """Return flash, and which test pictures the int8 file classifies correctly."""
    folder = options.folder / data.name / f"{network}_{alpha:g}_{seed}"
    settings = mn.RunSettings(
        data=str(data),
        network=make_network(network, alpha, SIZE),
        recipe=mn.load_recipe(RECIPE).with_fields({"train.epochs": options.epochs}),
        seed=seed,
    )
    if not (folder / "float.keras").exists():
        with trial_run(settings, folder) as run:
            from mobilenet_tf.runs.train import train

            train(run)
    fields = _fields(weights, options.epochs)
    stages = fields["compress"].split(",")
    quantized = mn.quantize(folder, fields=fields, overwrite=True)
    found = _judged(quantized, four_bits="int4" in stages) | {
        "device": "c" if set(_ONLY_C) & set(stages) else "mcu"
    }
    shown = {key: found[key] for key in ("device", "mcu_flash", "c_flash", "arena", "bits")}
    print(json.dumps({"run": folder.name, "form": weights, **shown}), flush=True)
    return found


def _fields(form: str, epochs: int) -> dict[str, Any]:
    """Return the fields of a form; a short try has short stages too."""
    *before, qat = FORMS[form]["compress"].split(",")
    left = EPOCHS_TO_INT8 - QAT_EPOCHS
    lengths = {stage: left // len(before) for stage in before}
    lengths[qat] = QAT_EPOCHS if before else EPOCHS_TO_INT8
    if epochs < EPOCHS:
        lengths = dict.fromkeys(lengths, 1)
    # A run keeps the fields of its last form.
    return {"max_flash": 0} | FORMS[form] | {f"{one}.epochs": own for one, own in lengths.items()}


def _judged(run: Run, *, four_bits: bool) -> dict[str, Any]:
    """Return sizes and correct pictures; kernels of 4 bits are also tried without a decoder."""
    from mobilenet_tf.deployment.devices.c.folder import CForm
    from mobilenet_tf.deployment.devices.ethos_u import compile_npu
    from mobilenet_tf.deployment.devices.mcu.form import McuForm
    from mobilenet_tf.deployment.proof.evaluate import run_all
    from mobilenet_tf.deployment.tflite.compressed.codecs import C_CODECS
    from mobilenet_tf.deployment.tflite.compressed.compress import AUTO, INTERPRETER
    from mobilenet_tf.deployment.tflite.compressed.decode_operator import kernels_of
    from mobilenet_tf.deployment.tflite.convert import convert
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
    from mobilenet_tf.deployment.tflite.kernels import INT4
    from mobilenet_tf.deployment.tflite.parse import parse_model
    from mobilenet_tf.runs.models import load_qat

    model, test, spec = load_qat(run.folder), run.data.test, run.network.input
    file = TFLiteModel(convert(model, "float32"), threads=2, mean=spec.mean, std=spec.std)
    predicted = file.real(run_all(file, test.images, "Testing")).argmax(axis=1)
    converted = convert(model, "int8")
    kernels = [(values, layout) for _, _, values, layout in kernels_of(parse_model(converted))]
    correct = predicted == test.labels
    stores = (AUTO, INT4) if four_bits else (AUTO,)
    forms = {store: McuForm(converted, store) for store in stores}
    flash = {
        store: len(form.small) + INTERPRETER.code * (store == AUTO and form.small != form.plain)
        for store, form in forms.items()
    }
    stored = min(flash, key=lambda store: flash[store])
    small = forms[stored]
    compiled, estimate = compile_npu(converted, NPU)
    return {
        "stored": stored,
        "bytes": len(small.small),
        "mcu_flash": flash[stored],
        "c_flash": min(CForm(converted, store).flash for store in stores),
        "arena": small.arena.needed,
        "activations": small.arena.activations,
        "npu_bytes": len(compiled),
        "npu_cycles": estimate["cycles"],
        "bits": {"plain": 8.0} | {codec: _bits(kernels, codec) for codec in C_CODECS},
        "images": len(test),
        "correct": packed(correct),
    }


def _bits(kernels: "Sequence[Part]", codec: str) -> float:
    """Return the mean bits per weight of kernels, each stored by a codec or as it is."""
    from mobilenet_tf.deployment.tflite.compressed.codecs import best_encoding, bytes_of

    found = [(best_encoding([kernel], (codec,)), kernel[1].bytes) for kernel in kernels]
    stored = sum(bytes_of(best[1]) if best else plain for best, plain in found)
    return 8 * stored / sum(values.size for values, _ in kernels)


def section_of(options: argparse.Namespace) -> Section:
    """Return the section that is measured."""
    return TWO_CLASSES if options.two_classes else CURVE


def main() -> None:
    """Measure, and write docs/compression_curve.json or docs/two_classes.json, and the tables."""
    parser = options_of(__doc__ or "", "compression_curve")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of float training")
    parser.add_argument("--networks", choices=NETWORKS, nargs="+", default=tuple(NETWORKS))
    parser.add_argument("--two-classes", action="store_true")
    parser.add_argument("--dry", action="store_true", help="leave the documents as they are")
    options = parser.parse_args()
    if options.table:
        for section in SECTIONS:
            section.write()
        return
    found: dict[str, Any] = {}
    for found in measure(options):
        if not options.dry:
            section_of(options).save(found)
            DEEP.write()
    if options.dry and found:
        print(section_of(options).render(found))


if __name__ == "__main__":
    main()
