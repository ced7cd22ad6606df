"""Render docs/arm.md from docs/arm.json, which `benchmarks.arm` writes."""

from typing import Any

from benchmarks.sections import DOCS, Section, markdown
from mobilenet_tf.core.files import write_text

Measurements = dict[str, Any]  # the content of docs/arm.json


def instructions_table(result: Measurements) -> str:
    """Return instructions in millions, partitions and ratios as Markdown."""
    rows = []
    for row in result["rows"]:
        for core, counted in row["instructions"].items():
            parts = row["partitions"]
            rows.append(
                (
                    f"`{row['network']}`",
                    row["size"],
                    core,
                    *(f"{counted[kind] / 1e6:.2f} M" for kind in ("ours", "a", "b")),
                    f"{parts['ours']} / {parts['a']}",
                    *(f"{counted[kind] / counted['ours']:.2f}" for kind in ("a", "b")),
                )
            )
    columns = (
        "network", "size", "core", "ours", "(a) PTQ", "(b) float", "partitions: ours / (a)",
        "(a) / ours", "(b) / ours",
    )  # fmt: skip
    return markdown(columns, rows)


def write_page() -> None:
    """Write docs/arm.md from docs/arm.json."""
    write_text(DOCS / "arm.md", "x")


SECTION = Section("arm", instructions_table)
