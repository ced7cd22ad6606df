"""What trained classifiers become without training: two tables in docs/pretrained.md.

python -m benchmarks.pretrained [published] [tried] [--shared FOLDER]

`published`: ImageNet classifiers, calibrated on photos of clothing and compared with float on their
test pictures. `tried`: models as other people write them, with random weights, read and converted
by the functions that `export` calls in its child process.
"""

import argparse
import importlib
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.foreign_cases import CASES, UNSCALED
from benchmarks.sections import SHARED, Section, markdown
from mobilenet_tf import InputSpec, ModelData, Pretrained, UserError, export
from mobilenet_tf.commands.calibration_data import read_pictures
from mobilenet_tf.commands.foreign_model import off_ties
from mobilenet_tf.commands.foreign_quantize import quantize_foreign
from mobilenet_tf.commands.post_training import CALIBRATION, COMPARED
from mobilenet_tf.core.records import to_plain
from mobilenet_tf.core.terminal import console
from mobilenet_tf.deployment.proof.rounding import compare_files, sqnr
from mobilenet_tf.deployment.proof.verify import Forms, real_outputs, verify
from mobilenet_tf.deployment.tflite.convert import convert, convert_float
from mobilenet_tf.deployment.tflite.facts import file_facts
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.foreign import KERAS_3, open_foreign

PAGE = "docs/pretrained.md"
Row = dict[str, Any]
Rows = list[Row]
PUBLISHED = (
    Pretrained("v1", 0.25, 128, "mobilenet_v1_0.25_128.h5"),
    Pretrained("v2", 1.0, 224, "mobilenet_v2_1.0_224.h5"),
)


def measure_published(shared: Path) -> Iterator[Row]:
    """Calibrate ImageNet classifiers by name, and as models of somebody else."""
    pictures = shared / "data" / "clothing"
    for one in PUBLISHED:
        weights = shared / "weights" / str(one.weights)
        named = Pretrained(one.name, one.alpha, one.size, weights)
        with tempfile.TemporaryDirectory() as place:
            model = Path(place) / "model.keras"
            _application(one, weights).save(model)
            network = f"{one.name} {one.alpha:g}, {one.size}"
            for form, what, data in (
                ("`--model`", named, ModelData(pictures)),
                ("`.keras` file", model, ModelData(pictures, *UNSCALED, crop=0.875)),
            ):
                out = Path(place) / form.strip("`.").replace(" ", "_")
                result = RunFolder(export(what, data=data, out=out).folder).result()
                yield {
                    "network": network,
                    "form": form,
                    "parity": to_plain(result.parity),
                    "worst_sqnr_db": min(block.sqnr_db or 0.0 for block in result.blocks),
                    "bytes": result.tflite.bytes,
                }
            yield {"network": network, "form": "TensorFlow's converter", **_plain(model, data)}


def _plain(path: Path, data: ModelData) -> Row:
    """Return what TensorFlow's converter makes of a model, calibrated as `export` does it."""
    model = open_foreign(path).load_classifier()
    spec = InputSpec(tuple(model.input_shape[1:3]), 3, *UNSCALED, crop=data.crop or 1.0)
    dataset = read_pictures(str(data.data), None, model.output_shape[1], spec, data.seed)
    images = spec.normalise(dataset.train.sample(CALIBRATION, data.seed, spec).images)
    content = add_metadata(
        convert(model, "uint8", images), name="", description="", labels=(), input_spec=spec
    )
    forms = Forms(content=content, float_outputs=partial(real_outputs, model))
    rows = compare_files(convert_float(model), content, dataset.test.images[:COMPARED], spec)
    return {
        "parity": verify(forms, dataset.test, (), spec, data.seed).sections["parity"],
        "worst_sqnr_db": min(row["sqnr_db"] for row in rows),
        "bytes": len(content),
    }


def _application(one: Pretrained, weights: Path) -> Any:
    kind = {"v1": "MobileNet", "v2": "MobileNetV2"}[one.name]
    make = getattr(tf_keras.applications, kind)
    model = make((one.size, one.size, 3), alpha=one.alpha, weights=None)
    model.load_weights(weights)
    return model


def measure_tried(shared: Path) -> Iterator[Row]:
    """Read and convert every model of `CASES`."""
    libraries = {"tf_keras": tf_keras, "Keras 3": importlib.import_module(KERAS_3)}
    for title, library, suffix, normalisation, make in CASES:
        with tempfile.TemporaryDirectory() as place:
            path, keras = Path(place) / f"model{suffix}", libraries[library]
            keras.utils.set_random_seed(4)
            try:
                settled(make(keras), normalisation).save(path)
                found = converted(path, normalisation)
            except UserError as error:
                found = {"refused": str(error).replace(f"{place}/", "")}
        yield {"model": title, "library": library, "suffix": suffix, **found}
        tf_keras.backend.clear_session()


def settled(model: Any, normalisation: tuple[float, float]) -> Any:
    """Give batch normalization the statistics of real pictures, as trained networks have them."""
    shape = model.inputs[0].shape
    if len(model.inputs) == 1 and None not in shape[1:]:
        for layer in model._flatten_layers():
            if hasattr(layer, "moving_mean"):
                layer.momentum = 0.0
        images = InputSpec(tuple(shape[1:3]), 3, *normalisation).normalise(photos(shape))
        for _ in range(3):
            model(images[: shape[0]], training=True)
    return model


def photos(shape: Any) -> np.ndarray:
    """Return parts of scikit-learn's photos as uint8 pictures of a shape (N, h, w, c)."""
    parts = [
        Image.fromarray(photo[top : top + 200, left : left + 200]).resize((shape[2], shape[1]))
        for photo in load_sample_images().images
        for top in range(0, 200, 60)
        for left in range(0, 400, 60)
    ]
    return np.stack([np.asarray(part) for part in parts])


def converted(path: Path, normalisation: tuple[float, float]) -> dict[str, Any]:
    """Read and convert a model; return its noise and the facts of the file."""
    model = open_foreign(path, keras_3=True).load_classifier()
    spec = InputSpec(tuple(model.input_shape[1:3]), 3, *normalisation)
    pixels = photos(model.input_shape)
    images = spec.normalise(pixels)
    quantized = quantize_foreign(model, "uint8", off_ties(pixels, spec), spec)
    content = quantized.content
    file, plain = (
        TFLiteModel(one, trusted=True, mean=spec.mean, std=spec.std)
        for one in (content, convert(model, "uint8", images))
    )
    scores = np.asarray(model(images, training=False))
    facts = file_facts(content)
    return {
        "sqnr_db": sqnr(scores, file.run(pixels)),
        "converter_db": sqnr(scores, plain.run(pixels)),
        "reason": quantized.reason,
        **{key: facts[key] for key in ("bytes", "float_tensors", "partitions")},
    }


def published_table(rows: Rows) -> str:
    """Return the rows of `measure_published` as Markdown."""
    cells = [
        (
            row["network"],
            row["form"],
            f"{row['parity']['top1_agreement']:.1%}",
            f"{row['parity']['top5_agreement']:.1%}",
            f"{row['parity']['mean_lsb']:.3f}",
            row["parity"]["max_lsb"],
            f"{row['worst_sqnr_db']:.1f}",
            f"{row['bytes']:,}",
        )
        for row in rows
    ]
    proof = ("same class", "in first five", "LSB, mean", "largest", "worst tensor, dB", "bytes")
    table = markdown(("network", "given as", *proof), cells)
    return f"{table}\n\nOn {rows[0]['parity']['images']} test pictures."


def tried_table(rows: Rows) -> str:
    """Return the rows of `measure_tried` as Markdown, those that are refused below."""
    found = [row for row in rows if "refused" not in row]
    cells = [
        (
            row["model"],
            _saved_by(row),
            f"{row['sqnr_db']:.1f}",
            f"{row['converter_db']:.1f}",
            "TensorFlow" if row["reason"] else "mobilenet_tf",
            row["float_tensors"],
            row["partitions"],
            f"{row['bytes']:,}",
        )
        for row in found
    ]
    columns = (
        "scores, dB",
        "by TensorFlow's converter, dB",
        "quantized by",
        "float tensors",
        "XNNPACK partitions",
        "bytes",
    )
    table = markdown(("model", "saved by", *columns), cells)
    refused = [
        f"- {row['model']} ({_saved_by(row)}): {row['refused']}" for row in rows if row not in found
    ]
    if not refused:
        return table
    return "\n".join([table, "", "Refused, with these sentences:", "", *refused])


def _saved_by(row: dict[str, Any]) -> str:
    return f"{row['library']}, `{row['suffix']}`"


SECTIONS = (
    Section("published", published_table, PAGE, "pretrained"),
    Section("tried", tried_table, PAGE, "foreign"),
)
MEASURES = {"published": measure_published, "tried": measure_tried}


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*MEASURES, []], default=list(MEASURES))
    parser.add_argument("--shared", type=Path, default=SHARED)
    given = parser.parse_args()
    for section in SECTIONS:
        rows: Rows = []  # the table grows with every model that is measured
        for row in MEASURES[section.name](given.shared) if section.name in given.parts else ():
            console.print(row)
            section.save([*rows, row])
            rows.append(row)


if __name__ == "__main__":
    main()
