"""The programs in benchmarks/: they can be imported, and the documents are what they render."""

import importlib
import json
from dataclasses import replace
from importlib.util import find_spec

import pytest

from benchmarks import arm_page, firmware_page, parts, tables
from benchmarks.machines import add_row, machine_section, values
from benchmarks.micro_page import SECTION, page
from benchmarks.sections import DOCS, Section, read_section, replace_section
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.result import Result
from tests.sources import ROOT, Source

MODULES = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem[0] != "_")


@pytest.mark.parametrize("name", MODULES)
def test_imports(name):
    if name == "onnx_graph" and not find_spec("onnxruntime"):
        pytest.skip("the extra `peers` is not installed")
    importlib.import_module(f"benchmarks.{name}")


def test_no_module_imports_one_that_imports_it():
    arrows = {
        name: {
            imported.split(".")[1]
            for _, imported in Source(ROOT / "benchmarks" / f"{name}.py").imports
            if imported.startswith("benchmarks.") and imported.split(".")[1] in MODULES
        }
        for name in MODULES
    }
    left = set(MODULES)
    while left:
        free = {name for name in left if not arrows[name] & left}
        assert free, f"a circle among {sorted(left)}"
        left -= free


@pytest.mark.parametrize("section", tables.SECTIONS, ids=lambda section: section.name)
def test_documents_hold_what_the_json_files_render(section):
    assert read_section(ROOT / section.document, section.name) == section.text()


def test_micro_page_is_rendered_from_its_json_file():
    result = json.loads(SECTION.file.read_text(encoding="utf-8"))
    assert (DOCS / "micro.md").read_text(encoding="utf-8") == page(result)


def test_firmware_page_is_rendered_from_its_json_file():
    result = json.loads(firmware_page.SECTION.file.read_text(encoding="utf-8"))
    assert (DOCS / "firmware.md").read_text(encoding="utf-8") == firmware_page.page(result)


def test_arm_page_is_rendered_from_its_json_file():
    result = json.loads(arm_page.SECTION.file.read_text(encoding="utf-8"))
    assert (DOCS / "arm.md").read_text(encoding="utf-8") == arm_page.page(result)


def test_every_json_file_is_rendered():
    assert {section.file for section in tables.SECTIONS} == set(DOCS.glob("*.json"))


def test_replace_section(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- one -->\nold\n<!-- /one -->\nafter\n", encoding="utf-8")
    replace_section(document, "one", "new")
    assert document.read_text() == "before\n<!-- one -->\nnew\n<!-- /one -->\nafter\n"
    assert read_section(document, "one") == "new"
    with pytest.raises(UserError, match="no section between <!-- two --> and <!-- /two -->"):
        replace_section(document, "two", "new")


def test_section_saves_json_and_document(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.sections.DOCS", tmp_path)
    monkeypatch.setattr("benchmarks.sections.ROOT", tmp_path)
    (tmp_path / "page.md").write_text("<!-- one -->\n<!-- /one -->\n", encoding="utf-8")
    section = Section("one", lambda content: f"{content['a']}", "page.md")
    section.save({"a": 3})
    assert json.loads((tmp_path / "one.json").read_text()) == {"a": 3}
    assert read_section(tmp_path / "page.md", "one") == section.text() == "3"


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A section with a table per machine, in a temporary folder."""
    monkeypatch.setattr("benchmarks.sections.DOCS", tmp_path)
    monkeypatch.setattr("benchmarks.sections.ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs" / "benchmarks.md"
    document.write_text("<!-- speed -->\n<!-- /speed -->\n", encoding="utf-8")
    return machine_section(
        "speed",
        lambda rows: ", ".join(f"{row['network']} {row['size']} {row['ms']}" for row in rows),
        lambda entries: f"sizes {values(entries, 'size')}",
    )


def test_rows_replace_those_with_the_same_key(measured):
    for network, size, ms in (("v2", 96, 1), ("v1", 96, 2), ("v2", 64, 3), ("v2", 96, 4)):
        add_row(measured, {"network": network, "size": size, "ms": ms}, ("network", "size"))
    text = measured.text()
    assert "v1 96 2, v2 64 3, v2 96 4" in text
    assert text.endswith("\n\nsizes 96, 64")


def test_networks_that_were_found_come_last(measured):
    for network in ("found_1", "v3_small", "a", "v1"):
        add_row(measured, {"network": network, "size": 96, "ms": 1}, ("network", "size"))
    assert "v1 96 1, v3_small 96 1, a 96 1, found_1 96 1" in measured.text()


def test_parts_are_timed_of_each_network_once():
    mine = replace(make_network("v2", 0.35, 32, 3), name="mine")
    entry = {"rows": [{"architecture": mine.to_dict()}]}
    names = [network.name for network in parts.networks([mine], [entry, entry])]
    assert names == [name for name, _ in parts.PUBLISHED] + ["mine"]


def test_parts_and_whole_file_are_timed():
    network = make_network("v2", 0.35, 32, 3)
    row = parts.measure(network, rounds=2)
    assert min(row["parts"], row["whole"]) > 0
    assert Network.from_dict(row["architecture"]) == network
    assert "| `v2` 0.35 | 32 |" in parts.table([row])


def test_rows_of_other_versions_are_dropped(measured):
    row = {"network": "v1", "size": 96, "ms": 1}
    add_row(measured, row, ("network", "size"), {"other": "1.0"})
    add_row(measured, row | {"size": 64}, ("network", "size"), {"other": "1.1"})
    (entry,) = json.loads(measured.file.read_text())
    assert entry["versions"]["other"] == "1.1"
    assert [one["size"] for one in entry["rows"]] == [64]


def test_rows_of_other_machines_stay(measured, monkeypatch):
    row = {"network": "v1", "size": 96, "ms": 1}
    add_row(measured, row, ("network", "size"))
    monkeypatch.setattr("benchmarks.machines.machine", lambda: {"cpu": "another", "cores": 1})
    add_row(measured, row | {"ms": 2}, ("network", "size"))
    assert [one["rows"][0]["ms"] for one in json.loads(measured.file.read_text())] == [1, 2]
    assert "On another (" in measured.text()


def test_published_results_have_no_paths_of_this_machine():
    known = json.loads(tables.results.SECTION.file.read_text(encoding="utf-8"))[0]
    known["data"] |= {"source": "/home/me/photos", "skipped": [{"file": "a", "reason": "b"}]}
    published = tables.results.publishable(Result.from_dict(known))
    assert published["data"]["source"] == "photos"
    assert "skipped" not in published["data"]
    assert tables.results.row(Result.from_dict(published))[1].startswith("photos, ")
