"""What is damaged, and which of the program's own readers meet it, by kind of file.

A kind is a function that sets up a folder and returns a function of a seed, which damages, reads,
and returns what became of it: accepted, refused with a sentence, or crashed in the guarded child.
Whatever else it raises is a fault. The kinds that need TensorFlow are in `keras_kinds`.
"""

import io
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console

from mobilenet_tf import evaluate, inspect, predict
from mobilenet_tf.commands.predict import stated
from mobilenet_tf.core.child import ChildCrash
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import json_text
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.outcome import Outcome
from mobilenet_tf.core.text import clean
from mobilenet_tf.deployment.report.card import write_card
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.settings import RunSettings, read_settings
from mobilenet_tf.selection.search_settings import SearchSettings
from mobilenet_tf.selection.tuning_space import DEFAULT_SPACE, load_space
from mobilenet_tf.training.recipe import load_recipe
from tests.fuzz.byte_mutants import damage_bytes, damage_header, damage_text
from tests.fuzz.picture_samples import pictures
from tests.fuzz.tflite_mutants import MUTATORS
from tests.fuzz.tflite_samples import LABELS, valid
from tests.fuzz.tree_mutants import damage_json, damage_toml

RUN = Path(__file__).parents[1] / "runs/fixtures/run_v1"
RECIPES = Path(__file__).parents[2] / "mobilenet_tf/training/recipes"
_PICTURES = 8  # that one command reads

Read = Callable[[int], Counter]
Damage = Callable[[bytes, Random], bytes]
Cases = dict[str, tuple[bytes, Damage, Callable[[Path], Any]]]  # by the name of the file


def outcome(command: Callable[[], Any]) -> str:
    """Return what became of a command: accepted, refused or crashed."""
    try:
        command()
    except ChildCrash:
        return "crashed"
    except (UserError, OSError) as error:  # of both, the command line makes a sentence
        sentence = str(error)
        if not sentence.strip() or "\n" in clean(sentence) or len(clean(sentence)) > 4000:
            raise ValueError(f"not a sentence: {sentence[:200]!r}") from error
        return "refused"
    return "accepted"


def shown(result: Outcome) -> None:
    """Print a result as the command line does, as valid JSON and as a table."""

    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    json.loads(json_text(result), parse_constant=no_constant)
    Console(file=io.StringIO()).print(result)


def picture(place: Path, name: str = "picture.png", seed: int = 0) -> Path:
    """Write a picture of noise."""
    place.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(place / name)
    return place / name


def tflite(place: Path) -> Read:
    """Model files, by `inspect`, `predict` and, in turn, `evaluate`."""
    samples, image, file = valid(), picture(place), place / "mutant.tflite"
    for name in LABELS:
        for seed in range(2):
            picture(place / "data" / name, f"{seed}.png", seed)

    def read(seed: int) -> Counter:
        random = Random(seed)
        content = samples[random.choice(sorted(samples))]
        file.write_bytes(MUTATORS[seed % len(MUTATORS)](content, random))
        found = [outcome(lambda: shown(inspect(file)))]
        found.append(outcome(lambda: shown(predict(file, [image]))))
        if seed % 4 == 0:
            data = str(place / "data")
            found.append(outcome(lambda: shown(evaluate(file, data=data))))
        return Counter(found) + Counter(mutants=1)

    return read


def images(place: Path) -> Read:
    """Pictures in all formats, several at a time, by `predict`."""
    file, samples = place / "model.tflite", pictures()
    file.write_bytes(valid()["v1"])
    image = picture(place)

    def read(seed: int) -> Counter:
        random = Random(seed)
        paths = []
        for index, name in enumerate(random.choices(sorted(samples), k=_PICTURES)):
            damage = random.choice((damage_bytes, damage_header, damage_header))
            paths.append(place / f"{index}-{name}")
            paths[-1].write_bytes(damage(samples[name], random))
        result = predict(file, [image, *paths])
        shown(result)
        for path in paths:
            path.unlink()
        refused = len(result["failed"])
        return Counter(mutants=_PICTURES, refused=refused, accepted=_PICTURES - refused)

    return read


def several(cases: Cases, place: Path) -> Read:
    """Damage one of several files, each of which has a reader."""

    def read(seed: int) -> Counter:
        random = Random(seed)
        name = sorted(cases)[seed % len(cases)]
        content, damage, command = cases[name]
        path = place / name
        path.write_bytes(damage(content, random))
        return Counter([outcome(lambda: command(path))]) + Counter(mutants=1)

    return read


def texts(place: Path) -> Read:
    """Label files, recipes, search spaces and the settings of runs, by their readers."""
    recipe = load_recipe("small_data")
    labels = "".join(f"{name}\n" for name in (*LABELS, "crème brûlée", "日本")).encode()
    settings = RunSettings(data="digits", network=make_network("v3_small", 0.35, 32))
    RunFolder(place).write_config(settings.to_dict())
    now = (place / "config.toml").read_bytes()

    def space(path: Path) -> None:
        found = load_space(path, recipe)
        SearchSettings(
            data="digits", input=InputSpec(32, 1), recipe=recipe, space=found
        ).check_enough(3, 1)

    cases = {
        "labels.txt": (labels, damage_text, lambda path: stated(None, None, path)),
        "space.toml": (DEFAULT_SPACE.read_bytes(), damage_toml, space),
        "settings.toml": (now, damage_toml, read_settings),
        "settings_1.toml": ((RUN / "config.toml").read_bytes(), damage_toml, read_settings),
    }
    for path in sorted(RECIPES.glob("*.toml")):
        cases[path.name] = (path.read_bytes(), damage_toml, lambda one: load_recipe(str(one)))
    return several(cases, place)


def runs(place: Path) -> Read:
    """The files of a run folder that somebody sent, by `evaluate` and the model card."""
    folder = place / "run"
    damages = {
        "config.toml": damage_toml,
        "result.json": damage_json,
        ".mobilenet_tf.json": damage_json,
        "model_int8.tflite": damage_bytes,
    }
    marker = {"kind": "run", "identity": "a", "target": "", "files": {}}
    good = {name: (RUN / name).read_bytes() for name in damages if not name.startswith(".")}
    good[".mobilenet_tf.json"] = json.dumps(marker).encode()

    def read(seed: int) -> Counter:
        random, name = Random(seed), sorted(damages)[seed % len(damages)]
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(RUN, folder)
        (folder / name).write_bytes(damages[name](good[name], random))
        found = [outcome(lambda: write_card(RunFolder(folder)))]
        found.append(outcome(lambda: shown(evaluate(folder))))
        return Counter(found) + Counter(mutants=1)

    return read
