import json
import math
from dataclasses import replace

import numpy as np
import pytest
import tf_keras as keras

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.augmentation.draw import NO_AUGMENTATION
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.classification.task import Classification
from mobilenet_tf.training.callbacks import SaveState
from mobilenet_tf.training.checkpoint import State, restore, save
from mobilenet_tf.training.fit import Session, fit
from mobilenet_tf.training.optimizer import make_optimizer
from mobilenet_tf.training.recipe import Stage
from mobilenet_tf.training.transfer import Phase
from tests.short import shallow

NETWORK = shallow(make_network("v1", 0.25, 32, classes=10, channels=1))
PLAIN = Stage(epochs=2, learning_rate=1e-3, augmentation=NO_AUGMENTATION)


@pytest.fixture
def session(tmp_path):
    return Session(
        dataset=load_data("digits", NETWORK.input, seed=0),
        task=Classification(),
        network=NETWORK,
        batch=128,
        seed=0,
        checkpoints=tmp_path / "checkpoints",
        logs=tmp_path / "logs",
    )


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    return build_network(NETWORK, dropout=0.0)


def test_a_resumed_stage_ends_with_the_same_weights(session, monkeypatch):
    """Stop or pause after the first epoch and resume; compare with a run without a break."""

    def train(name, until=None):
        keras.utils.set_random_seed(1)
        network = build_network(NETWORK, dropout=0.0)
        history, _ = fit(network, Phase(name, name, PLAIN), session, until=until)
        assert len(history["loss"]) == (until or PLAIN.epochs)
        return network.get_weights()

    whole = train("whole")
    remember = SaveState.on_epoch_end

    def stop(self, epoch, logs=None):
        remember(self, epoch, logs)
        raise KeyboardInterrupt

    monkeypatch.setattr(SaveState, "on_epoch_end", stop)
    with pytest.raises(KeyboardInterrupt):
        train("stopped")
    monkeypatch.undo()
    train("paused", until=1)
    for name in ("stopped", "paused"):
        for left, right in zip(whole, train(name), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


def test_the_initial_weights_stay_if_training_only_harms_them(model, session):
    """The learning rate is so high that the network forgets what it knew."""
    fit(model, Phase("float", "Training", PLAIN), session)
    before = model.get_weights()
    harmful = replace(PLAIN, learning_rate=0.5, warmup=0.0, epochs=1)
    history, _ = fit(model, Phase("harm", "Harming", harmful), session, keep_initial=True)
    assert len(history["val_loss"]) == 1
    for after, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(after, expected)


def test_the_best_weights_are_saved_not_the_last(model, tmp_path):
    model.compile(make_optimizer(model, PLAIN, 4), "categorical_crossentropy")
    save_state = SaveState(State(), tmp_path / "state.npz", "same", 0, model)
    save_state.set_model(model)
    save_state.set_params({"epochs": 5})
    first = model.get_weights()
    save_state.on_epoch_end(0, {"loss": 1.0, "val_accuracy": 0.9, "val_loss": 0.4})
    model.set_weights([weight + 1 for weight in first])
    save_state.on_epoch_end(1, {"loss": 0.5, "val_accuracy": 0.8, "val_loss": 0.5})
    state = restore(tmp_path / "state.npz", model, "same")
    for best, expected in zip(state.best, first, strict=True):
        np.testing.assert_array_equal(best, expected)
    assert state.history["val_accuracy"] == [0.9, 0.8]


def test_a_checkpoint_of_other_data_is_refused(model, tmp_path):
    model.compile(make_optimizer(model, PLAIN, 4), "categorical_crossentropy")
    save(tmp_path / "state.npz", State(best=model.get_weights()), model, "these images")
    with pytest.raises(UserError, match="other images or settings"):
        restore(tmp_path / "state.npz", model, "those images")


def test_a_checkpoint_is_valid_json_and_exact(model, tmp_path):
    path, third = tmp_path / "state.npz", 1 / 3
    model.compile(make_optimizer(model, PLAIN, 4), "categorical_crossentropy")
    history = {"val_loss": [third, math.nan], "loss": [1.0, 2.0]}
    save(path, State(2, history, model.get_weights()), model, "same")
    with np.load(path) as stored:
        assert json.loads(str(stored["facts"]), parse_constant=pytest.fail)["best_loss"] is None
    state = restore(path, model, "same")
    assert (state.epoch, state.best_loss, state.history["val_loss"][0]) == (2, math.inf, third)
    assert math.isnan(state.history["val_loss"][1])


@pytest.mark.parametrize(
    "change",
    [
        {"facts": "{}"},
        {"facts": '{"epoch": -1, "history": {}, "best_loss": 1, "fingerprint": "same"}'},
        {"facts": '{"epoch": 1, "history": {"loss": 3}, "best_loss": 1, "fingerprint": "same"}'},
        {"facts": '{"epoch": 9, "history": {"loss": []}, "best_loss": 1, "fingerprint": "same"}'},
        {"facts": "[" * 100_000},
        {"weight_0": np.zeros(3)},
        {"weight_0": np.array(["a"])},
        {"weight_900": np.zeros(1)},
        {"other": np.zeros(10**8, np.uint8)},
    ],
)
def test_a_damaged_checkpoint(model, tmp_path, change):
    model.compile(make_optimizer(model, PLAIN, 4), "categorical_crossentropy")
    path = tmp_path / "state.npz"
    save(path, State(best=model.get_weights()), model, "same")
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez_compressed(path, **arrays | change)
    with pytest.raises(UserError, match="is damaged and cannot be read; delete it"):
        restore(path, model, "same")


def test_divergence_is_an_error(model, tmp_path):
    model.compile(make_optimizer(model, PLAIN, 4), "categorical_crossentropy")
    save_state = SaveState(State(), tmp_path / "state.npz", "same", 0, model)
    save_state.set_model(model)
    save_state.set_params({"epochs": 5})
    with pytest.raises(UserError, match="lower learning rate"):
        save_state.on_epoch_end(0, {"loss": float("nan"), "val_accuracy": 0.1, "val_loss": 1.0})
    assert not (tmp_path / "state.npz").exists()


def test_early_stopping(model, tmp_path):
    model.compile(make_optimizer(model, PLAIN, 4), "categorical_crossentropy")
    save_state = SaveState(State(), tmp_path / "state.npz", "same", 2, model)
    save_state.set_model(model)
    save_state.set_params({"epochs": 9})
    stopped = []
    for epoch, loss in enumerate([0.5, 0.4, 0.45, 0.41]):
        save_state.on_epoch_end(epoch, {"loss": 1.0, "val_accuracy": 0.9, "val_loss": loss})
        stopped.append(model.stop_training)
    assert stopped == [False, False, False, True]
    # A run that is resumed now has nothing left to do.
    state = restore(tmp_path / "state.npz", model, "same")
    assert state.ended(9, patience=2)
    assert not state.ended(9, patience=3)
    assert not state.ended(9, patience=0)
    assert state.ended(4, patience=0)
