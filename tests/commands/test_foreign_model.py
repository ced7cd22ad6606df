"""A Keras model that is not ours: what is asked of it, and the proof of its file."""

from dataclasses import replace

import numpy as np
import pytest
import tf_keras as keras
from PIL import Image

from mobilenet_tf.commands import foreign_model
from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.commands.predict import predict
from mobilenet_tf.compression.post_training.settings import PostTraining
from mobilenet_tf.core import child
from mobilenet_tf.core.child import ChildCrash, Tool, python_command
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.proof.opening import task_of
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.runs.foreign import open_foreign
from mobilenet_tf.tasks.classification.confidence import tempered
from tests.commands.foreign_kinds import exported as export_file
from tests.runs.test_models import rewritten
from tests.slow import slow_but

pytestmark = pytest.mark.xdist_group("foreign model")
LAYERS = keras.layers
DATA = ModelData("digits", 0.0, 255.0)


def small_model(classes=10, shape=(32, 32, 1), name="mine"):
    """Two convolutions and a classifier."""
    keras.utils.set_random_seed(4)
    image = keras.Input(shape)
    x = LAYERS.Conv2D(8, 3, 2, activation="relu")(image)
    x = LAYERS.DepthwiseConv2D(3, 2, activation="relu")(x)
    x = LAYERS.GlobalAveragePooling2D()(x)
    # Scores that differ by more than a step of the file's output, as those of trained networks do.
    spread = keras.initializers.RandomNormal(stddev=5.0)
    scores = LAYERS.Dense(classes, activation="softmax", kernel_initializer=spread)(x)
    return keras.Model(image, scores, name=name)


@pytest.fixture(scope="module", params=["model.keras", "model.h5", "saved_model"])
def exported(request, tmp_path_factory):
    """The model, and its folder after export."""
    folder = tmp_path_factory.mktemp("foreign")
    model = small_model()
    model.save(folder / request.param)
    trusted = request.param == "saved_model"
    data = ModelData("digits", 127.5, 127.5, trust_code=trusted)
    with pytest.MonkeyPatch.context() as patch:
        if trusted:  # one is converted as users convert it, and starts TensorFlow
            patch.setattr(child, "python_command", python_command)
        return model, export_file(folder / request.param, data, io="int8", out=folder / "out")


def test_the_file_is_all_integers_and_proven(exported):
    model, run = exported
    result = run.result().to_dict()
    assert result["tflite"]["float_tensors"] == 0
    assert result["tflite"]["input"]["dtype"] == "int8"
    assert result["parity"]["images"] == result["data"]["test"]
    assert result["parity"]["top1_agreement"] >= 0.9
    assert abs(result["accuracy"]["int8"] - result["accuracy"]["float"]) <= 0.05
    assert result["model"]["parameters"] == model.count_params()


def test_it_is_quantized_as_the_project_s_networks(exported):
    _, run = exported
    result = run.result()
    assert result.source.converter_reason is None
    assert max(block.max_lsb for block in result.blocks) <= 1
    assert "TensorFlow's converter" not in run.report.read_text()


def test_a_layer_without_an_integer_form(tmp_path, caplog):
    image = keras.Input((32, 32, 1))
    x = LAYERS.LeakyReLU(name="leaky")(LAYERS.Conv2D(8, 3, 2)(image))
    x = LAYERS.Dense(10, activation="softmax")(LAYERS.GlobalAveragePooling2D()(x))
    keras.Model(image, x).save(tmp_path / "model.keras")
    run = export_file(tmp_path / "model.keras", DATA, out=tmp_path / "out")
    reason = "leaky is a LeakyReLU, which has no integer form here."
    assert run.result().source.converter_reason == reason
    assert f"TensorFlow's converter quantizes model: {reason}" in caplog.text
    assert reason in run.report.read_text()
    assert min(block.sqnr_db for block in run.result().blocks) > 15
    with pytest.raises(UserError, match=f"--per-tensor and --set need layers .* {reason}"):
        export_file(tmp_path / "model.keras", replace(DATA, per_tensor=True), out=tmp_path / "two")
    assert not (tmp_path / "two" / "model.tflite").exists()


def test_methods_are_chosen(tmp_path):
    small_model().save(tmp_path / "model.keras")
    methods = PostTraining(rounding="nearest", pictures=32)
    data = replace(DATA, per_tensor=True, post_training=methods)
    run = export_file(tmp_path / "model.keras", data, out=tmp_path / "out")
    source = run.result().source
    assert (source.per_tensor, source.post_training) == (True, methods)
    options = "--per-tensor --set post_training.rounding=nearest --set post_training.pictures=32"
    assert options in run.report.read_text()
    assert not any(layer["per_channel"] for layer in inspect(run.tflite)["layers"])


def test_calibration_is_logged(exported):
    _, run = exported
    calibration = run.result().to_dict()["calibration"]
    assert calibration["pictures"] == 300
    assert set(calibration["per_class"].values()) == {30}
    assert (calibration["lowest_pixel"], calibration["highest_pixel"]) == (0, 255)


def test_the_input_takes_all_pixels(exported):
    file = TFLiteModel(exported[1].tflite)
    assert file.input.scale == pytest.approx(1 / 127.5, rel=1e-3)
    assert file.pixels_are_inputs  # although the model's mean lies between two integers
    assert file.labels == tuple("0123456789")


class Odd(LAYERS.Layer):
    """A layer that nobody else knows."""


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: small_model(shape=(None, None, 3)), "a fixed height and width"),
        (lambda: _vectors((3, 32, 32)), "channels first (NCHW)"),
        (lambda: small_model(shape=(32, 32, 4)), "1 or 3 channels"),
        (lambda: _two_inputs(), "has 2 inputs"),
        (lambda: _custom(), "Odd"),
    ],
    ids=["dynamic", "channels first", "four channels", "two inputs", "custom layer"],
)
def test_unsupported_models_are_rejected(make, expected, tmp_path):
    file = tmp_path / "model.h5"
    make().save(file)
    with pytest.raises(UserError, match=r"model\.h5") as error:
        open_foreign(file).load_classifier()
    assert expected in str(error.value)


def _vectors(shape):
    image = keras.Input(shape)
    return keras.Model(image, LAYERS.Dense(10)(LAYERS.Flatten()(image)))


def _two_inputs():
    left, right = keras.Input((32, 32, 1)), keras.Input((32, 32, 1))
    x = LAYERS.Flatten()(LAYERS.Add()([left, right]))
    return keras.Model([left, right], LAYERS.Dense(10)(x))


def _custom():
    image = keras.Input((32, 32, 1))
    return keras.Model(image, LAYERS.Dense(10)(LAYERS.Flatten()(Odd()(image))))


def test_wrong_files_and_names(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        open_foreign(tmp_path / "gone.h5").load_classifier()
    (tmp_path / "text.h5").write_text("no model")
    with pytest.raises(UserError, match="cannot be read: it is neither an HDF5 file"):
        open_foreign(tmp_path / "text.h5").load_classifier()
    small_model().save(tmp_path / "ten.h5")
    (tmp_path / "labels.txt").write_text("yes\nno\n")
    data = replace(DATA, labels=tmp_path / "labels.txt")
    with pytest.raises(UserError, match=r"labels\.txt names 2 classes, but ten has 10"):
        export_file(tmp_path / "ten.h5", data, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_overwriting_spares_folders_of_others(tmp_path):
    small_model().save(tmp_path / "model.h5")
    photo = tmp_path / "photos" / "cat.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"a cat")
    with pytest.raises(UserError, match="photos is not a run folder, so it is not overwritten"):
        export_file(tmp_path / "model.h5", DATA, out=photo.parent, overwrite=True)
    assert photo.read_bytes() == b"a cat"


def _cats_and_dogs(folder):
    """Dark images in the folder cat, bright ones in the folder dog."""
    random = np.random.default_rng(0)
    for name, level in (("cat", 60), ("dog", 190)):
        (folder / name).mkdir(parents=True)
        for number in range(80):
            pixels = np.clip(random.normal(level, 25, (32, 32, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def _bright(form):
    """A sigmoid that is above 0.5 for bright images, as a layer, an activation, or in a model."""
    image = keras.Input((32, 32, 3))
    x = LAYERS.GlobalAveragePooling2D()(image)
    dense = LAYERS.Dense(
        1,
        "sigmoid" if form == "layer" else None,
        kernel_initializer=keras.initializers.Constant(2.0),
        bias_initializer=keras.initializers.Constant(-3.0),
    )
    x = dense(x)
    if form == "nested":
        return keras.Sequential([keras.Model(image, keras.activations.sigmoid(x))])
    return keras.Model(image, LAYERS.Activation("sigmoid")(x) if form == "activation" else x)


@pytest.mark.parametrize("form", slow_but(["layer"], ["layer", "activation", "nested"]))
def test_a_single_sigmoid_separates_two_classes(form, tmp_path):
    data = _cats_and_dogs(tmp_path / "data")
    model = _bright(form)
    model.save(tmp_path / "model.keras")
    run = export_file(tmp_path / "model.keras", ModelData(data, 0.0, 255.0), out=tmp_path / "out")
    result = run.result()
    assert (result.accuracy.float, result.accuracy.int8) == (1.0, 1.0)
    assert result.parity.top1_agreement == 1.0
    assert result.to_dict()["tflite"]["float_tensors"] == 0
    assert "dog" in run.report.read_text()
    images = [data / name / "1.png" for name in ("cat", "dog")]
    found = predict(run.tflite, images)["predictions"]
    assert [one["classes"][0]["label"] for one in found] == ["cat", "dog"]
    bright = np.asarray(Image.open(images[1]), np.float32)[None] / 255
    score = float(model.predict(bright, verbose=0)[0, 0])
    task = task_of(TFLiteModel(run.tflite))
    assert task.temperature < 1  # all validation images are classified correctly
    expected = tempered(np.array([[1 - score, score]]), task.temperature)
    assert found[1]["classes"][0]["score"] == pytest.approx(expected[0, 1], abs=0.02)
    assert found[1]["accepted"]
    Image.new("RGB", (32, 32), (127, 127, 127)).save(tmp_path / "grey.png")
    assert not predict(run.tflite, [tmp_path / "grey.png"])["predictions"][0]["accepted"]


def test_a_single_output_that_is_no_sigmoid(tmp_path):
    _bright("logit").save(tmp_path / "logit.h5")
    with pytest.raises(UserError, match=r"logit\.h5 has a single output that is not a sigmoid"):
        open_foreign(tmp_path / "logit.h5").load_classifier()


def test_a_crash_of_the_converter_is_one_sentence(tmp_path, monkeypatch):
    """The process that converts dies; this one says so and leaves nothing behind."""
    (tmp_path / "dying.py").write_text(
        "import os\n"
        "from mobilenet_tf.core.serve import serve\n"
        "def answer(request, content):\n"
        "    if request['do'] != 'load':\n"
        "        os.kill(os.getpid(), 11)\n"
        "    return {'input': [32, 32, 1], 'classes': 10, 'parameters': 1}, b''\n"
        "serve(answer)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(foreign_model, "_TENSORFLOW", Tool("TensorFlow", "converted", "dying"))
    small_model().save(tmp_path / "model.keras")
    with pytest.raises(ChildCrash, match=r"TensorFlow crashes .*model\.keras ends it with SIGSEGV"):
        export_file(tmp_path / "model.keras", DATA, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_configuration_asks_for_is_compared_with_the_file(tmp_path):
    """Before memory is allocated: a hundred kilobytes that ask for terabytes."""
    small_model().save(tmp_path / "small.keras")

    def units(config):
        config["config"]["layers"][-1]["config"]["units"] = 10**11

    def filters(config):
        config["config"]["layers"][1]["config"]["filters"] = 10**9

    for change in (units, filters):
        path = rewritten(tmp_path / "small.keras", tmp_path / "huge.keras", change)
        with pytest.raises(UserError, match=r"huge\.keras describes layers with more weights"):
            open_foreign(path).load()
    image = keras.Input((32, 32, 1))
    x = LAYERS.UpSampling2D((1000, 1000))(image)
    keras.Model(image, LAYERS.Dense(10)(LAYERS.GlobalAveragePooling2D()(x))).save(
        tmp_path / "up.h5"
    )
    with pytest.raises(UserError, match=r"up\.h5: the layer up_sampling2d\S* has a result"):
        open_foreign(tmp_path / "up.h5").load()
