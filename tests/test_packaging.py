"""The package as it is installed: from a wheel, from a source archive, and as an editable."""

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mobilenet_tf
from mobilenet_tf.core.files import read_toml
from mobilenet_tf.core.packages import PACKAGES
from tests.sources import ROOT

BUILD = """
import sys
from setuptools import build_meta
for kind in sys.argv[2:]:
    getattr(build_meta, f"build_{kind}")(sys.argv[1])
"""


def build(source: Path, out: Path, *kinds: str) -> None:
    """Build archives from a source folder, by the same calls as pip."""
    command = [sys.executable, "-c", BUILD, str(out), *kinds]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Folder with a source archive, an editable wheel, and the wheel built from the archive."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("package")
    source, out = folder / "source", folder / "out"
    out.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("mobilenet_tf", "export"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build(source, out, "sdist", "editable")
    with tarfile.open(next(out.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    build(next((folder / "unpacked").iterdir()), out, "wheel")
    return out


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """Folder into which the wheel is unpacked, which is all that pip does with it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel(built)) as archive:
        archive.extractall(folder)
    return folder


def wheel(built: Path) -> Path:
    """The wheel that is not editable."""
    return next(path for path in built.glob("*.whl") if "editable" not in path.name)


def files(folder: Path) -> set[str]:
    """Every file below a folder, except compiled Python."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths if path.suffix != ".pyc"}


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(wheel(built)) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    own = {name for name in files(ROOT / "mobilenet_tf") if not name.startswith("deployment/")}
    deployed = {f"deployment/{name}" for name in files(ROOT / "export")}
    assert found == {f"mobilenet_tf/{name}" for name in own | deployed}
    for suffix in (".html", ".csv", ".toml", ".c", ".cc", ".h", ".typed"):
        assert any(name.endswith(suffix) for name in found), suffix


def test_the_wheel_requires_what_runs_files(built):
    with zipfile.ZipFile(wheel(built)) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    required = metadata.get_all("Requires-Dist")
    light = {named(one) for one in required if "extra ==" not in one}
    assert light == {
        *("ai-edge-litert", "flatbuffers", "numpy", "pillow"),
        *("typer", "rich", "tomli-w", "tomli"),
    }
    assert 'tensorflow>=2.19; extra == "train"' in required
    assert metadata["Version"] == mobilenet_tf.__version__
    assert metadata["License-Expression"] == "Apache-2.0"


def test_only_one_global_name_is_claimed(built):
    for path in built.glob("*.whl"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            top = archive.read(next(name for name in names if name.endswith("/top_level.txt")))
            assert top.decode().split() == ["mobilenet_tf"]
            for finder in (name for name in names if name.endswith("_finder.py")):
                mapping = re.search(r"^MAPPING.*$", archive.read(finder).decode(), re.M)[0]
                assert "'mobilenet_tf':" in mapping
                assert "'export':" not in mapping


def run(folder: Path, elsewhere: Path, *arguments: str) -> str:
    """Output of Python that finds mobilenet_tf in `folder` only."""
    paths = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=elsewhere, env=paths, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_package_runs(installed, tmp_path):
    where = "import mobilenet_tf.deployment.tflite as x; print(x.__file__)"
    assert run(installed, tmp_path, "-c", where).startswith(str(installed))
    summary = json.loads(run(installed, tmp_path, "-m", "mobilenet_tf", "summary", "v1", "--json"))
    assert summary["parameters"] == 4_253_864
    assert "--json" in run(installed, tmp_path, "-m", "mobilenet_tf", "inspect", "--help")


def environment(folder: Path, requirement: str) -> Path:
    """Folder of the commands of a fresh environment, at the versions that are tested."""
    venv.create(folder, with_pip=True)
    pip = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", ROOT / "requirements.txt", requirement], check=True)
    return folder / "bin"


def command(folder: Path, elsewhere: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The command of an environment, called where there is no checkout."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [folder / "mobilenet-tf", *arguments]
    return subprocess.run(
        words, cwd=elsewhere, env=clean, capture_output=True, text=True, check=False
    )


def megabytes(folder: Path) -> float:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@pytest.mark.install
def test_both_installations_without_the_checkout(built, tmp_path):
    """One with `train` makes a file of digits; one without extras reads it."""
    whole = environment(tmp_path / "whole", f"mobilenet_tf[train] @ file://{wheel(built)}")
    words = ["run", "--epochs", "3", "--qat-epochs", "1", "--out", "digits"]
    done = command(whole, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "digits/result.json").read_text())
    assert (tmp_path / "digits/report.html").is_file()

    pictures = tmp_path / "pictures"
    for index, name in enumerate(result["data"]["classes"]):
        (pictures / name).mkdir(parents=True)
        for number in range(6):
            pixels = np.random.default_rng(10 * index + number).integers(0, 256, (32, 32), np.uint8)
            Image.fromarray(pixels).save(pictures / name / f"{number}.png")
    light = environment(tmp_path / "light", f"mobilenet_tf @ file://{wheel(built)}")
    listed = subprocess.run([light / "pip", "list"], capture_output=True, text=True, check=True)
    assert "tensorflow" not in listed.stdout
    assert megabytes(tmp_path / "light") < 250  # as docs/install.md says
    assert megabytes(tmp_path / "whole") < 3000
    file = "digits/model_int8.tflite"
    for words in (
        ("inspect", file),
        ("predict", file, "pictures", "--explain", "maps"),
        ("evaluate", file, "--data", "pictures"),
        ("data", "pictures", "--html", "page.html"),
        ("summary", "v1"),
        ("web", file, "--out", "page"),
    ):
        done = command(light, tmp_path, *words)
        assert done.returncode == 0, done.stderr
    done = command(light, tmp_path, "train")
    assert done.stderr == "Error: train needs TensorFlow; install mobilenet-tf[train].\n"
    assert done.returncode == 2


def test_extras_have_the_pins_of_requirements():
    """Versions are written down twice, for `make` and for pip; they must agree."""
    pins = {}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^;\s]+)", line):
            pins.setdefault(match[1].lower(), set()).add(match[2])
    project = read_toml(ROOT / "pyproject.toml")["project"]
    extras = project["optional-dependencies"]
    for extra in ("dev", "micro", "tfds", "geolocation", "suspects"):
        for requirement in extras[extra]:
            name, _, version = requirement.partition("==")
            assert name.lower() in pins or name == "mobilenet_tf[train]", requirement
            assert not version or version in pins[name.lower()], requirement
    for requirement in (*project["dependencies"], *extras["train"]):
        assert named(requirement) in pins, requirement


def named(requirement: str) -> str:
    """Name of a required package."""
    return re.match(r"[\w.-]+", requirement)[0].lower()


def test_missing_packages_are_installed_by_the_extra_that_sentences_name():
    project = read_toml(ROOT / "pyproject.toml")["project"]
    extras = {"": project["dependencies"]} | project["optional-dependencies"]
    for package in PACKAGES:
        assert package.name in map(named, extras[package.extra]), package
    known = {"mobilenet_tf", *(package.name for package in PACKAGES)}
    for extra in ("train", "micro", "geolocation", "suspects"):
        assert set(map(named, extras[extra])) <= known
