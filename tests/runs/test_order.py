"""A model whose classes are in another order than the data is found out."""

import json
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from PIL import Image

from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.stored import add_labels
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.foreign import open_foreign
from mobilenet_tf.runs.models import saving
from mobilenet_tf.runs.order import likeliest_outputs, require_order
from mobilenet_tf.runs.run import Run, begin
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.teacher import load_teacher
from mobilenet_tf.runs.teaching import teacher_of
from mobilenet_tf.training.recipe import load_recipe
from tests.commands.foreign_kinds import exported

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """Images in the folders blue, green and red, and a model with the outputs red, green, blue."""
    folder, random = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / "data" / name).mkdir(parents=True)
        for number in range(30):
            noise = random.integers(0, 60, (32, 32, 3))
            pixels = np.clip(np.abs(np.array(colour) - noise), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "data" / name / f"{number}.png")
    image = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    x = keras.layers.Dense(3, kernel_initializer=keras.initializers.Identity(5.0))(x)
    keras.Model(image, keras.layers.Softmax()(x)).save(folder / "model.keras")
    return folder


def test_a_foreign_model_in_another_order_stops_and_labels_set_it_right(colours, tmp_path):
    data = {"data": colours / "data", "mean": 0.0, "std": 255.0}
    with pytest.raises(UserError, match=r"100% in this one: red, green, blue\. .* --labels FILE"):
        exported(colours / "model.keras", ModelData(**data), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    labels = tmp_path / "labels.txt"
    labels.write_text("red\ngreen\nblue\n")
    run = exported(colours / "model.keras", ModelData(**data, labels=labels), out=tmp_path / "out")
    assert run.result().accuracy.int8 == 1.0
    assert run.labels_file.read_text().split() == ["red", "green", "blue"]


def test_a_teacher_in_another_order_stops_training(colours, tmp_path):
    from mobilenet_tf.runs.train import train

    settings = RunSettings(
        data=str(colours / "data"),
        network=make_network("v1", 0.25, 32),
        recipe=load_recipe("small_data").with_fields({"train.epochs": 1}),
        teacher=str(colours / "model.keras"),
    )
    run = begin(settings, out=tmp_path / "run")
    with pytest.raises(
        UserError, match=r"The teacher .* another order .*: red, green, blue\. .*--"
    ):
        train(run)
    # Few validation images tell nothing; and a teacher may come with the second stage.
    few = replace(run.data, validation=run.data.validation.balanced(3, 0))
    with pytest.raises(UserError, match="another order"):
        teacher_of(Run(run.folder, run.settings, dataset=few))


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_pairs_explain_as_much_as_the_best_assignment(classes):
    """Where an order explains most images, which is where one is named."""
    from scipy.optimize import linear_sum_assignment

    random = np.random.default_rng(classes)
    for share in (0.75, 0.9, 1.0):
        order = random.permutation(classes)
        right = random.random((classes, 30)) < share
        outputs = np.where(right, order[:, None], random.integers(0, classes, right.shape))
        counts = np.array([np.bincount(row, minlength=classes) for row in outputs])
        best = counts[linear_sum_assignment(-counts)].sum()
        found = likeliest_outputs(counts)
        assert sorted(found) == list(range(classes))
        assert counts[np.arange(classes), found].sum() >= 0.99 * best
        assert (found == order).mean() > 0.9


def _named(colours, target, how):
    """The model with the names of its outputs in the file."""
    if how == "labels.txt":
        shutil.copy(colours / "model.keras", path := target / "named.keras")
        add_labels(path, list(COLOURS))
        return path
    keras.models.load_model(colours / "model.keras", compile=False).save(path := target / "a.h5")
    with h5py.File(path, "a") as file:
        if how == "list":
            file.attrs["class_names"] = list(COLOURS)
        elif how == "json":
            file.attrs["labels"] = json.dumps(list(COLOURS))
        else:
            file.attrs["class_indices"] = json.dumps({"green": 1, "red": 0, "blue": 2})
    return path


@pytest.mark.parametrize("how", ["labels.txt", "list", "json", "class_indices"])
def test_names_inside_a_model_are_its_order(colours, tmp_path, how):
    assert open_foreign(_named(colours, tmp_path, how)).class_names == tuple(COLOURS)


def test_names_inside_a_model_are_used(colours, tmp_path):
    path = _named(colours, tmp_path, "labels.txt")
    data = ModelData(colours / "data", 0.0, 255.0)
    run = exported(path, data, out=tmp_path / "out")
    assert run.result().accuracy.int8 == 1.0
    assert run.labels_file.read_text().split() == ["red", "green", "blue"]
    add_labels(shutil.copy(colours / "model.keras", path), ["rot", "grün", "blau"])
    other = exported(path, data, out=tmp_path / "other")
    assert other.result().accuracy.int8 is None  # the pictures have labels of something else
    assert other.labels_file.read_text(encoding="utf-8").split() == ["rot", "grün", "blau"]


def test_the_models_of_a_run_name_their_classes(tmp_path):
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    saving(model, ["cat", "dog"])(tmp_path / "float.keras")
    assert open_foreign(tmp_path / "float.keras").class_names == ("cat", "dog")
    assert keras.models.load_model(tmp_path / "float.keras", compile=False).count_params() == 8


@pytest.mark.parametrize("how", ["labels.txt", "stated"])
def test_a_teacher_with_names_teaches_in_the_order_of_the_data(colours, tmp_path, how):
    path = colours / "model.keras" if how == "stated" else _named(colours, tmp_path, how)
    classes = tuple(sorted(COLOURS))
    settings = RunSettings(
        data="",
        network=make_network("v1", 0.25, 32, classes=3),
        teacher=str(path),
        teacher_labels=tuple(COLOURS) if how == "stated" else (),
        classes=classes,
    )
    teach = load_teacher(settings)
    images = [np.full((32, 32, 3), COLOURS[name], np.float32) / 127.5 - 1 for name in classes]
    assert np.asarray(teach(tf.stack(images))).argmax(1).tolist() == [0, 1, 2]
    with pytest.raises(UserError, match=r"are red, green, blue, not those .* --teacher-labels"):
        load_teacher(replace(settings, classes=("blue", "green", "yellow")))


@pytest.mark.parametrize(
    "confusion",
    [[[9, 1], [2, 8]], [[5, 5], [5, 5]], [[0, 1], [1, 0]], [[10, 0], [10, 0]], [[0, 9], [0, 0]]],
    ids=["right", "chance", "too few", "constant", "one class"],
)
def test_other_models_are_left_alone(confusion):
    require_order(confusion, ("a", "b"), "model", "")
