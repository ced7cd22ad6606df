"""Small pictures, models whose scores are known, and one finished run, made once."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.reported.drive import call, succeeded
from tests.reported.models import colour_model, describe, to_tflite, write

COLOURS = {"blue": (40, 40, 220), "green": (40, 220, 40), "red": (220, 40, 40)}
SMALL = ("--model", "v1", "--alpha", "0.25", "--size", "32", "--epochs", "1", "--qat-epochs", "0")


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Store measurements for this session only, apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def square(tmp_path_factory) -> Path:
    """A small red picture."""
    path = tmp_path_factory.mktemp("square") / "red.png"
    Image.new("RGB", (32, 32), (220, 20, 20)).save(path)
    return path


def save_squares(folder: Path, colour: tuple[int, int, int], count: int = 8, seed: int = 0) -> None:
    """Write `count` noisy squares of a colour, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng([seed, *colour])
    for number in range(count):
        pixels = np.clip(random.normal(colour, 20, (36, 36, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}_{number}.png")


def save_classes(folder: Path, names: dict[str, tuple[int, int, int]] | None = None) -> Path:
    """Write one folder of squares per class."""
    for name, colour in (names or COLOURS).items():
        save_squares(folder / name, colour)
    return folder


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """Eight squares each of three colours; for reading only."""
    return save_classes(tmp_path_factory.mktemp("photos") / "photos")


@pytest.fixture(scope="session")
def finished(photos, tmp_path_factory) -> Path:
    """A run of one epoch with all its stages; for reading only."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    succeeded(call("run", "--data", photos, *SMALL, "--out", folder))
    return folder


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy of the finished run."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture(scope="session")
def float_file() -> bytes:
    """The float .tflite of the colours red, green and blue, without metadata."""
    return to_tflite(colour_model())


@pytest.fixture(scope="session")
def colours_file(float_file, tmp_path_factory) -> Path:
    """A .tflite that knows the three colours, and its labels."""
    path = tmp_path_factory.mktemp("files") / "colours.tflite"
    return write(path, describe(float_file, ("red", "green", "blue")))
