"""Classes that are held out are neither trained nor used for validation."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.splitting import Listing
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.embedding.data import hold_out, number_held_out
from mobilenet_tf.tasks.embedding.task import Embedding

SPEC = InputSpec(8)
NAMES = ("ant", "bee", "cat", "dog", "elk")


def read(task, source, seed=0):
    return task.load(str(source), SPEC, seed, None, True)


@pytest.fixture
def folder(tmp_path):
    for place, name in enumerate(NAMES):
        (tmp_path / name).mkdir()
        for index in range(10):
            grey = np.full((8, 8), 40 * place + index, np.uint8)
            grey[0, 0] = 255
            Image.fromarray(grey).save(tmp_path / name / f"{index}.png")
    return tmp_path


def test_a_class_lies_in_one_part_only(folder):
    data = read(Embedding(held_out=("dog", "bee")), folder)
    assert data.classes == ("ant", "cat", "elk", "bee", "dog")
    assert set(data.train.labels) == set(data.validation.labels) == {0, 1, 2}
    assert set(data.test.labels) == {3, 4}
    assert len(data.test) == 20
    assert (len(data.train), len(data.validation)) == (24, 6)
    for split in (data.train, data.validation, data.test):
        assert all(
            name.split("/")[0] == data.classes[label]
            for name, label in zip(split.names, split.labels, strict=True)
        )


def test_the_seed_chooses_where_no_class_is_named(folder):
    chosen = {read(Embedding(), folder, seed).classes[-2:] for seed in range(6)}
    assert len(chosen) > 1
    data = read(Embedding(), folder, 3)
    assert read(Embedding(), folder, 3).fingerprint == data.fingerprint
    fitted = Embedding().fitted(data)
    assert fitted.held_out == data.classes[-2:]
    assert read(fitted, folder, 3).fingerprint == data.fingerprint
    assert fitted.fitted(data) == fitted
    settings = RunSettings(data="digits", network=make_network("v1", 0.25, 32), task=Embedding())
    settings = settings.with_data(data)
    assert settings.task == fitted
    assert (settings.network.classes, settings.network.head[-1].dimension) == (3, 128)
    assert RunSettings.from_dict(settings.to_dict()).to_dict() == settings.to_dict()


def test_test_images_of_trained_classes_are_in_no_split():
    listing = Listing(
        classes=("a", "b", "c", "d"),
        names=[f"{label}{index}" for label in "abcd" for index in range(8)],
        labels=np.repeat(range(4), 8),
        splits=[*["train"] * 4, *["test"] * 4] * 4,
    )
    from mobilenet_tf.datasets.splitting import assign_splits

    found = assign_splits(hold_out(listing, ("a", "c"), 0), 0)
    assert [len(found[name]) for name in ("train", "validation", "test")] == [6, 2, 16]
    assert all(listing.names[row][0] in "ac" for row in found["test"])
    assert all(int(listing.names[row][1]) < 4 for row in [*found["train"], *found["validation"]])


def test_validation_has_several_images_of_a_class_together():
    data = read(Embedding(pictures=3), "digits")
    first = data.validation.labels[:21]
    assert (np.unique(first, return_counts=True)[1] == 3).all()


def test_digits(folder):
    data = read(Embedding(held_out=("7", "8", "9")), "digits")
    assert data.classes == tuple("0123456789")
    assert (data.test.labels.min(), len(data.test)) == (7, 533)
    again = Embedding(held_out=("7", "8", "9")).load_test("digits", (), SPEC, 0, None)
    assert again.classes == data.classes
    assert again.images.names == data.test.names


def test_a_file_is_evaluated_on_what_was_held_out_or_on_other_classes(folder):
    found = Embedding(held_out=("dog", "bee")).load_test(str(folder), (), SPEC, 0, None)
    assert found.classes == ("bee", "dog")
    assert np.bincount(found.images.labels).tolist() == [10, 10]
    others = Embedding(held_out=("x", "y")).load_test(str(folder), (), SPEC, 0, None)
    assert others.classes == NAMES
    assert len(others.images) == 50


@pytest.mark.parametrize(
    ("classes", "named", "count"), [(10, (), 3), (4, (), 2), (5, ("a", "b", "c"), 3), (100, (), 30)]
)
def test_how_many_are_held_out(classes, named, count):
    assert number_held_out(classes, named) == count


def test_wrong_classes(folder):
    with pytest.raises(UserError, match="held_out is 'gnu'; the classes of the data are ant, bee"):
        read(Embedding(held_out=("gnu", "bee")), folder)
    for named in (("ant",), NAMES[:4]):
        with pytest.raises(UserError, match="at least 2 must be"):
            read(Embedding(held_out=named), folder)
    with pytest.raises(UserError, match="on `digits` or on a folder"):
        read(Embedding(), "tfds:mnist")


def test_recipes_that_do_not_suit():
    network = make_network("v1", 0.25, 32)
    usual = RunSettings(data="digits", network=network, task=Embedding()).recipe
    for path, value in (
        ("train.augmentation.mixup", 0.2),
        ("qat.augmentation.cutmix", 1.0),
        ("train.class_weights", True),
    ):
        with pytest.raises(UserError, match=path):
            RunSettings(
                data="digits",
                network=network,
                task=Embedding(),
                recipe=usual.with_fields({path: value}),
            )
