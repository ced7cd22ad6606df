"""The kinds whose readers need TensorFlow: models, and what runs and searches go on with."""

import shutil
from pathlib import Path
from typing import Any

import tf_keras as keras

from mobilenet_tf import ModelData, export, load_weights
from mobilenet_tf.commands import tune
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.models import load_float
from mobilenet_tf.selection.search_settings import SearchSettings
from mobilenet_tf.selection.tuning_space import load_space
from mobilenet_tf.training import checkpoint
from mobilenet_tf.training.recipe import load_recipe
from tests.fuzz.byte_mutants import damage_bytes
from tests.fuzz.kinds import RUN, Cases, Read, several
from tests.fuzz.model_mutants import damage_h5, damage_keras
from tests.fuzz.tree_mutants import damage_json, damage_toml

layers = keras.layers
SPACE = """
model = ["v1"]
alpha = [0.25]
size = [32]
batch = [8, 16]
train.learning_rate = {min = 1e-3, max = 1e-2, log = true}
"""


def models(place: Path) -> Read:
    """Keras models of somebody else, by `export MODEL`; weights files, by `--weights`."""
    network, layers = make_network("v1", 0.25, 32, 4), keras.layers
    target = build_network(network)
    inner = [layers.Conv2D(4, 3, strides=2), layers.BatchNormalization(), layers.ReLU()]
    outer = [layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax")]
    made = keras.Sequential([keras.Input((32, 32, 3)), *inner, *outer])
    contents = {}
    for name, model in (("model.h5", made), ("model.keras", made), ("weights.keras", target)):
        model.save(place / name)
        contents[name] = (place / name).read_bytes()
    target.save_weights(place / "weights.h5")
    contents["weights.h5"] = (place / "weights.h5").read_bytes()

    def command(path: Path) -> None:
        keras.backend.clear_session()  # Keras keeps a part of every model
        if path.name.startswith("weights"):
            load_weights(target, str(path), network)
            return
        # Everything about the model is checked before the data are found to be absent.
        data = ModelData(str(place / "absent"), 127.5, 127.5)
        try:
            export(path, data=data, out=place / "out")
        except UserError as error:
            if not str(error).startswith(f"{place / 'absent'} does not exist"):
                raise

    cases = {
        name: (content, damage_h5 if name.endswith(".h5") else damage_keras, command)
        for name, content in contents.items()
    }
    return several(cases, place)


def states(place: Path) -> Read:
    """What an interrupted run and search go on with, by `train --resume` and `tune --resume`."""
    return several(_search_cases(place) | _run_cases(place), place)


class _Trainer:
    """Trains nothing."""

    def __init__(self, *_: Any) -> None:
        pass

    def fingerprint(self, _: Any) -> str:
        return "images"

    def __call__(self, trial: Any) -> float:
        return 0.5


def _search_cases(place: Path) -> Cases:
    tune._Trainer = _Trainer
    recipe, out = load_recipe("small_data"), place / "search"
    (place / "space.toml").write_text(SPACE)
    space = load_space(place / "space.toml", recipe)
    search = SearchSettings(data="digits", input=InputSpec(32, 1), recipe=recipe, space=space)
    tune.tune(search, trials=3, out=out)
    shutil.copytree(out, place / "search_before")

    def resumed(path: Path) -> None:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(place / "search_before", out)
        shutil.copy(path, out / path.name.replace("-", "/"))
        tune.tune(search, trials=4, out=out, resume=True)

    damages = {
        "config.toml": damage_toml,
        "result.json": damage_json,
        "oracle/oracle.json": damage_json,
        "oracle/trial_0/trial.json": damage_json,
    }
    return {
        name.replace("/", "-"): ((out / name).read_bytes(), damage, resumed)
        for name, damage in damages.items()
    }


def _run_cases(place: Path) -> Cases:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    history = {"val_loss": [0.5, 0.25], "loss": [1.0, 0.5]}
    state = checkpoint.State(2, history, model.get_weights(), 0.25)
    checkpoint.save(place / "good.npz", state, model, "same")

    def restored(path: Path) -> None:
        checkpoint.restore(path, model, "same")

    def sent(path: Path) -> None:
        folder = place / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(RUN, folder)
        shutil.copy(path, folder / path.name)
        load_float(RunFolder(folder))

    return {
        "checkpoint.npz": ((place / "good.npz").read_bytes(), damage_bytes, restored),
        "float.keras": ((RUN / "float.keras").read_bytes(), damage_keras, sent),
    }
