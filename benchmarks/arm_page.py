"""Render docs/arm.md from docs/arm.json, which `benchmarks.arm` writes."""

from typing import Any

from benchmarks.sections import DOCS, Section, markdown, paragraph
from mobilenet_tf.core.files import write_text

Measurements = dict[str, Any]  # the content of docs/arm.json


def page(result: Measurements) -> str:
    """Return the whole document."""
    conditions = f"""Written by `python -m benchmarks.arm`; do not edit. LiteRT's own library for
        AArch64 runs on emulated cores of phones, on one thread, and QEMU counts what it executes:
        {"; ".join(result["measured_on"])}. Alpha is 1; weights are random, which changes no
        count."""
    meaning = """These are **instructions, not time**. They repeat within 20 instructions, and
        need no phone. How long an instruction takes depends on the core: an A53 starts at most two
        at a time, an A76 four, and both wait for memory. Compare files on the same core, and
        measure time on your phone (`benchmark --device phone`)."""
    cores = """`cortex-a53` stands for cores without a dot product of int8, `cortex-a76` for those
        with one (`sdot`), and `arm-i8mm` for those with int8 matrix instructions (`smmla`). QEMU
        7.2 has no phone's core with the latter, so this is its largest core without SVE and SME."""
    files = """"Ours" is this project's int8 file, (a) is `tf_keras.applications` after full-int8
        post-training quantization, and (b) the same network in float. Partitions are counted on the
        machine that wrote this table; XNNPACK takes the same operators on Arm, as `make test-arm`
        sees for `v3_small` in the log of Android's library."""
    hard_swish = f"""(d) is our file with hard-swish as one operator, the form for microcontrollers.
        XNNPACK has no int8 kernel for it on Arm either, so TensorFlow Lite's own kernel runs, in a
        partition of its own each time. {_verdict(result)}"""
    scores = """`make test-arm` runs int8 files with uint8 and int8 input and float files of all
        networks, with random weights, on the three cores, in LiteRT and in the library that Android
        apps contain (TensorFlow Lite 2.16.1). Except for MnasNet, scores are those of x86 within
        1 LSB, and the class is the same wherever it leads by more than 2 LSB. Softmax goes through
        float exponentials, whose last bit depends on the processor, so now and then a score differs
        by 1 LSB. The result of MEAN, or of MUL with a sigmoid's gate, may lie between two integers
        and be rounded the other way. In MnasNet, that LSB grows on the way to the scores, as it
        does on x86 between XNNPACK and TensorFlow Lite's own kernels. There the test allows 32 LSB,
        and compares the class wherever it leads by more than 64."""
    return f"""# Arm cores of phones

{paragraph(conditions)}

{paragraph(meaning)}

{paragraph(cores)}

## Instructions per inference

{paragraph(files)}

{instructions_table(result)}

{paragraph(_less(result))}

## Hard-swish

{paragraph(hard_swish)}

{hard_swish_table(result)}

## The same scores

{paragraph(scores)}

## On your files

```
mobilenet-tf benchmark ours.tflite theirs.tflite --device cortex-a53
mobilenet-tf choose --device cortex-a76 --max-instructions 5M
```

{paragraph(_USE)}
"""


_USE = """`benchmark` counts files side by side, and every operator alone. `choose`, `tune`,
    `search`, `adapt` and `compare` take `--max-instructions`; they add up the parts of a
    network, which are counted once and cached, and the sum is within 5 % of the whole. Debian's
    packages `gcc`, `gcc-aarch64-linux-gnu`, `libc6-dev-arm64-cross`, `libstdc++6-arm64-cross`
    and `qemu-user` are needed; LiteRT's library is fetched on first use, by its hash. QEMU has
    to support plugins, as Debian 12's does."""


def _less(result: Measurements) -> str:
    """Return how many times ours the instructions of (a) are for networks with hard-swish."""
    ratios = _ratios(result, "a")
    if not ratios:
        return ""
    return (
        f"For networks with hard-swish, (a) executes {min(ratios):.2f} to {max(ratios):.2f} times "
        "our instructions: less of a difference than in the times on x86 "
        "([benchmarks.md](benchmarks.md)). What the way in and out of XNNPACK costs in waiting for "
        "memory does not show in instructions."
    )


def _verdict(result: Measurements) -> str:
    """Return which form of hard-swish executes fewer instructions, and by how much."""
    ratios = _ratios(result, "d")
    if not ratios:
        return ""
    least, most = (f"{100 * abs(ratio - 1):.0f} %" for ratio in (min(ratios), max(ratios)))
    if min(ratios) > 1:
        return (
            "Alone, the one operator executes fewer instructions than the two, but handing over to "
            f"it costs more: the files execute {least} to {most} more. So phones keep "
            "x * relu6(x + 3) in two operators, and no target asks for another form."
        )
    return f"Its instructions are {min(ratios):.2f} to {max(ratios):.2f} times ours."


def _ratios(result: Measurements, kind: str) -> list[float]:
    """Return how many times ours the instructions of a file are, for networks with hard-swish."""
    return [counted[kind] / counted["ours"] for _, _, counted in _rows(result) if "d" in counted]


def _rows(result: Measurements) -> list[tuple[dict[str, Any], str, dict[str, int]]]:
    return [
        (row, core, counted)
        for row in result["rows"]
        for core, counted in row["instructions"].items()
    ]


def instructions_table(result: Measurements) -> str:
    """Return instructions in millions, partitions and ratios as Markdown."""
    columns = (
        "network", "size", "core", "ours", "(a) PTQ", "(b) float", "partitions: ours / (a)",
        "(a) / ours", "(b) / ours",
    )  # fmt: skip
    rows = [
        (
            f"`{row['network']}`",
            row["size"],
            core,
            *(_millions(counted[kind]) for kind in ("ours", "a", "b")),
            f"{row['partitions']['ours']} / {row['partitions']['a']}",
            *(f"{counted[kind] / counted['ours']:.2f}" for kind in ("a", "b")),
        )
        for row, core, counted in _rows(result)
    ]
    return markdown(columns, rows)


def hard_swish_table(result: Measurements) -> str:
    """Return both forms of hard-swish as Markdown: whole files, and the operators alone."""
    columns = (
        "network", "size", "core", "ours", "(d)", "(d) / ours", "partitions: ours / (d)",
        "ADD and MUL, ours", "ADD, MUL and HARD_SWISH, (d)",
    )  # fmt: skip
    rows = [
        (
            f"`{row['network']}`",
            row["size"],
            core,
            *(_millions(counted[kind]) for kind in ("ours", "d")),
            f"{counted['d'] / counted['ours']:.2f}",
            f"{row['partitions']['ours']} / {row['partitions']['d']}",
            *(_millions(_pointwise(row["operators"][core][kind])) for kind in ("ours", "d")),
        )
        for row, core, counted in _rows(result)
        if "d" in counted
    ]
    return markdown(columns, rows)


def _pointwise(operators: dict[str, dict[str, int]]) -> int:
    """Return the instructions of the operators that hard-swish consists of, each alone."""
    return sum(operators.get(kind, {}).get("instructions", 0) for kind in _POINTWISE)


_POINTWISE = ("ADD", "MUL", "HARD_SWISH")


def _millions(instructions: int) -> str:
    return f"{instructions / 1e6:.2f} M"


def write_page() -> None:
    """Write docs/arm.md from docs/arm.json."""
    write_text(DOCS / "arm.md", page(SECTION.content()))


SECTION = Section("arm", instructions_table)
