"""Render the section of docs/web.md from docs/web.json, which `benchmarks.web` writes."""

from typing import Any

from benchmarks.sections import Section, markdown, paragraph

Measurements = dict[str, Any]  # the content of docs/web.json
_PARTS = {
    "page": "the page itself",
    "relaxed": "LiteRT.js with relaxed SIMD",
    "compat": "LiteRT.js without it, loaded instead",
}


def text(result: Measurements) -> str:
    """Return the section as Markdown."""
    numbers = f"""Outputs of networks with random weights for 32 pictures, compared with those of
        LiteRT in Python, in both builds of LiteRT.js; and the milliseconds of one inference. Times
        are those of this machine: {result["machine"]["cpu"]},
        {result["machine"]["cores"]} cores, {result["browser"]}, LiteRT.js {result["litert"]}."""
    photos, memory = result["photos"], result["memory"]
    growth = memory["last"]["heap"] - memory["first"]["heap"]
    wasm = memory["last"]["wasm"] - memory["first"]["wasm"]
    others = f"""Two JPEGs of 1600x1067 pixels, which training decodes at a part of their size: the
        network's inputs differ by {photos["mean"]} of 255 grey levels on average, and by
        {photos["largest"]} at most. In {memory["frames"]:,} frames of a camera of 640x480
        pixels with `v1` 0.25 at 96x96, WebAssembly's memory of
        {memory["first"]["wasm"] / 2**20:.1f} MB grew by {wasm} bytes, and that of the scripts, of
        {memory["first"]["heap"] / 2**20:.1f} MB after garbage collection, by
        {growth / 1000:.0f} KB. Times as the page showed them: {memory["times"].lower()}."""
    return "\n\n".join(
        (paragraph(numbers), networks_table(result), sizes_table(result), paragraph(others))
    )


def networks_table(result: Measurements) -> str:
    """Return differences and times of the networks as Markdown."""
    columns = [
        "network",
        "file, bytes",
        "largest difference, LSB",
        "ms, relaxed SIMD",
        "ms, without",
    ]
    rows = [
        (
            f"{row['model']} {row['alpha']:g}, {row['size']}",
            f"{row['bytes']:,}",
            max(row[build]["lsb"] for build in ("relaxed", "compat")),
            f"{row['relaxed']['ms']:.1f}",
            f"{row['compat']['ms']:.1f}",
        )
        for row in result["rows"]
    ]
    return markdown(columns, rows)


def sizes_table(result: Measurements) -> str:
    """Return bytes of the folder's parts as Markdown."""
    rows = [
        (name, f"{result['sizes'][part]['bytes']:,}", f"{result['sizes'][part]['gzip']:,}")
        for part, name in _PARTS.items()
    ]
    return markdown(["files", "bytes", "bytes, gzip"], rows)


SECTION = Section("web", text, "docs/web.md")
