"""The commands of the documents do what they say, one after the other, on digits as files.

Trainings, searches and networks are short. Runs that a page begins with are made first, once for
all pages; what a page calls FOLDER, `faces` or `a.tflite` is there. Commands with a prompt are left
out: programs in benchmarks/ ran them and wrote what they print.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import tf_keras

from mobilenet_tf.cli.app import app
from mobilenet_tf.datasets.sources.digits import bundled_digits, digit_images
from mobilenet_tf.deployment.devices import android_app
from mobilenet_tf.networks.keras_model import build
from mobilenet_tf.networks.published import weights
from mobilenet_tf.networks.zoo import make_network
from tests.commands.foreign_kinds import plain, saved
from tests.documents import COMMAND_LINE, PAGES, Shown, shown_commands
from tests.fake_phone import connect
from tests.killing import command, free_port, together
from tests.sources import ROOT

# What needs TPUs and ImageNet's pictures; tests/commands/test_completion.py has the other.
ELSEWHERE = re.compile(r"--strategy tpu|^--install-completion")
EMULATED = {"arm": re.compile(r"--device cortex-a"), "firmware": re.compile(r"--device cortex-m")}
# What makes commands short, and lets them replace what another one of the page wrote; limits that
# short networks exceed and can meet.
SHORT = {
    r"^run (?!.*(--target|--config))": "--epochs 1 --qat-epochs 1",
    r"^run (?!.*--dry-run)": "--overwrite",
    r"^run --task detection": "--size 96",
    r"^run .*--compress .*prune": "--set prune.epochs=1",
    r"^run .*--compress .*cluster": "--set cluster.epochs=1",
    r"^run .*--compress .*int4": "--set int4.epochs=1",
    r"^run .*--max-flash": "--model v1 --alpha 0.25",
    r"^train ": "--epochs 1",
    r"^tune ": "--trials 2 --epochs 1",
    r"^tune (?!.*--out)": "--overwrite",
    r"^search ": "--size 64 --trials 2 --judge-epochs 1 --judge-size 32 --epochs 1 --qat-epochs 1"
    " --finalists 1 --winners 1 --seeds 1 --overwrite",
    r"^adapt ": "--steps 1 --batches 1 --epochs 1 --overwrite",
    r"^adapt .*--to": "--to 90%",
    r"^adapt .*--max-ram": "--max-ram 50KB",
    r"^adapt .*--max-latency": "--max-latency 0.1ms",
    r"^adapt .*--max-instructions": "--max-instructions 5M",
    r"^adapt .*--max-macs": "--max-macs 3M",
}
# One of several workers that share a disk; they are started together.
SHARED_WORK = "/shared/search"
ONE_WORKER = '{"cluster": {"worker": ["localhost:%s"]}, "task": {"type": "worker", "index": 0}}'
# Run in an example -> how it is made.
RUNS = {
    r"runs/tune_(?P<data>digits)": "tune --data {data} --model v1 --alpha 0.5",
    r"runs/digits_(?P<model>.+)_(?P<alpha>[\d.]+)_(?P<size>\d+)": (
        "run --data digits --model {model} --alpha {alpha} --size {size}"
    ),
    r"runs/photos_(?P<task>detection)_(?P<model>.+)_(?P<alpha>[\d.]+)_(?P<size>\d+)": (
        "run --task {task} --data digits --model {model} --alpha {alpha} --size {size} --out {run}"
    ),
    r"runs/photos_(?P<model>.+)_(?P<alpha>[\d.]+)_(?P<size>\d+)": (
        "run --data photos --model {model} --alpha {alpha} --size {size}"
    ),
    r"runs/\w+": "run --data photos --model v1 --alpha 0.5 --size 64 --out {run}",
}
NAMES = {"RUN": "runs/photos", "DIR": "others", SHARED_WORK: "shared_search"}
FILES = ("a", "b", "ours", "theirs", "upload", "model_int8")  # .tflite
PUBLISHED = (("v2", 0.35, 96), ("v2", 1.0, 224))
PICTURES = 200
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_networks")]


def commands_of(page: Path) -> Iterator[tuple[Shown, str]]:
    """Yield the commands of a page that are executed here, and what they are, as a line."""
    for shown in shown_commands(page):
        line = shlex.join(NAMES.get(word, word) for word in shown.words)
        here = (shown.program, shown.where) == (COMMAND_LINE, "block")
        if here and not ELSEWHERE.search(line):
            yield shown, line


def emulated(line: str) -> str:
    """Return the mark of the tests that have the emulator which a command needs; "" for none."""
    return next((mark for mark, needs in EMULATED.items() if needs.search(line)), "")


def pages() -> Iterator:
    """Yield each page with commands, once for those that need no emulator, and for each mark."""
    for page in PAGES:
        for mark in sorted({emulated(line) for _, line in commands_of(page)}):
            marks = [getattr(pytest.mark, mark)] if mark else []
            name = page.relative_to(ROOT).as_posix()
            yield pytest.param(page, mark, marks=marks, id=f"{name}-{mark}" if mark else name)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the pages have: pictures, tables, models; runs are added as needed."""
    folder = tmp_path_factory.mktemp("place")
    listing, greys = bundled_digits()
    rows = zip(listing.names, listing.labels, digit_images(greys[:PICTURES]), strict=False)
    groups = ["file,group"]
    for kind in ("images", "masks"):
        (folder / "FOLDER" / kind).mkdir(parents=True)
    for number, (name, label, image) in enumerate(rows):
        path = folder / "photos" / listing.classes[label] / f"person_{number % 20}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        groups.append(f"{path.name},{number % 20}")
        large = image.resize((64, 64))
        large.save(folder / "FOLDER" / "images" / path.name)
        large.convert("L").point(lambda grey: int(grey > 127)).save(
            folder / "FOLDER" / "masks" / path.name
        )
    for name in ("faces", "clothing"):
        (folder / name).symlink_to(folder / "photos")
    for name in ("new.jpg", "upload.jpg"):
        image.save(folder / name)
    (folder / "others").mkdir()
    for number in range(4):
        image.rotate(90 * number).save(folder / "others" / f"{number}.png")
    saved(plain, tf_keras, folder).rename(folder / "model.keras")
    (folder / "person.csv").write_text("\n".join(groups))
    return folder


@pytest.fixture
def surroundings(place, tmp_path, monkeypatch):
    """The place, a phone, an Android project, published weights, names on standard input."""
    monkeypatch.chdir(tmp_path)
    for path in place.iterdir():
        if path.name != "runs":
            (tmp_path / path.name).symlink_to(path)
    bring(NAMES["RUN"], place)
    for name in FILES:
        shutil.copy(Path(NAMES["RUN"], "model_int8.tflite"), f"{name}.tflite")
    connect(tmp_path, monkeypatch)
    demo = tmp_path / "android_demo"
    demo.mkdir()
    shutil.copy(ROOT / "android_demo/settings.gradle.kts", demo)
    monkeypatch.setattr(android_app, "DEMO", demo)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"new.jpg\n")))
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    monkeypatch.setattr(weights, "HASHES", {})
    monkeypatch.setattr("tf_keras.utils.get_file", lambda name, *_, **__: str(place / name))
    for name, alpha, size in PUBLISHED:
        url, _ = weights.published_file(make_network(name, alpha, size, 1000), include_top=True)
        file = place / url.rpartition("/")[2]
        if not file.exists():
            build(name, alpha, size, 1000).save_weights(file)


def interrupted(server) -> None:
    """Do what a server does when the user presses Ctrl-C."""
    raise KeyboardInterrupt


def execute(line: str) -> None:
    """Run a command in its short form; what `verify` demands may be missed."""
    short = [more for pattern, more in SHORT.items() if re.search(pattern, line)]
    words = shlex.split(" ".join([line, *short]))
    if NAMES[SHARED_WORK] in words:
        if not Path(NAMES[SHARED_WORK]).exists():
            together(command(*words))
    elif "multiworker" in words:
        environment = os.environ | {"TF_CONFIG": ONE_WORKER % free_port()}
        subprocess.run(command(*words), env=environment, check=True)
    else:
        code = app(args=words, standalone_mode=False)
        assert code in ((0, 1, None) if words[0] == "verify" else (0, None)), line


def bring(run: str, place: Path) -> None:
    """Copy a run from the place where it is made, unless an earlier command has written it."""
    if Path(run).exists():
        return
    if not (place / run).exists():
        matches = ((re.fullmatch(pattern, run), line) for pattern, line in RUNS.items())
        match, line = next((match, line) for match, line in matches if match)
        here = os.getcwd()
        os.chdir(place)
        execute(line.format(run=run, **match.groupdict()))
        os.chdir(here)
    shutil.copytree(place / run, run)


@pytest.mark.parametrize(("page", "mark"), pages())
def test_commands_of_pages(page, mark, place, surroundings):
    executed = 0
    for shown, line in commands_of(page):
        if emulated(line) == mark:
            if shown.words[0] != "run" or {"--weights", "--recipe"} & set(shown.words):
                for run in re.findall(r"runs/[\w.]+", line):
                    bring(run, place)
            execute(line)
            executed += 1
    assert executed
