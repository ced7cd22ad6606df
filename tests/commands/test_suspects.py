"""Labels that are wrong: planted among scikit-learn's digits, found, corrected, trained again."""

import csv
import shutil
from dataclasses import replace
from unittest.mock import MagicMock

import numpy as np
import pytest
import tf_keras as keras
from PIL import Image
from sklearn.datasets import load_digits

import mobilenet_tf as mn
from mobilenet_tf.cli.app import app
from mobilenet_tf.commands import suspects as command
from mobilenet_tf.datasets.corrections import read_corrections
from mobilenet_tf.deployment.report.page import write_report
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.runs.run import begin
from mobilenet_tf.training import out_of_sample
from tests.short import shallow

CLASSES, EACH = 4, 60


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    images, labels = load_digits(n_class=CLASSES, return_X_y=True)
    for label in range(CLASSES):
        (folder / str(label)).mkdir()
        for number, row in enumerate(np.flatnonzero(labels == label)[:EACH]):
            pixels = (images[row].reshape(8, 8) * 255 / 16).astype(np.uint8)
            Image.fromarray(pixels).resize((32, 32)).save(folder / f"{label}/{number}.png")
    return folder


@pytest.fixture(scope="module")
def settings(photos):
    """Those of a run with four wrong labels, which begins with random weights."""
    wrong = {f"{label}/{7 + label}.png": str((label + 1) % CLASSES) for label in range(CLASSES)}
    network = shallow(mn.make_network("v1", 0.25, 32, channels=1))
    recipe = mn.load_recipe("small_data").with_fields({"batch": 16})
    return mn.RunSettings(data=str(photos), network=network, recipe=recipe, corrections=wrong)


@pytest.fixture
def published(settings, tmp_path):
    """The same, but with the weights of a wider backbone that has not seen the pictures."""
    network = shallow(mn.make_network("v1", 0.5, 32, channels=1))
    keras.utils.set_random_seed(0)
    build_network(network).save_weights(tmp_path / "weights.h5")
    return replace(settings, network=network, weights=str(tmp_path / "weights.h5"))


def test_planted_labels_come_first_and_can_be_corrected(published, tmp_path, monkeypatch):
    run = begin(published, out=tmp_path / "run")
    found = mn.suspects(run, folds=4)
    with open(found["file"], newline="") as file:
        rows = list(csv.DictReader(file))
    planted = published.corrections
    first = rows[: CLASSES * EACH // 20]
    assert {row["file"] for row in first} >= planted.keys()
    assert all(row["given"] == row["label"] for row in rows)
    assert found["images"] == CLASSES * EACH
    assert abs(found["wrong"] - len(planted)) <= 2
    assert len(planted) <= found["listed"] == len(rows) < found["images"] / 6
    page = write_report(run.folder).read_text()
    assert "Label suspects" in page
    assert page.count("<img") == len(found["worst"])
    assert run.result().suspects.worst[0].file == rows[0]["file"]
    with pytest.raises(mn.UserError, match="exists, perhaps with corrections; use --overwrite"):
        mn.suspects(run)

    with open(found["file"], "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        right = {name: name[0] for name in planted}
        writer.writerows(row | {"label": right.get(row["file"], row["label"])} for row in rows)
    assert read_corrections(found["file"]) == right
    started = MagicMock()
    monkeypatch.setattr("mobilenet_tf.commands.train.train", started)
    monkeypatch.setattr("mobilenet_tf.cli.new_run.print_run", MagicMock())
    words = ["train", "--config", str(tmp_path / "run"), "--corrections", found["file"]]
    app(words, standalone_mode=False)
    data = begin(started.call_args.args[0], out=tmp_path / "corrected").data
    for split in (data.train, data.validation, data.test):
        assert [name[0] for name in split.names] == [data.classes[i] for i in split.labels]


@pytest.mark.slow
def test_every_fold_is_trained_without_it_and_an_interruption_costs_one(
    settings, tmp_path, monkeypatch
):
    run, trained = begin(settings, out=tmp_path / "run"), []
    train_float = out_of_sample.train_float

    def spied(model, recipe, session):
        if len(trained) == 1 and not session.checkpoints.exists():
            trained.append(None)
            raise KeyboardInterrupt
        history, earlier = train_float(model, recipe, session)
        data = session.dataset
        trained.append((earlier > 0, {*data.train.names, *data.validation.names}))
        return history, earlier

    monkeypatch.setattr(out_of_sample, "train_float", spied)
    with pytest.raises(KeyboardInterrupt):
        mn.suspects(run, folds=2, epochs=1)
    found = mn.suspects(run, folds=2, epochs=1)
    (_, first), _, (resumed, again), (_, second) = trained
    assert resumed
    assert again == first
    assert first.isdisjoint(second)
    assert len(first | second) == found["images"] == CLASSES * EACH
    assert {path.suffix for path in (tmp_path / "run/suspects").iterdir()} <= {".png"}


def test_groups_and_near_duplicates_stay_in_one_fold(settings, photos, tmp_path):
    """Pictures whose numbers begin alike are a group; a copy connects another to it."""
    data = tmp_path / "digits"
    shutil.copytree(photos, data)
    copy = Image.open(data / "0/4.png").resize((40, 40)).resize((32, 32))
    copy.save(data / "0/6.png")
    grouped = replace(settings, data=str(data), group_by=r"(\d/\d)\d?\.png", corrections={})
    run = begin(grouped, out=tmp_path / "run")
    pictures = command._pictures(run, 3)
    together = dict(zip(pictures.names, command._together(run, pictures, 3), strict=True))
    assert len(set(together.values())) < len(together)
    assert together["0/4.png"] == together["0/6.png"] == together["0/41.png"]
    assert together["1/4.png"] == together["1/41.png"] != together["1/5.png"]
    numbers = np.array(list(together.values()))
    folds = out_of_sample.Folds(pictures=pictures, together=numbers, count=3, seed=0)
    for learned, held in folds:
        assert not {*numbers[learned]} & {*numbers[held]}
        assert {*pictures.labels[held]} == set(range(CLASSES))
    alone = command._together(run, pictures, 11)  # a class has ten groups at most
    assert len(set(alone)) == len(alone)


def test_wrong_uses(published, tmp_path):
    few = replace(published, corrections={f"3/{n}.png": "-" for n in range(3, EACH)})
    other = replace(
        published, task=mn.make_task("multilabel"), recipe=None, weights="none", corrections={}
    )
    for number, (settings, options, said) in enumerate((
        (published, {"folds": 1}, "folds is 1; it must be at least 2"),
        (published, {"epochs": 0}, "epochs"),
        (published, {"epochs": 3}, "--epochs applies only to trainings, but the run began with"),
        (few, {}, "Class '3' has 3 images; at least 5 are needed for 5 folds"),
        (other, {}, "is for multilabel; label suspects need a class per image"),
    )):  # fmt: skip
        run = begin(settings, out=tmp_path / f"run{number}")
        with pytest.raises(mn.UserError, match=said):
            mn.suspects(run, **options)
        assert not run.folder.suspects.exists()
