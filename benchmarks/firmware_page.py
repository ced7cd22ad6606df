"""Render docs/firmware.md from docs/firmware.json, which `benchmarks.firmware` writes."""

from typing import Any

from benchmarks.sections import DOCS, Section, markdown, paragraph
from mobilenet_tf.core.files import write_text

CLASSES = 2
Measurements = dict[str, Any]  # the content of docs/firmware.json
_SHORT = {"cortex-m4": "M4", "cortex-m7": "M7", "cortex-m33": "M33", "cortex-m55": "M55"}


def page(result: Measurements) -> str:
    """Return the whole document."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    conditions = f"""Written by `python -m benchmarks.firmware`; do not edit. Networks with
        {CLASSES} classes and three input channels, exported with `--target c`, compiled with -O2
        and run on
        QEMU's emulated cores ({versions}). Before a row is written, the scores of the golden
        pictures are compared: all are those of TensorFlow Lite Micro's reference kernels, bit for
        bit."""
    counts = """Counted exactly, from the call of `model_invoke` to its return. They are
        instructions, not cycles: what a cycle does depends on the core, its flash and its caches.
        Convolutions and depthwise convolutions differ between the two kinds of kernels; all other
        operators are this project's in both."""
    memory = """Flash is what the linker kept of the network and its kernels, without start-up, C
        library and golden pictures. RAM is the arena, which is all static memory there is, and the
        stack that one inference needs. The interpreter's columns are its file and arena; its code,
        which could not be built here, and its stack come on top. Its arena is that of a 64-bit
        machine, with the additional bytes that its CMSIS-NN needs by its formulas; those of M7 and
        M33, which have the instructions of M4, are M4's. Decoding of the outputs (`model_decode`)
        comes on top in both."""
    return f"""# Networks as plain C on Cortex-M

{paragraph(conditions)}

## Instructions per inference

{paragraph(counts)}

{instructions_table(result)}

## Flash and RAM

{paragraph(memory)}

{memory_table(result)}
"""


def write_page() -> None:
    """Write docs/firmware.md from docs/firmware.json."""
    write_text(DOCS / "firmware.md", page(SECTION.content()))


def instructions_table(result: Measurements) -> str:
    """Return instructions in millions by core and kernels as Markdown."""
    rows = []
    for row in result["rows"]:
        name = f"{row['model']} {row['alpha']:g}, {row['size']}"
        for kernels in ("portable", "CMSIS-NN"):
            found = [
                f"{one['instructions'] / 1e6:.1f} M"
                for one in row["builds"]
                if one["kernels"] == kernels
            ]
            rows.append((name, f"{row['macs'] / 1e6:.1f} M", kernels, *found))
    return markdown(("network", "multiply-adds", "kernels", *_SHORT.values()), rows)


def memory_table(result: Measurements) -> str:
    """Return flash and RAM on each core, and the interpreter's, as Markdown."""
    rows = []
    for row in result["rows"]:
        interpreter = row["interpreter"]
        for one in row["builds"]:
            of_core = interpreter.get(one["core"], interpreter["cortex-m4"])  # M7, M33: DSP, too
            scratch = of_core if one["kernels"] == "CMSIS-NN" else 0
            numbers = (
                *(one["constants"], one["code"], one["static_ram"], one["stack"]),
                *(interpreter["bytes"], interpreter["arena"] + scratch),
            )
            name = f"{row['model']} {row['alpha']:g}, {row['size']}"
            where = f"{_SHORT[one['core']]}, {one['kernels']}"
            rows.append((name, where, *(f"{number:,}" for number in numbers)))
    names = ("network", "core, kernels", "constants", "code", "arena", "stack")
    return markdown((*names, "interpreter's file", "interpreter's arena"), rows)


SECTION = Section("firmware", instructions_table, "docs/embedded.md")
