"""The exported example on emulated Cortex-M cores: `make test-firmware`."""

import json
import re
import shutil
import subprocess

import pytest

from benchmarks.compressed_c import KINDS
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c import emulator
from mobilenet_tf.deployment.devices.c.counter import Counter
from mobilenet_tf.deployment.devices.c.emulator import BOARDS, build, find_cmsis_nn
from mobilenet_tf.deployment.devices.c.folder import CODE_BYTES
from mobilenet_tf.deployment.devices.c.table import CortexMTable
from mobilenet_tf.deployment.devices.qemu import build_plugin
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.export.devices.c.files import pictures_for, plain_c, written
from tests.export.devices.firmware.test_tasks import TASKS, contents_of
from tests.sources import ROOT

pytestmark = [
    pytest.mark.firmware,
    pytest.mark.skipif(
        bool(emulator.missing_packages()),
        reason=f"Debian packages are absent: {' '.join(emulator.missing_packages())}",
    ),
]
CMSIS_NN = find_cmsis_nn(ROOT / "build" / "cmsis_nn")
KERNELS = [
    "portable",
    pytest.param(
        "cmsis_nn", marks=pytest.mark.skipif(CMSIS_NN is None, reason="CMSIS-NN is absent")
    ),
]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """(name of a network, alpha, size) -> its exported folder."""
    found = {}

    def export(name, alpha, size):
        if (name, alpha, size) not in found:
            network = make_network(name, alpha, size, 2)
            _, contents = plain_c(int8_file(network), network, pictures_for(network))
            found[name, alpha, size] = written(tmp_path_factory.mktemp(name), contents)
        return found[name, alpha, size]

    return export


@pytest.fixture(scope="module")
def task_folder(tmp_path_factory):
    """Name of one of `TASKS` -> its exported folder."""
    found = {}

    def export(name):
        if name not in found:
            found[name] = written(tmp_path_factory.mktemp(name), contents_of(TASKS[name]))
        return found[name]

    return export


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("plugin"))


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("core", BOARDS)
@pytest.mark.parametrize("name", ZOO)
def test_every_network_on_every_kind_of_core(folder_of, tmp_path, name, core, kernels):
    """The exit code is 0 only if all golden scores are the interpreter's."""
    cmsis_nn = CMSIS_NN if kernels == "cmsis_nn" else None
    folder = folder_of(name, 0.25, 32)
    flash = json.loads((folder / "c.json").read_text())["flash_bytes"]
    if core == "cortex-m55" and flash > 0.95 * 2**21:
        pytest.skip(f"{name} has more constants than the board's 2 MB")
    done = emulator.run(build(folder, tmp_path, core, cmsis_nn))
    assert done.code == 0, done.output
    assert "4 of 4 pictures have the verified scores" in done.output


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("name", TASKS)
def test_boxes_and_masks(task_folder, tmp_path, name, core, kernels):
    """A detector and a segmenter: raw outputs bit for bit, and the decoded answers."""
    cmsis_nn = CMSIS_NN if kernels == "cmsis_nn" else None
    done = emulator.run(build(task_folder(name), tmp_path, core, cmsis_nn))
    assert done.code == 0, done.output
    assert "4 of 4 pictures have the verified scores, 4 the verified answer" in done.output


def test_a_wrong_answer_is_seen(task_folder, tmp_path):
    """The outputs are the verified ones, but a class of a pixel is not."""
    folder = shutil.copytree(task_folder("segmentation"), tmp_path / "folder")
    source = folder / "src" / "model_golden.c"
    head, mark, tail = source.read_text().partition("model_golden_answers")
    changed = re.sub(r"{(\d)", lambda digit: "{" + str(int(digit[1]) ^ 1), tail, count=1)
    assert changed != tail
    source.write_text(head + mark + changed)
    done = emulator.run(build(folder, tmp_path / "build", "cortex-m4"))
    assert done.code == 1
    assert "4 of 4 pictures have the verified scores, 3 the verified answer" in done.output


def test_the_smallest_device(folder_of, tmp_path, plugin):
    """v1 0.25 at 96x96 on a Cortex-M4: RAM, flash and instructions; counts are repeatable."""
    firmware = build(folder_of("v1", 0.25, 96), tmp_path, "cortex-m4")
    assert firmware.static_ram == 55_296
    assert firmware.code <= CODE_BYTES
    assert firmware.code + firmware.constants <= 260_000
    first, second = (emulator.run(firmware, plugin) for _ in range(2))
    assert first.code == 0
    assert len(first.instructions) == 4
    assert first.instructions == second.instructions
    assert max(first.instructions) <= 40e6
    assert firmware.static_ram + first.stack <= 60_000
    # SysTick, which the firmware reads, counts the same.
    (cycles, *_) = map(int, re.findall(r"(\d+) cycles", first.output))
    assert cycles == pytest.approx(first.instructions[0], abs=100)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
@pytest.mark.parametrize(
    ("weights", "forms", "share"),
    [
        ("16 values", {"lut"}, 0.65),
        ("16 values, 75 % zeros", {"huffman", "prune"}, 0.4),
        ("4 bits", {"int4"}, 0.65),
        ("64 vectors of 2", {"pq"}, 0.6),
        ("hashed, 2 for each value", {"hash"}, 0.65),
    ],
)
def test_encoded_kernels(tmp_path, weights, forms, share, core, kernels):
    """Decoded in the arena that plain kernels need, or read in place."""
    network = make_network("v1", 0.25, 96, 2)
    make, form = KINDS[weights]
    facts, contents = plain_c(
        make(int8_file(network)), network, pictures_for(network), compress=form
    )
    folder, cmsis_nn = written(tmp_path, contents), CMSIS_NN if kernels == "cmsis_nn" else None
    firmware = build(folder, tmp_path / "build", core, cmsis_nn)
    assert forms <= set(facts["kernels"])
    assert firmware.static_ram == 55_296
    assert firmware.constants < share * facts["plain_bytes"]
    assert kernels == "cmsis_nn" or firmware.code + firmware.constants <= facts["flash_bytes"]
    done = emulator.run(firmware)
    assert done.code == 0, done.output
    assert "4 of 4 pictures have the verified scores" in done.output


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
def test_instructions_of_parts_add_up(folder_of, tmp_path, plugin, core):
    """What `choose --device cortex-m4` adds up, within 5 % of the firmware with real weights."""
    table = CortexMTable(Counter(core), core, tmp_path / "cache.json")
    for name, alpha, size in (("v1", 0.25, 96), ("v3_small", 0.25, 32)):
        network = make_network(name, alpha, size, 2)
        table.measure([network])
        firmware = build(folder_of(name, alpha, size), tmp_path / name, core)
        whole = emulator.run(firmware, plugin).instructions[0]
        assert table.cost(network).instructions == pytest.approx(whole, rel=0.05)
        assert table.lower_bound(network).instructions <= whole


def test_frames_are_prepared_as_on_this_machine(folder_of, tmp_path):
    """All formats of a made-up frame, on a core with 32 bits: the same bytes of input."""
    folder = shutil.copytree(folder_of("v1", 0.25, 96), tmp_path / "folder")
    (folder / "example" / "main.c").write_text(
        """#include <stdio.h>
        #include "model_frame.h"
        static uint8_t pixels[120 * 160 * 3];
        int main(void) {
          for (unsigned i = 0; i < sizeof pixels; ++i) pixels[i] = (uint8_t)(i * i >> 7 ^ i);
          for (int format = MTF_GREY; format <= MTF_UYVY; ++format) {
            const mtf_frame frame = {pixels, 120, 160, (mtf_format)format};
            unsigned long sum = (unsigned long)model_prepare(&frame);
            for (int i = 0; i < MODEL_INPUT_BYTES; ++i) {
              sum = (sum * 31 + (uint8_t)model_input()[i]) & 0xffffff;
            }
            printf("%d %lu\\n", format, sum);
          }
          return 0;
        }"""
    )
    done = emulator.run(build(folder, tmp_path / "build", "cortex-m4"))
    sources = [folder / "example" / "main.c", *(folder / "src").rglob("*.c")]
    command = ["gcc", "-std=c99", f"-I{folder / 'src'}", *map(str, sources), "-lm", "-o", "host"]
    subprocess.run(command, check=True, cwd=tmp_path)
    host = subprocess.run([str(tmp_path / "host")], capture_output=True, text=True)
    assert done.code == 0
    assert done.output == host.stdout
    assert len(set(host.stdout.split()[1::2])) == 6


@pytest.mark.skipif(CMSIS_NN is None, reason="CMSIS-NN is absent")
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m55"])
def test_too_little_scratch_is_an_error_and_no_score(folder_of, tmp_path, core):
    """CMSIS-NN asks for more than it was planned: model_invoke says so."""
    folder = folder_of("v3_small", 0.25, 32)
    source = folder / "src" / "model.c"
    text = source.read_text()
    try:
        source.write_text(re.sub(r"BYTES_(\d+) = \d+", r"BYTES_\1 = 8", text))
        done = emulator.run(build(folder, tmp_path, core, CMSIS_NN))
    finally:
        source.write_text(text)
    assert done.code == 2
    assert "picture 1: error 2" in done.output


def test_a_wrong_score_is_seen(folder_of, tmp_path):
    folder = folder_of("v1", 0.25, 32)
    source = folder / "src" / "model_golden.c"
    text = source.read_text()
    outputs, mark, answers = text.partition("const model_answer")
    head, _, tail = outputs.rpartition("{")
    changed = re.sub(r"-?\d+", lambda number: str(int(number[0]) ^ 1), tail, count=1)
    try:
        source.write_text(f"{head}{{{changed}{mark}{answers}")
        done = emulator.run(build(folder, tmp_path, "cortex-m4"))
    finally:
        source.write_text(text)
    assert done.code == 1
    assert "3 of 4 pictures have the verified scores, 4 the verified answer" in done.output
    assert "largest difference 1" in done.output


def test_a_warning_is_an_error(folder_of, tmp_path):
    with pytest.raises(UserError, match=r"make fails: .*error"):
        build(folder_of("v1", 0.25, 32), tmp_path, "cortex-m4", extra="-Wunused-macros -Wpadded")
