"""A network of the zoo with trained weights: int8 without training, with or without labels."""

import json

import numpy as np
import pytest

from mobilenet_tf.commands.export import export
from mobilenet_tf.commands.post_training import ModelData
from mobilenet_tf.commands.predict import predict
from mobilenet_tf.commands.published_model import Pretrained
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.classes import imagenet_classes
from tests.commands.foreign_kinds import exported
from tests.conftest import SHARED

DIGITS = "\n".join(map(str, range(10)))


def test_the_names_of_imagenet_are_a_thousand_in_their_order():
    names = imagenet_classes()
    assert len(set(names)) == 1000
    places = {0: "tench", 7: "cock", 207: "golden retriever", 281: "tabby", 999: "toilet tissue"}
    assert {index: names[index] for index in places} == places


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A classifier of ten classes with random weights, and its names, of which two are digits."""
    from mobilenet_tf.networks.keras_model import build

    folder = tmp_path_factory.mktemp("weights")
    build("v1", 0.25, 32, 10).save_weights(folder / "digits.h5")
    (folder / "digits.txt").write_text(DIGITS)
    return folder


@pytest.mark.parametrize("labelled", [True, False])
def test_labels_add_accuracy_to_the_proof(labelled, weights, tmp_path):
    names = weights / "digits.txt"
    if not labelled:
        names = tmp_path / "others.txt"
        names.write_text(DIGITS.replace("7", "seven"))
    what = Pretrained("v1", 0.25, 32, weights / "digits.h5")
    run = exported(what, ModelData("digits", labels=names), out=tmp_path / "out")
    result = run.result()
    assert (result.accuracy.int8 is not None) == labelled
    assert (result.calibration.per_class == {}) == (not labelled)
    assert bool(result.data.notes) == (not labelled)
    assert result.parity.images == result.data.test
    assert result.parity.top5_agreement >= result.parity.top1_agreement
    assert len(result.blocks) > 20
    assert result.model.input.crop == 0.875
    report = run.report.read_text()
    assert ("without labels there is no accuracy" in report) == (not labelled)
    assert "mobilenet-tf export --model v1 --alpha 0.25 --size 32 --weights digits.h5" in report
    assert run.labels_file.read_text() == names.read_text() + "\n"


def test_weights_without_a_classifier_for_the_names_are_refused(weights, tmp_path):
    what = Pretrained("v1", 0.25, 32, weights / "digits.h5")
    with pytest.raises(UserError, match=r"digits\.h5 has no classifier for 1,000 classes"):
        export(what, data=ModelData("digits"), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (ModelData("digits", mean=127.5), {}, "mean applies only to a model file"),
        (ModelData(), {}, "v1_0.25_32 needs --data"),
        (ModelData("digits"), {"target": "mcu"}, "--target mcu needs a run"),
    ],
)
def test_what_does_not_apply_is_refused(data, options, said):
    with pytest.raises(UserError, match=said):
        export(Pretrained("v1", 0.25, 32), data=data if not options else ModelData(), **options)


@pytest.mark.long
def test_an_imagenet_classifier_keeps_its_classes(tmp_path):
    """At least as well as TensorFlow's converter does it: 77.7 % on these pictures."""
    weights, clothing = SHARED / "weights/mobilenet_v1_0.25_128.h5", SHARED / "data/clothing"
    if not weights.exists() or not clothing.exists():
        pytest.skip("shared/weights and shared/data are not beside the repository")
    what = Pretrained("v1", 0.25, 128, weights)
    run = exported(what, ModelData(clothing), out=tmp_path / "out")
    parity = run.result().parity
    assert parity.images == 372
    assert parity.top1_agreement >= 0.777
    assert parity.top5_agreement >= 0.98
    shoes = sorted((clothing / "test/shoes").iterdir())[:8]
    found = predict(run.tflite, shoes, top=5)["predictions"]
    named = [{one["label"] for one in picture["classes"]} for picture in found]
    kinds = {"running shoe", "Loafer", "clog", "sandal", "cowboy boot"}
    assert np.mean([bool(names & kinds) for names in named]) > 0.5, json.dumps(found)
