"""A few steps of training, and what they say of the whole."""

import time

import pytest
import tf_keras as keras

import mobilenet_tf
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.training.recipe import load_recipe
from mobilenet_tf.training.rehearsal import Rehearsal
from tests.training.tiny import build_tiny

TRACING, STEP, VALIDATION = 30.0, 0.5, 4.0  # seconds


@pytest.fixture
def clock(monkeypatch):
    """Return a function that advances the time."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


def train(rehearsal, clock, epochs: int, steps: int) -> float:
    """Call what Keras calls; return how long that took."""
    began = time.monotonic()
    for epoch in range(epochs):
        rehearsal.on_epoch_begin(epoch)
        for step in range(steps):
            clock(STEP + (TRACING if epoch == step == 0 else 0))
            rehearsal.on_train_batch_end(step)
        clock(VALIDATION)
    rehearsal.on_train_end()
    return time.monotonic() - began


@pytest.mark.parametrize(("epochs", "steps"), [(30, 400), (2, 400), (1, 400), (30, 7), (1, 7)])
def test_what_is_left_out_is_what_a_whole_phase_takes_more(clock, epochs, steps):
    rehearsal = Rehearsal()
    short = train(rehearsal, clock, *rehearsal.limits(epochs, steps))
    whole = TRACING + epochs * (steps * STEP + VALIDATION)
    assert short + rehearsal.remaining[0] == pytest.approx(whole)
    assert short <= TRACING + 2 * (20 * STEP + VALIDATION)


def test_a_dry_run_keeps_nothing(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("mobilenet_tf.runs.train.build_network", build_tiny)
    seen = []
    begin = keras.Model.fit

    def fit(self, *args, **options):
        seen.append((options["epochs"], options["steps_per_epoch"]))
        return begin(self, *args, **options)

    monkeypatch.setattr(keras.Model, "fit", fit)
    recipe = load_recipe("small_data").with_fields({"train.epochs": 1000, "batch": 16})
    network = make_network("v1", 0.25, 32, channels=1)
    settings = RunSettings(data="digits", network=network, recipe=recipe)
    found = mobilenet_tf.dry_run(settings, "train")
    assert seen == [(2, 20)]
    assert not list(here.iterdir())
    assert not list(tmp_path.glob("mobilenet_tf_*"))
    assert set(found["stages"]) == {"start", "train"}
    assert found["seconds"] == pytest.approx(sum(found["stages"].values()))
    assert found["seconds"] > found["dry_seconds"]  # of 1000 epochs, 2 were trained in part
    assert found["memory_bytes"] > 1e8
    assert found["disk_bytes"] > 1e4
