"""What each method of post-training quantization is worth, alone and together.

python -m benchmarks.post_training FOLDER [--data DIR] [--weights DIR] [--networks ...] [--table]

`clothing` is V2 0.35, fine-tuned and quantized with training by the recipe `transfer`; it is
compared in accuracy. `v1` and `v2` have ImageNet weights, of whose classes the pictures show few;
they are compared in agreement with their float networks. Validation images decide what becomes the
default, test images are reported. FOLDER stores a run and one JSON file per row; what it has is not
measured again. `--table` measures nothing.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

import mobilenet_tf as mn
from benchmarks.sections import SHARED, Section, markdown, paragraph, write_measurements
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe

CALIBRATION = 200  # training images
PLAIN = PostTraining(
    ranges="extremes", equalize=False, limits=False, rounding="nearest", correct_bias=False
)
# The first three answer most questions, and are measured first.
WAYS = {
    "none": PLAIN,
    "together (default)": PostTraining(),
    "together, with equalization": PostTraining(equalize=True),
    "ranges: percentile": replace(PLAIN, ranges="percentile"),
    "ranges: least squares": replace(PLAIN, ranges="least_squares"),
    "equalization": replace(PLAIN, equalize=True),
    "limits of kernels": replace(PLAIN, limits=True),
    "rounding: GPTQ": replace(PLAIN, rounding="gptq"),
    "rounding: AdaRound": replace(PLAIN, rounding="adaround"),
    "bias correction": replace(PLAIN, correct_bias=True),
    "together, least squares": PostTraining(ranges="least_squares"),
    "together, AdaRound": PostTraining(rounding="adaround"),
}
SCALES = {"channel": True, "tensor": False}
WEIGHTS = {
    "clothing": "mobilenet_v2_0.35_96_no_top.h5",
    "v1": "mobilenet_v1_0.25_128.h5",
    "v2": "mobilenet_v2_1.0_224.h5",
}
_IMAGENET = {"v1": (0.25, 128), "v2": (1.0, 224)}
_TITLES = {
    "clothing": "`v2` 0.35, 96x96, fine-tuned: accuracy",
    "v1": "`v1` 0.25, 128x128, ImageNet: agreement with float",
    "v2": "`v2` 1.0, 224x224, ImageNet: agreement with float",
}
Score = Callable[[np.ndarray], float]  # class probabilities -> accuracy or agreement
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to quantize.

    Attributes:
        model: Its float form.
        network: The network.
        calibration: Normalised training images.
        parts: "validation", "test" -> normalised images and the score of their probabilities.
        reference: Known scores on the test images: float, and after QAT.
    """

    model: keras.Model
    network: Network
    calibration: np.ndarray
    parts: dict[str, tuple[np.ndarray, Score]]
    reference: dict[str, float]


def fine_tuned(data: str, weights: str, folder: Path) -> Subject:
    """Open the run `clothing` of a folder, or make it."""
    from mobilenet_tf.runs.models import load_float

    place = folder / "clothing"
    settings = RunSettings(
        data=data,
        network=make_network("v2", 0.35, 96),
        recipe=load_recipe("transfer"),
        weights=weights,
    )
    done = (place / "report.html").exists()  # what `run` writes last
    run = Run.open(place) if done else mn.run(settings, out=place, resume=True)
    accuracy = run.result().accuracy
    known = {"float": accuracy.float, "QAT": accuracy.int8}

    def right(labels: np.ndarray) -> Score:
        return lambda found: float((found.argmax(1) == labels).mean())

    spec = run.network.input
    return Subject(
        load_float(run.folder),
        run.network,
        spec.normalise(run.data.train.sample(CALIBRATION, 0, spec).images),
        {
            name: (spec.normalise(part.images), right(part.labels))
            for name, part in (("validation", run.data.validation), ("test", run.data.test))
        },
        {name: share for name, share in known.items() if share is not None},
    )


def pretrained(name: str, data: str, weights: str) -> Subject:
    """Read a network with ImageNet weights, to be compared with its own decisions."""
    from mobilenet_tf.datasets.load import load_data
    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.networks.published.weights import load_weights

    network = make_network(name, *_IMAGENET[name], 1000)
    spec = replace(network.input, crop=0.875)
    model = build_network(network)
    load_weights(model, weights, network)
    dataset = load_data(data, spec, 0)
    parts = {}
    for part, split in (("validation", dataset.validation), ("test", dataset.test)):
        images = spec.normalise(split.images)
        parts[part] = images, _agreement(probabilities(model, images))
    calibration = spec.normalise(dataset.train.sample(CALIBRATION, 0, spec).images)
    return Subject(model, network, calibration, parts, {})


def _agreement(exact: np.ndarray) -> Score:
    return lambda found: float((found.argmax(1) == exact.argmax(1)).mean())


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return a network's outputs."""
    return np.asarray(model.predict(images, batch_size=31, verbose=0))


def measure(subject: Subject, settings: PostTraining, per_channel: bool) -> Row:
    """Quantize a network in one way and return its scores, and the seconds of this process."""
    from mobilenet_tf.compression.deploy import deploy_form
    from mobilenet_tf.compression.post_training.quantize import quantize_after_training

    started = time.process_time()
    model = quantize_after_training(
        deploy_form(subject.model),
        subject.calibration,
        subject.network.input,
        per_channel,
        settings,
    )
    seconds = round(time.process_time() - started)
    scores = {
        part: score(probabilities(model, images)) for part, (images, score) in subject.parts.items()
    }
    return {**scores, "seconds": seconds}


def measure_missing(folder: Path, names: list[str], data: str, weights: Path) -> None:
    """Measure what a folder does not have yet."""
    for name in names:
        files = {
            (way, scale): folder / f"{name}-{scale}-{number:02}.json"
            for number, way in enumerate(WAYS)
            for scale in SCALES
        }
        if all(file.exists() for file in files.values()):
            continue
        start = str(weights / WEIGHTS[name])
        if name in _IMAGENET:
            subject = pretrained(name, data, start)
        else:
            subject = fine_tuned(data, start, folder)
        for (way, scale), file in files.items():
            if not file.exists():
                row = measure(subject, WAYS[way], SCALES[scale])
                facts = {"network": name, "scale": scale, "way": way, **subject.reference}
                write_measurements(file, facts | row)


def collect(folder: Path) -> list[Row]:
    """Return the rows that a folder has."""
    files = sorted(folder.glob("*-*-*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def render(rows: list[Row]) -> str:
    """Return the content of docs/post_training.json as Markdown."""
    tables = [
        _table(name, [row for row in rows if row["network"] == name])
        for name in _TITLES
        if any(row["network"] == name for row in rows)
    ]
    return "\n\n".join([*tables, paragraph(_means(rows))])


def _means(rows: list[Row]) -> str:
    """Return the methods by their mean over what all have been measured on."""
    scores = {way: [row["validation"] for row in rows if row["way"] == way] for way in WAYS}
    most = max(map(len, scores.values()))
    means = {way: sum(own) / most for way, own in scores.items() if len(own) == most}
    ordered = sorted(means, key=lambda way: -means[way])
    listed = "; ".join(f"{way} {_percent(means[way])}" for way in ordered)
    return f"Means of the {most} validation columns: {listed}."


def _table(name: str, rows: list[Row]) -> str:
    found = {(row["way"], row["scale"]): row for row in rows}
    lines = [
        (
            way,
            *(
                _percent(found.get((way, scale), {}).get(part))
                for scale in SCALES
                for part in ("validation", "test")
            ),
            found.get((way, "channel"), {}).get("seconds", "-"),
        )
        for way in WAYS
        if any((way, scale) in found for scale in SCALES)
    ]
    columns = [
        *(f"one scale per {scale}, {part}" for scale in SCALES for part in ("validation", "test")),
        "CPU seconds",
    ]
    known = ", ".join(f"{x} {_percent(rows[0][x])}" for x in ("float", "QAT") if x in rows[0])
    title = f"{_TITLES[name]}, %{f'; on the test images {known}' if known else ''}."
    return f"{paragraph(title)}\n\n{markdown(('method', *columns), lines)}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


SECTION = Section("post_training", render, document="docs/quantization.md")


def main() -> None:
    """Measure what is missing, and write docs/post_training.json and what is rendered from it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of results and the run")
    parser.add_argument("--data", default=str(SHARED / "data" / "clothing"))
    parser.add_argument("--weights", type=Path, default=SHARED / "weights")
    parser.add_argument("--networks", nargs="+", choices=list(_TITLES), default=list(_TITLES))
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if not options.table:
        measure_missing(options.folder, options.networks, options.data, options.weights)
    SECTION.save(collect(options.folder))


if __name__ == "__main__":
    main()
