"""The commands of how-to pages do what they say, one after the other, on digits as files.

Runs that a page begins with are made first, once for all pages. Trainings and networks are short.
Commands with a prompt are left out: programs in benchmarks/ ran them and wrote what they print.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
import tf_keras

from mobilenet_tf.cli.app import app
from mobilenet_tf.datasets.sources.digits import bundled_digits, digit_images
from tests.commands.foreign_kinds import plain, saved
from tests.documents import COMMAND_LINE, shown_commands
from tests.sources import ROOT

PAGES = (
    *("README.md", "docs/compression.md", "docs/data.md", "docs/embedded.md", "docs/install.md"),
    *("docs/interop.md", "docs/networks.md", "docs/pretrained.md", "docs/quantization.md"),
    *("docs/scores.md", "docs/tutorial_microcontroller.md"),
)
# What needs a phone, emulated cores, published weights, hours, or does not end, or writes into the
# Android project; and limits that fit the networks of the examples, not these short ones. `make
# test-arm`, `test-firmware`, `test-web`, `test-android` and tests/commands have these.
ELSEWHERE = re.compile(
    r"--device (phone|cortex)|--weights imagenet|--serve|^--install-completion"
    r"|^(search|tune|adapt|android) |--max-flash 128KB|model_int8\.tflite -"
)
# Further words that make a command short, and let it replace what another one of the page wrote.
_ONE_EPOCH = "--epochs 1 --qat-epochs 1"
SHORT = {"run": f"{_ONE_EPOCH} --overwrite"}
STAGES = ("prune", "cluster", "int4")
NAMED = re.compile(r"runs/photos_(?P<model>.+)_(?P<alpha>[\d.]+)_(?P<size>\d+)")
NAMES = {"RUN": "runs/photos", "DIR": "others"}
PICTURES = 200
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_networks")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with `photos` in classes, others, a table of groups, a model, and runs."""
    folder = tmp_path_factory.mktemp("place")
    listing, greys = bundled_digits()
    rows = zip(listing.names, listing.labels, digit_images(greys[:PICTURES]), strict=False)
    groups = ["file,group"]
    for number, (name, label, image) in enumerate(rows):
        path = folder / "photos" / listing.classes[label] / f"person_{number % 20}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        groups.append(f"{path.name},{number % 20}")
    image.save(folder / "new.jpg")
    (folder / "others").mkdir()
    for number in range(4):
        image.rotate(90 * number).save(folder / "others" / f"{number}.png")
    saved(plain, tf_keras, folder).rename(folder / "model.keras")
    (folder / "person.csv").write_text("\n".join(groups))
    return folder


def execute(words: tuple[str, ...]) -> None:
    """Run a command in its short form; what `verify` demands may be missed."""
    command, *options = words
    short = SHORT.get(command, "")
    if {"--target", "--config"} & set(words):  # which decide all but this
        short = "--overwrite"
    if "--dry-run" in words:  # which keeps nothing
        short = _ONE_EPOCH
    more = short.split()
    for stage in STAGES if command == "run" else ():
        more += ["--set", f"{stage}.epochs=1"] * any(stage in word for word in options)
    code = app(args=[*words, *more], standalone_mode=False)
    assert code in ((0, 1, None) if command == "verify" else (0, None)), words


def bring(run: str, place: Path) -> None:
    """Copy a run from the place where it is made, unless an earlier command has written it."""
    if not Path(run).exists():
        if not (place / run).exists():
            named = NAMED.fullmatch(run)
            options = named.groupdict() if named else {"model": "v1", "size": "32", "out": run}
            here = os.getcwd()
            os.chdir(place)
            words = (word for key, value in options.items() for word in (f"--{key}", value))
            execute(("run", "--data", "photos", *words))
            os.chdir(here)
        shutil.copytree(place / run, run)


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_pages(page, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "others", "new.jpg", "person.csv", "model.keras"):
        (tmp_path / name).symlink_to(place / name)
    executed = 0
    for command in shown_commands(ROOT / page):
        words = tuple(NAMES.get(word, word) for word in command.words)
        line = " ".join(words)
        here = (command.program, command.where) == (COMMAND_LINE, "block")
        if not here or ELSEWHERE.search(line):
            continue
        if words[0] != "run" or "--weights" in words:
            for run in re.findall(r"runs/[\w.]+", line):
                bring(run, place)
        execute(words)
        executed += 1
    assert executed
