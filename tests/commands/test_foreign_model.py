"""A Keras model that is not ours: what is asked of it, and the proof of its file."""

import pytest
import tf_keras as keras

from mobilenet_tf.commands.foreign_model import ModelData, export_foreign
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.foreign import open_foreign

LAYERS = keras.layers
DATA = ModelData("digits", 0.0, 255.0)


def small_model(classes=10, shape=(32, 32, 1), name="mine"):
    """Two convolutions and a classifier."""
    keras.utils.set_random_seed(4)
    image = keras.Input(shape)
    x = LAYERS.Conv2D(8, 3, 2, activation="relu")(image)
    x = LAYERS.DepthwiseConv2D(3, 2, activation="relu")(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    return keras.Model(image, LAYERS.Dense(classes, activation="softmax")(x), name=name)


@pytest.fixture(scope="module", params=["model.keras", "model.h5", "saved_model"])
def exported(request, tmp_path_factory):
    """The model, and its folder after export."""
    folder = tmp_path_factory.mktemp("foreign")
    model = small_model()
    model.save(folder / request.param)
    data = ModelData("digits", 127.5, 127.5, trust_code=request.param == "saved_model")
    return model, export_foreign(folder / request.param, data, io="int8", out=folder / "out")


def test_the_file_is_all_integers_and_proven(exported):
    model, run = exported
    result = run.result().to_dict()
    assert result["tflite"]["float_tensors"] == 0
    assert result["tflite"]["input"]["dtype"] == "int8"
    assert result["parity"]["images"] == result["data"]["test"]
    assert result["parity"]["top1_agreement"] >= 0.9
    assert abs(result["accuracy"]["int8"] - result["accuracy"]["float"]) <= 0.05
    assert result["model"]["parameters"] == model.count_params()


def test_calibration_is_logged(exported):
    _, run = exported
    calibration = run.result().to_dict()["calibration"]
    assert calibration["pictures"] == 300
    assert set(calibration["per_class"].values()) == {30}
    assert (calibration["lowest_pixel"], calibration["highest_pixel"]) == (0, 255)


def test_the_input_takes_all_pixels(exported):
    file = TFLiteModel(exported[1].tflite)
    assert file.input.scale == pytest.approx(1 / 127.5, rel=1e-3)
    assert file.labels == tuple("0123456789")


class Odd(LAYERS.Layer):
    """A layer that nobody else knows."""


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: small_model(shape=(None, None, 3)), "a fixed square"),
        (lambda: small_model(shape=(32, 48, 3)), "a fixed square"),
        (lambda: small_model(shape=(32, 32, 4)), "1 or 3 channels"),
        (lambda: _two_inputs(), "has 2 inputs"),
        (lambda: _custom(), "Odd"),
    ],
    ids=["dynamic", "oblong", "four channels", "two inputs", "custom layer"],
)
def test_unsupported_models_are_rejected(make, expected, tmp_path):
    file = tmp_path / "model.h5"
    make().save(file)
    with pytest.raises(UserError, match=r"model\.h5") as error:
        open_foreign(file).load_classifier()
    assert expected in str(error.value)


def _two_inputs():
    left, right = keras.Input((32, 32, 1)), keras.Input((32, 32, 1))
    x = LAYERS.Flatten()(LAYERS.Add()([left, right]))
    return keras.Model([left, right], LAYERS.Dense(10)(x))


def _custom():
    image = keras.Input((32, 32, 1))
    return keras.Model(image, LAYERS.Dense(10)(LAYERS.Flatten()(Odd()(image))))


def test_wrong_files_and_classes(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        open_foreign(tmp_path / "gone.h5").load_classifier()
    (tmp_path / "text.h5").write_text("no model")
    with pytest.raises(UserError, match="cannot be read: it is neither an HDF5 file"):
        open_foreign(tmp_path / "text.h5").load_classifier()
    small_model(classes=7).save(tmp_path / "seven.h5")
    with pytest.raises(UserError, match="separates 7 classes, but digits has 10"):
        export_foreign(tmp_path / "seven.h5", DATA, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_overwriting_spares_folders_of_others(tmp_path):
    small_model().save(tmp_path / "model.h5")
    photo = tmp_path / "photos" / "cat.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"a cat")
    with pytest.raises(UserError, match="photos is not a run folder, so it is not overwritten"):
        export_foreign(tmp_path / "model.h5", DATA, out=photo.parent, overwrite=True)
    assert photo.read_bytes() == b"a cat"
