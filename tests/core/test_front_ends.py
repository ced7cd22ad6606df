"""Front ends of other programs: what they make of an input, and how runs ask for them."""

import pytest

from mobilenet_tf.cli import new_run
from mobilenet_tf.cli.app import app
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.front_ends import MEDIAPIPE, find_front_end, input_options
from mobilenet_tf.core.inputs import InputSpec

MODULES = {"search": "architecture", "tune": "tuning", "compare": "comparison"}
NETWORKS = {
    "search": lambda found: [found.space.network(found.space.extreme(min), 10, found.input)],
    "tune": lambda found: found.space.networks(10, found.input),
}


def settings(monkeypatch, *words):
    """Return the settings that `train` would start with."""
    heard = []
    monkeypatch.setattr("mobilenet_tf.commands.train.train", lambda found, **_: heard.append(found))
    monkeypatch.setattr(new_run, "_print", lambda *_: None)
    app(args=["train", *words], standalone_mode=False)
    return heard[0]


@pytest.mark.parametrize("command", ["search", "tune", "compare"])
def test_searches_and_comparisons_prepare_pictures_as_runs_do(monkeypatch, command):
    heard = []
    monkeypatch.setattr(
        f"mobilenet_tf.commands.{command}.{command}", lambda *found, **_: heard.append(found)
    )
    monkeypatch.setattr(f"mobilenet_tf.cli.{MODULES[command]}.show", lambda *_: None)
    for words in ("--for mediapipe", "--fit pad"):
        app(args=[command, *words.split()], standalone_mode=False)
        *_, found = heard[-1]
        (network, *_) = found if command == "compare" else NETWORKS[command](found)
        assert network.input == settings(monkeypatch, *words.split()).network.input
    with pytest.raises(UserError, match="--fit cannot be combined with --for"):
        app(args=[command, "--for", "mediapipe", "--fit", "pad"], standalone_mode=False)


@pytest.mark.parametrize("options", [{}, {"fit": "pad"}, {"for": "mediapipe"}])
def test_an_input_is_said_in_options(monkeypatch, options):
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    assert input_options(settings(monkeypatch, *words).network.input) == options


def test_what_mediapipe_makes_of_an_input():
    found = MEDIAPIPE.prepares(InputSpec(96, mean=10.0, crop=0.5, fit="pad"))
    assert found == InputSpec(96, mean=10.0, fit="stretch", resize="mediapipe")
    assert MEDIAPIPE.prepares(found) == found
    assert InputSpec.from_dict(found.to_dict()) == found
    with pytest.raises(UserError, match="inputs of 3 channels only, and this one has 1"):
        MEDIAPIPE.prepares(InputSpec(96, channels=1))
    with pytest.raises(UserError, match="front end is 'vision'; it must be one of mediapipe"):
        find_front_end("vision")


def test_runs_for_mediapipe(monkeypatch):
    found = settings(monkeypatch, "--for", "mediapipe").network.input
    assert found == MEDIAPIPE.prepares(InputSpec(32, channels=3))
    found = settings(monkeypatch, "--for", "mediapipe", "--task", "detection").network.input
    assert (found.fit, found.resize) == ("stretch", "mediapipe")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--for mediapipe --channels 1", "train the network with --channels 3"),
        ("--for mediapipe --io int8", "io is 'int8'; it must be one of uint8, float32"),
        ("--for mediapipe --fit pad", "--fit cannot be combined with --for"),
        ("--task detection --fit crop", "fit is 'crop'; it must be one of stretch, pad"),
        ("--fit zoom", "fit is 'zoom'; it must be one of crop, stretch, pad"),
    ],
)
def test_what_does_not_go_together(monkeypatch, words, said):
    with pytest.raises(UserError, match=said):
        settings(monkeypatch, *words.split())


def test_the_fit_is_that_of_the_task_or_the_option(monkeypatch):
    for words, fit in (
        ("", "crop"),
        ("--fit pad", "pad"),
        ("--task segmentation", "stretch"),
        ("--task segmentation --fit pad", "pad"),
    ):
        found = settings(monkeypatch, *words.split()).network.input
        assert (found.fit, found.resize) == (fit, "bilinear")
