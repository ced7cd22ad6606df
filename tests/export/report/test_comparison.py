"""The tables and the report of a comparison, from a result."""

import csv
import io
import re

import pytest

from mobilenet_tf.deployment.report.comparison_page import verdict, write_comparison_page
from mobilenet_tf.deployment.report.comparison_tables import (
    cells,
    columns,
    csv_table,
    latex,
    latex_table,
    markdown_table,
    short_cells,
    short_columns,
    write_tables,
)
from mobilenet_tf.selection.tradeoff import draw_comparison


def interval(mean, low, high):
    return {"mean": mean, "low": low, "high": high, "seeds": [mean, mean]}


def row(name, accuracy, difference, **others):
    return {
        "network": f"{name} 0.5 64",
        "model": name,
        "alpha": 0.5,
        "size": "64",
        "parameters": 123_456,
        "macs": 9_876_543,
        "arena_bytes": 65_432,
        "npu_cycles": None,
        "file_bytes": 234_567,
        "latency_ms": 1.234,
        "latency_p10_ms": 1.2,
        "latency_p90_ms": 1.3,
        "float": interval(accuracy, accuracy - 0.02, accuracy + 0.02),
        "int8": interval(accuracy - 0.001, accuracy - 0.02, accuracy + 0.02),
        "int8_change": interval(-0.001, -0.003, 0.001),
        "difference": difference,
        "diverged": 0,
        "pareto": difference is None,
        "trials": [],
    } | others


@pytest.fixture
def result():
    return {
        "data": "photos & <b>",
        "classes": 10,
        "test_images": 1234,
        "recipe": "small_data",
        "epochs": 20,
        "qat_epochs": 5,
        "weights": "none",
        "seeds": 2,
        "form": "int8",
        "reference": "v3_small 0.5 64",
        "networks": [
            row("v3_small", 0.9, None),
            row("v1", 0.85, interval(-0.05, -0.07, -0.03)),
            row("v2", 0.89, interval(-0.01, -0.03, 0.012), diverged=1),
        ],
        "int8_change": interval(-0.001, -0.002, 0.0),
        "limits": {"macs": 10_000_000},
        "device": "cpu",
        "excluded": [
            {
                "network": "v2 1.0 96",
                "model": "v2",
                "alpha": 1.0,
                "size": "96",
                "breaks": ["macs"],
                "cost": "60 of 10 multiply-adds",
            }
        ],
        "npu": "ethos-u55-128",
        "versions": {"tensorflow": "2"},
        "machine": {"cpu": "a CPU", "cores": 2},
    }


def test_csv_has_plain_numbers(result):
    first, *others = csv.DictReader(io.StringIO(csv_table(result)))
    assert first["macs"] == "9876543"
    assert (first["int8"], first["int8_low"], first["difference"]) == ("0.899", "0.88", "")
    assert first["npu_cycles"] == ""
    assert [one["network"] for one in others] == ["v1 0.5 64", "v2 0.5 64", "v2 1.0 96"]
    assert others[-1]["exceeds"] == "macs"
    assert others[-1]["int8"] == ""


def test_markdown(result):
    head, rule, first, second, *below = markdown_table(result).splitlines()
    assert head.count("|") == rule.count("|") == first.count("|") == len(columns(result)) + 1
    assert (
        "| 89.9 [88.0, 92.0] | -0.1 [-0.3, +0.1] | reference | 234.6 | 65.4 | 1.23 | - |" in first
    )
    assert "-5.0 [-7.0, -3.0]" in second
    assert "1,234 test images" in " ".join(below)
    assert "Not trained, beyond the limits: v2 1.0 96 (60 of 10 multiply-adds)." in below


def test_latex(result):
    text = latex_table(result)
    assert "v3\\_small 0.5 & 64 &" in text
    assert "$-5.0$ [$-7.0$, $-3.0$]" in text
    assert "photos \\& <b>" in text
    assert not re.search(r"(?<!\\)[&%_#](?!\s)(?<!& )", text.replace(" & ", ""))
    body = re.search(r"\\midrule\n(.*)\n\\bottomrule", text, re.S)[1].splitlines()
    assert len(body) == 3
    assert all(line.replace("\\&", "").count("&") == len(columns(result)) - 1 for line in body)
    assert latex("a_b 5% {x} \\ -3") == "a\\_b 5\\% \\{x\\} \\textbackslash{} $-3$"


def test_float_networks_have_no_columns_of_files(result):
    changed = result | {"form": "float"}
    assert len(cells(changed, result["networks"][0])) == len(columns(changed))
    assert not any("int8" in title or "file" in title for title in columns(changed))
    for one in (result, changed):
        assert len(short_cells(one, result["networks"][0])) == len(short_columns(one))


def test_files(result, tmp_path):
    paths = write_tables(result, tmp_path)
    assert [path.name for path in paths] == [f"comparison.{kind}" for kind in ("csv", "md", "tex")]
    assert paths[2].read_text() == latex_table(result)
    draw_comparison(result, tmp_path / "pareto.svg")
    text = (tmp_path / "pareto.svg").read_text()
    for title in ("latency, ms", "million multiply-adds", "flash, KB", "RAM, KB", "v1 0.5 64"):
        assert f"<!-- {title} -->" in text


def test_page(result, tmp_path):
    write_comparison_page(result, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "photos &amp; &lt;b&gt;" in page
    assert "<b>" not in page
    assert "Training diverged, and counts as 0 %: v2 0.5 64." in page
    assert "http" not in page.replace("http://www.w3.org", "")
    for one in result["networks"]:
        assert page.count(one["network"]) >= 2


def test_verdict(result):
    assert verdict(result) == (
        "The most accurate is v3_small 0.5 64, with 89.9 [88.0, 92.0] % (int8). The intervals do "
        "not tell it from v2 0.5 64."
    )
    result["networks"].pop()
    assert verdict(result).endswith("The others are less accurate beyond doubt.")
