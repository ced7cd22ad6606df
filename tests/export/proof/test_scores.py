"""Scores that are no numbers, no probabilities or no choice, and files that say too little."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from mobilenet_tf.cli import output
from mobilenet_tf.commands.evaluate import evaluate
from mobilenet_tf.commands.outcomes.predictions import Predictions
from mobilenet_tf.commands.predict import predict
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.proof.parity import parity
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.tasks.scores import finite
from tests.export.conftest import CLASSES, SIZE

NAN = float("nan")


def constant(to_float, scores, activation=None):
    """A float file whose scores are these for every image."""
    import tf_keras as keras

    image = keras.Input((SIZE, SIZE, 3), batch_size=1)
    x = keras.layers.GlobalAveragePooling2D()(image)
    bias = keras.initializers.Constant(list(scores))
    x = keras.layers.Dense(
        len(scores), kernel_initializer="zeros", bias_initializer=bias, activation=activation
    )(x)
    return to_float(keras.Model(image, x))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(np.full((SIZE, SIZE, 3), 90, np.uint8)).save(path)
    return path


@pytest.mark.parametrize("scores", [[0.1, NAN], [float("inf"), 0.0]])
def test_scores_that_are_no_numbers(scores):
    with pytest.raises(UserError, match=r"a\.tflite gives scores that are not numbers .* 1 of 2"):
        finite(np.array([scores, [0.5, 0.5]]), "a.tflite")
    with pytest.raises(UserError, match="not numbers"):
        Classification().metrics(np.array([scores]), np.array([0]), ["a", "b"])


def test_one_score_that_is_no_sigmoid_is_no_choice(to_float, picture, tmp_path):
    file = tmp_path / "one.tflite"
    file.write_bytes(constant(to_float, [0.3]))
    with pytest.raises(UserError, match=r"one\.tflite has one score per image that is not a sig"):
        predict(file, [picture], mean=0.0, std=255.0)


@pytest.mark.parametrize(("logit", "likely"), [(-0.4, "cat"), (0.0, "cat"), (0.4, "dog")])
def test_a_single_sigmoid_separates_two_classes(to_float, picture, tmp_path, logit, likely):
    """The second class where its score is above 0.5."""
    file, labels = tmp_path / "one.tflite", tmp_path / "labels.txt"
    file.write_bytes(constant(to_float, [logit], "sigmoid"))
    labels.write_text("cat\ndog\n")
    options = {"mean": 0.0, "std": 255.0}
    found = predict(file, [picture], labels=labels, **options)
    assert found["probabilities"]
    classes = found["predictions"][0]["classes"]
    dog = round(float(1 / (1 + np.exp(-logit))), 4)
    assert classes[0]["label"] == likely
    assert {x["label"]: x["score"] for x in classes} == pytest.approx({"cat": 1 - dog, "dog": dog})
    for name in ("cat", "dog"):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.open(picture).save(tmp_path / "data" / name / "1.png")
    found = evaluate(file, data=tmp_path / "data", labels=labels, **options)
    assert found["per_class"][likely]["recall"] == 1.0
    assert found["accuracy"] == 0.5
    for names in ("cat", "cat\ndog\neel"):
        labels.write_text(names)
        with pytest.raises(UserError, match=r"one\.tflite has 2 classes, not [13] labels"):
            predict(file, [picture], labels=labels, **options)


def test_labels_in_the_file_name_both_classes_of_a_sigmoid(to_float, picture, tmp_path):
    model = schema.ModelT.InitFromPackedBuf(constant(to_float, [0.4], "sigmoid"), 0)
    file = tmp_path / "one.tflite"
    described = add_metadata(
        pack(model), name="", description="", labels=["dog"], input_spec=InputSpec(SIZE)
    )
    file.write_bytes(described)
    with pytest.raises(UserError, match="has 1 labels for the two classes that its one score"):
        predict(file, [picture])


def test_a_batch_of_any_size(to_float, picture, tmp_path):
    """Most tools leave the batch open; the file then runs one image at a time."""
    model = schema.ModelT.InitFromPackedBuf(constant(to_float, [0.1, 0.9], "softmax"), 0)
    for tensor in model.subgraphs[0].tensors:
        if len(tensor.shape) in (2, 4) and tensor.shape[0] == 1:
            tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)
    file = tmp_path / "any.tflite"
    file.write_bytes(pack(model))
    found = predict(file, [picture, picture], mean=0.0, std=255.0)
    assert [one["classes"][0]["label"] for one in found["predictions"]] == ["1", "1"]
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shapeSignature = np.array([-1, -1, SIZE, 3], np.int32)
    file.write_bytes(pack(model))
    with pytest.raises(UserError, match=r"shape \(1, -1, 32, 3\), which is not fixed"):
        predict(file, [picture], mean=0.0, std=255.0)


def test_channels_first_are_named(to_float, picture, tmp_path):
    import tf_keras as keras

    image = keras.Input((3, SIZE, SIZE), batch_size=1)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Permute((2, 3, 1))(image))
    file = tmp_path / "nchw.tflite"
    file.write_bytes(to_float(keras.Model(image, x)))
    with pytest.raises(UserError, match=r"shape \(1, 3, 32, 32\), channels first \(NCHW\)"):
        predict(file, [picture], mean=0.0, std=1.0)


def test_logits_are_no_percentages(to_float, picture, tmp_path, capsys):
    file = tmp_path / "logits.tflite"
    file.write_bytes(constant(to_float, [5.5943, -1.0]))
    found = predict(file, [picture], mean=0.0, std=255.0)
    assert found["probabilities"] is False
    output.show(Predictions(found), False)
    shown = capsys.readouterr().out
    assert "5.594" in shown
    assert "%" not in shown


def test_agreement_is_that_of_unrounded_scores():
    info = TensorInfo("scores", "int8", (1, 3), 1 / 256, -128)
    expected = np.array([[0.3331, 0.3334, 0.3335], [0.1, 0.8, 0.1]])
    rounded = info.quantize(expected)
    found = parity(Classification(), [info], expected, rounded)
    assert found["max_lsb"] == 0
    assert found["top1_agreement"] == 0.5  # three equal scores are no agreement on the third
    assert found["ties"] == 1


def test_a_float_file_without_normalisation(files, picture, tmp_path):
    with pytest.raises(UserError, match=r"give --mean and --std"):
        predict(files.float32, [picture])
    labels = tmp_path / "labels.txt"
    labels.write_bytes("\ufeffa\nb\nc\nd\ncafé\n\n".encode())
    one = predict(files.float32, [picture], mean=128.0, std=127.5, labels=labels, top=CLASSES)
    three = predict(files.float32, [picture], mean=[128.0] * 3, std=[127.5] * 3)
    names = {found["label"] for found in one["predictions"][0]["classes"]}
    assert names == {"a", "b", "c", "d", "café"}
    scores = [[x["score"] for x in found["predictions"][0]["classes"]] for found in (one, three)]
    assert scores[0][:3] == scores[1]
    for options, said in (
        ({"mean": 1.0}, "belong together"),
        ({"mean": [1.0, 2.0], "std": [1.0, 1.0]}, "mean has 2 values; .* 3 channels"),
        ({"mean": NAN, "std": 1.0}, "mean is nan"),
        ({"mean": 0.0, "std": 0.0}, "std is 0"),
    ):
        with pytest.raises(UserError, match=said):
            predict(files.float32, [picture], **options)
    (tmp_path / "two.txt").write_text("a\nb\n")
    with pytest.raises(UserError, match="has 5 classes, not 2 labels"):
        predict(files.float32, [picture], mean=0.0, std=1.0, labels=tmp_path / "two.txt")
    folder = tmp_path / "data"
    for name in ("a", "b", "c", "d", "café"):
        (folder / name).mkdir(parents=True)
        Image.open(picture).save(folder / name / "1.png")
    found = evaluate(files.float32, data=folder, mean=128.0, std=127.5, labels=labels)
    assert found["images"] == 5


def test_metadata_that_saturate_the_input_are_not_followed(files, pixels, caplog):
    """Many tools write mean 0 and std 1 into files that take raw pixels."""
    spec = InputSpec(SIZE, 3, 0.0, 1.0)
    content = add_metadata(
        files.uint8.read_bytes(),
        name="x",
        description="",
        labels=list("abcde"),
        input_spec=spec,
    )
    model = TFLiteModel(content)
    assert model.pixels_are_inputs
    np.testing.assert_array_equal(model.prepare(pixels), pixels)
    assert "so it receives raw pixels" in caplog.text
