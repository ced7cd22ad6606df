"""Models as other people write them: each becomes an int8 file, or one sentence says why not."""

import numpy as np
import pytest
import tf_keras
from PIL import Image

from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.dataset import rescale
from mobilenet_tf.deployment.proof.evaluate import model_input
from mobilenet_tf.deployment.proof.rounding import compare_files, sqnr
from mobilenet_tf.deployment.tflite.convert import convert, convert_float
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.runs.foreign import open_foreign
from tests.commands import foreign_kinds as kinds

pytestmark = pytest.mark.xdist_group("foreign model")


def read(path):
    """The model as the child process reads it, and its preprocessing."""
    model = open_foreign(path, keras_3=True).load_classifier()
    mean, std = (0.0, 1.0) if path.stem in kinds.RAW else (127.5, 127.5)
    return model, InputSpec(tuple(model.input_shape[1:3]), 3, mean, std)


def named(*cases):
    return pytest.mark.parametrize("kind", cases, ids=lambda kind: kind.__name__)


@named(kinds.oblong, kinds.batch, kinds.preprocessing, kinds.nested)
def test_it_becomes_a_file_that_agrees(kind, tmp_path, pictures):
    model, spec = read(kinds.saved(kind, tf_keras, tmp_path))
    pixels = rescale(pictures, spec)
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 255
    images = spec.normalise(pixels)
    bare = convert(model, "uint8", images)
    content = add_metadata(bare, name="", description="", labels=(), input_spec=spec)
    file = TFLiteModel(content, trusted=True)
    assert model_input(file).size == spec.size
    scores = np.asarray(model(images, training=False))
    assert sqnr(scores, file.run(pixels)) > 15
    rows = compare_files(convert_float(model), content, pixels[:4], spec)
    assert len(rows) >= 4  # the input, convolutions, mean, classifier
    assert min(row["sqnr_db"] for row in rows) > 15


@named(*kinds.KINDS)
def test_models_of_keras_3_compute_what_they_computed(kind, tmp_path, pictures):
    keras = kinds.keras_3()
    suffix = ".h5" if kind in (kinds.plain, kinds.nested) else ".keras"
    path = kinds.saved(kind, keras, tmp_path, suffix)
    model, spec = read(path)
    images = spec.normalise(rescale(pictures[:8], spec))
    expected = np.asarray(keras.models.load_model(path, compile=False)(images, training=False))
    found = np.asarray(model(images, training=False))
    np.testing.assert_array_equal(found[:, -expected.shape[1] :], expected)


def test_a_model_of_keras_3_is_converted(tmp_path, pictures):
    model, spec = read(kinds.saved(kinds.nested, kinds.keras_3(), tmp_path))
    pixels = rescale(pictures, spec)
    images = spec.normalise(pixels)
    content = convert(model, "uint8", images)
    found = TFLiteModel(content, trusted=True, mean=spec.mean, std=spec.std).run(pixels)
    expected = np.asarray(model(images, training=False))
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_of_keras_3_is_read_without_running_its_code(suffix, tmp_path):
    keras = kinds.keras_3()
    path = kinds.saved(kinds.plain, keras, tmp_path, suffix)
    with pytest.raises(UserError, match="was saved by Keras 3"):
        open_foreign(path)  # as a teacher
    image = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(lambda x: x * 2, name="twice")(image)
    keras.Model(image, kinds.body(keras, x)).save(tmp_path / f"code{suffix}")
    with pytest.raises(UserError, match=r"Lambda \(layer twice\).*; use --trust-code"):
        open_foreign(tmp_path / f"code{suffix}", keras_3=True)


def test_a_flat_folder_of_pictures_is_enough(tmp_path, pictures):
    """A model of Keras 3 with an oblong input and outputs without names."""
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, picture in enumerate(pictures[:40]):
        Image.fromarray(picture).save(flat / f"{number:02d}.png")
    (flat / "notes.txt").write_text("where they were taken")
    path = kinds.saved(kinds.oblong, kinds.keras_3(), tmp_path)
    run = kinds.exported(path, ModelData(flat, 127.5, 127.5), out=tmp_path / "out")
    result = run.result()
    assert [one.file for one in result.data.skipped] == ["notes.txt"]
    assert any(note.startswith("labels are not used: ") for note in result.data.notes)
    assert result.accuracy.int8 is None
    assert result.parity.images == 6
    assert result.calibration.pictures == 28
    assert result.parity.top1_agreement > 0.5
    assert min(block.sqnr_db for block in result.blocks) > 15
    assert "without labels there is no accuracy" in run.report.read_text()
    assert not run.labels_file.exists()
    assert TFLiteModel(run.tflite).labels is None
