"""What `export`, `android`, `web` and `benchmark` return."""

import shlex
from dataclasses import dataclass
from os.path import abspath, commonpath, dirname, relpath
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mobilenet_tf.core.outcome import Outcome, Shown
from mobilenet_tf.core.tables import percent, table


@dataclass(frozen=True)
class Exported(Shown):
    """What `export` wrote.

    Attributes:
        target: The target, such as `cpu` or `mcu`.
        folder: Folder of the files.
        facts: Facts about them, ready for JSON; those of `result.json`.
    """

    target: str
    folder: Path
    facts: Outcome

    def __rich__(self) -> Group:
        return Group(self.facts, Text(str(self.folder)))


class FileFacts(Outcome):
    """An int8 `.tflite`, as `runs.exports.File` describes it.

    Attributes:
        bytes: Size of the file.
        download_bytes: Its size compressed by deflate, as apps are downloaded.
        ops: Operator -> number of uses.
        float_tensors: Number of tensors of a float type.
        peak_activation_bytes: Most memory that activations need at one time.
    """

    bytes: int
    download_bytes: int
    ops: dict[str, int]
    float_tensors: int
    peak_activation_bytes: int

    def __rich__(self) -> Table:
        rows = [
            ("bytes", f"{self.bytes:,}"),
            ("compressed for download, bytes", f"{self.download_bytes:,}"),
            ("float tensors", self.float_tensors),
            ("peak activations, bytes", f"{self.peak_activation_bytes:,}"),
            ("operators", ", ".join(f"{count} {name}" for name, count in self.ops.items())),
        ]
        return table(["int8 file", ""], rows)


class DeviceFacts(Outcome):
    """What a model needs on a microcontroller or an NPU.

    Attributes:
        target: The target, such as `mcu`.
        folder: Folder of the files.
        bytes: Size of the model.
    """

    target: str
    folder: str
    bytes: int

    def __rich__(self) -> Table:
        rows: list[tuple[str, Any]] = [("file, bytes", f"{self.bytes:,}")]
        if "arena" in self:
            arena, parity = self["arena"], self["parity"]
            rows += [
                ("  without compression", f"{self['plain_bytes']:,}"),
                ("kernels", _kernels(self)),
                *_decoding(self),
                ("arena, bytes", f"{arena['needed']:,}"),
                ("  of which activations", f"{arena['activations']:,}"),
                *(
                    (f"  additionally with CMSIS-NN, {core}", f"{more:,}")
                    for core, more in self["cmsis_nn"].items()
                ),
                ("operators", ", ".join(self["ops"])),
                ("equal to LiteRT within 1 LSB", percent(parity["litert"]["within_1_lsb"])),
                ("equal to XNNPACK within 1 LSB", percent(parity["xnnpack"]["within_1_lsb"])),
                ("as plain C", _plain_c(self["plain_c"])),
            ]
        elif "arenas" in self:
            rows = [
                ("constants in flash, bytes", f"{self.bytes:,}"),
                ("  without compression", f"{self['plain_bytes']:,}"),
                ("kernels", _kernels(self)),
                *_decoding(self),
                ("flash with code, at most", f"{self['flash_bytes']:,}"),
                *(
                    (f"arena, {kernels} kernels", f"{size:,}")
                    for kernels, size in self["arenas"].items()
                ),
                ("  largest decoded kernel in it", f"{self['decoded_bytes']:,}"),
                ("operators", self["ops"]),
                ("equal to TensorFlow Lite Micro, images", self["pictures"]),
            ]
        elif "operators" in self:
            listed = (f"{count} {name}" for name, count in self["operators"].items())
            rows.append(("operators", ", ".join(listed)))
        else:
            rows += [
                ("SRAM, bytes", f"{self['sram_bytes']:,}"),
                ("cycles", f"{self['cycles']:,}"),
                ("milliseconds", f"{self['milliseconds']:.3f}"),
                ("at", f"{self['clock_hz'] / 1e6:g} MHz, {self['system']}"),
                ("operators on the NPU", f"{self['ops_on_npu']} of {self['ops']}"),
            ]
        return table([self.target, ""], rows)


def _kernels(facts: dict[str, Any]) -> str:
    return ", ".join(f"{count} {form}" for form, count in facts["kernels"].items())


def _decoding(facts: dict[str, Any]) -> list[tuple[str, Any]]:
    total = sum(one["instructions"] for one in facts["decoding"].values())
    return [("  decoding, instructions on a Cortex-M4", f"{total:,}")] if total else []


def _plain_c(facts: dict[str, Any]) -> str:
    if "left_out" in facts:
        return f"left out: {facts['left_out']}"
    return f"{facts['bytes']:,} bytes of constants, arena {facts['arenas']['portable']:,} bytes"


class AppModel(Outcome):
    """A model in the Android demo.

    Attributes:
        model: The file in the app.
        golden: The file with images and their outputs.
        pictures: Number of those images.
        bytes: Size of the model.
        required_runtime: Oldest runtime that has all operators.
        runtime: The app's runtime.
        project: The Android project.
    """

    model: str
    golden: str
    pictures: int
    bytes: int
    required_runtime: str
    runtime: str
    project: str

    def __rich__(self) -> Text:
        project = self.project
        return Text(
            f"{self.model}: {self.bytes:,} bytes, needs runtime"
            f" {self.required_runtime} of the app's {self.runtime}.\n"
            f"{self.golden}: {self.pictures} images with their outputs.\n"
            f"Next: open {project} in Android Studio and press Run, or with a phone on USB:"
            f" cd {shlex.quote(project)} && ./gradlew installDebug"
        )


class WebPage(Outcome):
    """A page that runs a model in the browser.

    Attributes:
        folder: Folder of the page.
        classes: Number of classes.
        labelled: Whether their names are known.
        input: Type of the model's input.
        model_bytes: Size of the model.
        bytes: Size of all files.
        files: Number of files.
    """

    folder: str
    classes: int
    labelled: bool
    input: str
    model_bytes: int
    bytes: int
    files: int

    def __rich__(self) -> Text:
        folder = shlex.quote(self.folder)
        text = (
            f"{self.folder}: a page for {self.classes} classes, {self.files} files, "
            f"{self.bytes:,} bytes.\n"
            f"Next: python -m http.server --bind 127.0.0.1 --directory {folder} 8000, and open "
            "http://localhost:8000/; elsewhere a camera needs https."
        )
        return Text(text)


class Benchmark(Outcome):
    """The speed of files side by side.

    Attributes:
        processor: What they were measured on.
        rounds: Number of measurements of each file.
        files: A row each; see `deployment.devices.benchmark.benchmark`, and for an emulated core
            `deployment.devices.arm.benchmark.benchmark_core`.
    """

    processor: str
    rounds: int
    files: list[dict[str, Any]]

    def __rich__(self) -> Group:
        if "instructions" in self.files[0]:
            return _instructions_table(self)
        rows: list[tuple[Any, ...]] = []
        parts: list[RenderableType] = []
        for name, file in zip(_short_names(self), self.files, strict=True):
            memory = file["peak_memory_bytes"]
            facts = ("-" if memory is None else f"{memory / 1e6:.1f}", file["partitions"])
            for count, timed in file["threads"].items():
                spread = f"{timed['p10_ms']:.3f} - {timed['p90_ms']:.3f}"
                times = (f"{timed['median_ms']:.3f}", spread, f"{timed['ratio']:.2f}")
                rows.append((name, count, *times, *facts))
                name, facts = "", ("", "")
            if file["ops"]:
                ops = [(name, op["count"], f"{op['ms']:.3f}") for name, op in file["ops"].items()]
                parts.append(
                    table(["operators, each measured alone", "count", "ms"], ops, file["file"])
                )
        columns = ["file", "threads", "ms", "10 - 90 %", "ratio", "MB", "partitions"]
        return Group(Text(self.processor), table(columns, rows), *parts)


def _instructions_table(result: dict[str, Any]) -> Group:
    names = _short_names(result)
    rows = [
        (name, f"{file['instructions']:,}", f"{file['ratio']:.2f}", file["partitions"])
        for name, file in zip(names, result["files"], strict=True)
    ]
    parts: list[RenderableType] = [
        table(
            ["operators, each alone", "count", "instructions"],
            [(op, held["count"], f"{held['instructions']:,}") for op, held in file["ops"].items()],
            file["file"],
        )
        for file in result["files"]
        if file["ops"]
    ]
    columns = ["file", "instructions", "ratio", "partitions"]
    return Group(Text(result["processor"]), table(columns, rows), *parts)


def _short_names(result: dict[str, Any]) -> list[str]:
    """Return the files' paths from the folder that they share."""
    files = [file["file"] for file in result["files"]]
    folder = commonpath([dirname(abspath(file)) for file in files])
    return [relpath(file, folder) for file in files]
