"""The documents agree with the code: links, options, paths, commands of make; the site builds."""

import os
import re
import subprocess
import sys
from functools import cache

import pytest
import yaml

import mobilenet_tf
from tests.documents import PAGES
from tests.sources import ROOMS, ROOT, check

REPOSITORY = "https://github.com/mobilenet-tf/mobilenet_tf/blob/main/"
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
all_pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.M))


@all_pages
def test_links_lead_somewhere(page):
    """Links to files of the repository, relative or by address; mkdocs checks those to headings."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for target in targets:
        path = target.partition("#")[0]
        if path.startswith(REPOSITORY):
            assert (ROOT / path.removeprefix(REPOSITORY)).exists(), target
        elif path and not path.startswith(("http://", "https://", "data:")):
            assert (page.parent / path).exists(), target


@all_pages
def test_make_commands_exist(page):
    named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M)
    assert set(named) <= make_targets()


@cache
def options() -> dict[str, set[str]]:
    """Every command's options, except hidden ones."""
    import typer

    from mobilenet_tf.cli.app import app

    return {
        name: {
            option
            for parameter in command.params
            if not getattr(parameter, "hidden", False)
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        for name, command in typer.main.get_command(app).commands.items()
    }


@all_pages
def test_commands_have_the_options_that_examples_use(page):
    known = options()
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, rest in re.findall(r"mobilenet[-_]tf ([a-z]+)([^\n`]*)", text):
        if name in known or "--" in rest:
            assert name in known, f"{page.name} has no such command: {name}"
            used = set(re.findall(r"--[a-z][a-z-]*", rest))
            assert used <= known[name], f"{page.name}: {name} {used - known[name]}"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_files_that_are_named_exist(page):
    """Paths in code format, given from the repository's root or from within the package."""
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = re.findall(r"`([\w/.-]+(?:\.(?:py|csv)|/))`", text)
    homes = (ROOT, ROOT / "mobilenet_tf")
    missing = {path for path in paths if not any((home / path).exists() for home in homes)}
    made = {"site/"}
    assert {path for path in missing if "NAME" not in path} <= made


def test_architecture_has_every_room():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = re.search(r"```\nmobilenet_tf/\n(.*?)```", text, re.S)[1]
    listed = re.findall(r"^  (\w+)/? ", tree.split("export/ ")[0], re.M)
    rooms = [room for room in ROOMS if (ROOT / "mobilenet_tf" / room).is_dir()]
    assert listed == rooms
    order = re.search(r"^core < .*$", text, re.M)[0].split(" < ")
    assert order == rooms


def test_reference_has_every_public_name():
    text = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
    shown = {name.rpartition(".")[2] for name in re.findall(r"^::: ([\w.]+)$", text, re.M)}
    assert shown == set(mobilenet_tf.__all__)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, and what mkdocs says."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    return folder, log


@pytest.mark.slow
def test_the_site_builds_without_warnings(site):
    folder, log = site
    assert "WARNING" not in log
    assert (folder / "reference" / "index.html").is_file()


# What a page loads, and where Material asks GitHub for facts about the repository.
FETCHED = re.compile(
    r'<(?:script|img|iframe|source)[^>]* src="?(?:https?:)?//[^>]*>'
    r'|<link[^>]* rel="?(?:stylesheet|preload|preconnect|icon)"?[^>]*="?(?:https?:)?//[^>]*>'
    r'|<[^>]*data-md-component="?source"?[^>]*>|class="?mermaid'
)


@pytest.mark.slow
def test_a_page_of_the_site_fetches_nothing_from_elsewhere(site):
    folder, _ = site
    pages = list(folder.rglob("*.html"))
    assert len(pages) > len(PAGES)
    check(
        [
            f"{page.relative_to(folder)}: {found}"
            for page in pages
            for found in FETCHED.findall(page.read_text(encoding="utf-8"))
        ]
    )
    assert "https://github.com/mobilenet-tf/mobilenet_tf" in pages[0].read_text(encoding="utf-8")


def test_workflow():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == PYTHONS
    runs = " ".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    called = set(re.findall(r"\bmake ([a-z-]+)(?= |$)(?! python)", runs))
    here = set(re.findall(r"\btest[a-z-]*", (ROOT / ".ci" / "run").read_text(encoding="utf-8")))
    assert {
        "test",
        "test-slow",
        "test-android",
        "test-arm",
        "test-firmware",
        "test-mediapipe",
        "test-web",
    } <= here
    assert here | {"demo", "docs"} <= called <= make_targets()


def test_supported_versions_of_python():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text) == PYTHONS
    assert 'requires-python = ">=3.10,<3.14"' in text


def test_hooks_use_the_pinned_tools():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    hooks = [hook for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]]
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    assert tools == {"ruff", "mypy"}
    assert all(re.search(rf"^{tool}==", pins, re.M) for tool in tools)
