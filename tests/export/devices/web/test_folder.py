"""The page's folder, without a browser: its files, its policy, its packages, its server."""

import base64
import hashlib
import io
import json
import re
import tarfile
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.browser import served
from mobilenet_tf.commands.web import web
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import FITS, RESIZES, InputSpec
from mobilenet_tf.core.ownership import MARKER, read_marker
from mobilenet_tf.deployment.devices.web import folder as pages
from mobilenet_tf.deployment.devices.web import packages, server
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.deployment.tflite.parse import parse_model
from tests.sources import ROOT

DIGITS = ROOT / "android_demo/app/src/main/assets/digits.tflite"
PAGE = ROOT / "export/devices/web/page"


def archive(package: packages.Package) -> bytes:
    """An archive as npm packs it, with made-up files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for member in package.files:
            content = f"// {member}\n".encode()
            entry = tarfile.TarInfo(f"package/{member}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A folder from which a made-up npm delivers, a count of its calls, and a cache of its own."""
    source, tools = tmp_path / "registry", tmp_path / "tools"
    source.mkdir()
    tools.mkdir()
    known = []
    for package in packages.PACKAGES:
        content = archive(package)
        (source / package.archive).write_bytes(content)
        known.append(replace(package, sha512=packages._sha512(content)))
    program = tools / "npm"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'[ -e {source}/fails ] && echo "npm error code E404\nnpm error 404 gone." >&2 && exit 1\n'
        f"cp {source}/*.tgz .\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "PACKAGES", tuple(known))
    monkeypatch.setattr(pages, "PACKAGES", tuple(known))
    return tmp_path


def calls(npm: Path) -> list[str]:
    path = npm / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_a_page(npm):
    """Everything is in the folder; the packages are fetched once for all pages."""
    facts = pages.write_page(DIGITS, npm / "page")
    names = {path.relative_to(npm / "page").as_posix() for path in (npm / "page").rglob("*.*")}
    own = {path.name for path in PAGE.iterdir()} - {"LICENSE-LiteRT.txt"}
    fetched = {name for package in packages.PACKAGES for name in package.files.values()}
    assert names == own | fetched | {"model.tflite", MARKER}
    assert (npm / "page/litert/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (npm / "page/model.tflite").read_bytes() == DIGITS.read_bytes()
    assert facts["classes"] == 10
    assert facts["labelled"]
    assert facts["files"] == len(names)
    assert facts["bytes"] == sum(
        path.stat().st_size
        for path in (npm / "page").rglob("*")
        if path.is_file() and path.name != MARKER
    )
    assert calls(npm) == [
        f"pack --loglevel=error {package.name}@{package.version}" for package in packages.PACKAGES
    ]
    pages.write_page(DIGITS, npm / "another")
    assert len(calls(npm)) == 2


def test_the_policy_allows_the_page_and_no_more(npm):
    text = pages.page_files()["index.html"].decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("default-src") == rules.pop("base-uri") == rules.pop("form-action") == "'none'"
    scripts = rules.pop("script-src").split()
    assert set(rules.values()) == {"'self'"}
    inner = re.search(r'<script type="importmap">(.*?)</script>', text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
    assert scripts == ["'self'", "'wasm-unsafe-eval'", f"'sha256-{digest}'"]
    assert set(json.loads(inner)["imports"]) == {package.name for package in packages.PACKAGES}
    # What stands in the page itself beyond the import map would be refused.
    assert not re.search(r"<style|<script>| style=| on\w+=", text)
    assert re.findall(r'(?:src|href)="([^"]+)"', text) == [
        "icon.svg", "style.css", "main.js", "litert/LICENSE"
    ]  # fmt: skip


def test_the_page_s_own_files_name_no_other_place():
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert path.name.startswith("LICENSE") or not addresses, path.name
        assert path.suffix != ".js" or len(text.splitlines()) <= 300


def test_what_both_languages_know_is_the_same():
    """Limits, fits and filters stand in Python and in JavaScript."""
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in PAGE.glob("*.js")}
    fits = re.search(r"FITS = \[(.*?)\]", scripts["input"])[1]
    assert tuple(re.findall(r'"(\w+)"', fits)) == FITS
    filters = re.search(r"FILTERS = \{(.*?)\n\}", scripts["resize"], re.S)[1]
    assert set(re.findall(r"^  (\w+):", filters, re.M)) == set(RESIZES)
    assert re.search(r"FILE_BYTES = 1 << (\d+)", scripts["tflite"])[1] == str(
        pages.LARGEST.bit_length() - 1
    )
    imported = {
        name for text in scripts.values() for name in re.findall(r'from "\./(\w+)\.js"', text)
    }
    assert imported <= set(scripts)


@pytest.mark.parametrize("change", ["other", "cut"])
def test_another_archive_is_refused(npm, change):
    """Whoever delivers it; nothing is written, and nothing is cached."""
    path = npm / "registry" / packages.LITERT.archive
    path.write_bytes(path.read_bytes() + b"x" if change == "other" else path.read_bytes()[:-9])
    with pytest.raises(UserError, match=r"another @litertjs/core 2\.5\.3 than .* its hash differs"):
        pages.write_page(DIGITS, npm / "page")
    assert not (npm / "page").exists()
    assert not list((npm / "cache").rglob("*.tgz"))


def test_a_damaged_cache_is_fetched_again(npm):
    pages.write_page(DIGITS, npm / "page")
    cached = npm / "cache/mobilenet_tf/npm" / packages.LITERT.archive
    whole = cached.read_bytes()
    cached.write_bytes(whole[:50])
    pages.write_page(DIGITS, npm / "page")
    assert cached.read_bytes() == whole
    assert len(calls(npm)) == 3


def test_npm_fails_or_is_absent(npm, monkeypatch):
    (npm / "registry/fails").touch()
    with pytest.raises(UserError, match=r"npm cannot fetch @litertjs/core: 404 gone\.$"):
        pages.write_page(DIGITS, npm / "page")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        UserError, match=r"npm is needed .*, or put litertjs-core-2\.5\.3\.tgz into"
    ):
        pages.write_page(DIGITS, npm / "page")
    assert not (npm / "page").exists()


def test_what_is_in_the_folder_already(npm):
    """An earlier page is replaced; changed files, other exports and runs are not."""
    folder = npm / "page"
    pages.write_page(DIGITS, folder)
    before = read_marker(folder)
    pages.write_page(DIGITS, folder)
    assert read_marker(folder) == before
    (folder / "style.css").write_text("body {}")
    with pytest.raises(UserError, match=r"style\.css has been changed since it was exported"):
        pages.write_page(DIGITS, folder)
    pages.write_page(DIGITS, folder, overwrite=True)
    assert (folder / "style.css").read_bytes() == (PAGE / "style.css").read_bytes()


def test_models_that_a_page_cannot_show(npm, files, tmp_path):
    page = npm / "page"
    bare = files.float32.read_bytes()
    for content, said in (
        (b"x" * 100, "is not a .tflite file"),
        (bare, "has a float32 input and states no mean"),
    ):
        (tmp_path / "a.tflite").write_bytes(content)
        with pytest.raises(UserError, match=said):
            pages.write_page(tmp_path / "a.tflite", page)
    with pytest.raises(UserError, match="does not exist"):
        pages.write_page(tmp_path / "gone.tflite", page)
    assert not page.exists()
    assert calls(npm) == []


def test_int8_input_and_output_become_uint8(npm, files, pixels):
    """The same scores from the same pixels; labels and preprocessing stay."""
    content = add_metadata(
        files.int8.read_bytes(), name="fruit", description="Five fruits.", labels=list("abcde"),
        input_spec=InputSpec(crop=0.5),
    )  # fmt: skip
    (npm / "fruit.tflite").write_bytes(content)
    facts = pages.write_page(npm / "fruit.tflite", npm / "page")
    assert facts["input"] == "uint8"
    before, after = TFLiteModel(content), TFLiteModel(npm / "page/model.tflite")
    assert (after.input.dtype, after.output.dtype) == ("uint8", "uint8")
    assert after.labels == tuple("abcde")
    assert after.metadata.crop == 0.5
    np.testing.assert_array_equal(after.run(pixels), before.run(pixels))
    np.testing.assert_array_equal(after.run_raw(pixels), before.run_raw(pixels).astype(int) + 128)
    file = parse_model((npm / "page/model.tflite").read_bytes())
    (signature,), graph = file.signatureDefs, file.subgraphs[0]
    assert [one.tensorIndex for one in signature.inputs] == [*graph.inputs]
    assert [one.tensorIndex for one in signature.outputs] == [*graph.outputs]


def test_a_run_s_page(npm):
    """Beside its model, with its identity."""
    run = npm / "run"
    run.mkdir()
    (run / "config.toml").touch()
    with pytest.raises(UserError, match="has no model_int8"):
        web(run)
    (run / "model_int8.tflite").write_bytes(DIGITS.read_bytes())
    assert web(run)["folder"] == str(run / "web")
    assert (run / "web/index.html").is_file()


def get(url: str) -> tuple[bytes, dict[str, str]]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read(), dict(answer.headers)


def test_the_server(npm):
    """It gives the page's files with their media types, and nothing else."""
    folder = npm / "page"
    pages.write_page(DIGITS, folder)
    (folder / "private.txt").write_text("x")
    with served(folder) as url:
        content, headers = get(url)
        assert content == (folder / "index.html").read_bytes()
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        for name, kind in (
            ("main.js?x=1", "text/javascript"), ("style.css", "text/css"),
            ("icon.svg", "image/svg+xml"), ("litert/LICENSE", "text/plain"),
            ("litert/litert_wasm_internal.wasm", "application/wasm"),
            ("model.tflite", "application/octet-stream"),
        ):  # fmt: skip
            assert get(url + name)[1]["Content-Type"].startswith(kind)
        for name in ("private.txt", MARKER, "../registry/x", "litert/", "%2e%2e/calls", "\\x"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(url + name)


def test_ports(npm):
    folder = npm / "page"
    with pytest.raises(UserError, match="port is 70000; it must be from 0 to 65535"):
        web(DIGITS, out=folder, serve=True, port=70000)
    assert not folder.exists()
    pages.write_page(DIGITS, folder)
    said = r"Port \d+ cannot be used: .*; try another --port"
    with server.page_server(folder, 0) as first, pytest.raises(UserError, match=said):
        server.page_server(folder, first.server_port)
    with pytest.raises(UserError, match="holds no page"):
        server.page_server(npm, 0)


def test_the_command_serves_until_it_is_interrupted(npm, monkeypatch):
    from mobilenet_tf.cli.app import app

    def interrupted(self) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(server.ThreadingHTTPServer, "serve_forever", interrupted)
    arguments = ["web", str(DIGITS), "--out", str(npm / "page")]
    done = CliRunner().invoke(app, [*arguments, "--serve", "--port", "0", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["classes"] == 10
    done = CliRunner().invoke(app, arguments)
    assert "10 classes" in done.stdout
