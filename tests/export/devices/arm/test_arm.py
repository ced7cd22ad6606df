"""Files of all networks on emulated cores of phones: `make test-arm`.

LiteRT and the phone's own library compute there what LiteRT computes on this machine, with
exceptions of one LSB. SOFTMAX of integers goes through float, and exponentials of different
processors differ in their last bit. The result of MEAN, or of MUL with a sigmoid's gate, may lie
between two integers, which kernels round differently.
"""

import re
from functools import cache

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.arm.benchmark import benchmark_core
from mobilenet_tf.deployment.devices.arm.cores import CORES
from mobilenet_tf.deployment.devices.arm.emulator import Emulator, random_inputs
from mobilenet_tf.deployment.devices.arm.toolchain import missing_packages
from mobilenet_tf.deployment.devices.mcu.parity import run_reference
from mobilenet_tf.deployment.devices.parts_table import PartsTable
from mobilenet_tf.deployment.tflite.convert import convert, traced
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel, with_all_outputs
from mobilenet_tf.deployment.tflite.parse import computed_by, parse_model
from mobilenet_tf.networks.zoo import make_network
from tests.export.devices.arm.phone import PHONE, phone
from tests.sources import ROOT

pytestmark = [
    pytest.mark.arm,
    pytest.mark.skipif(
        bool(missing_packages()),
        reason=f"Debian packages are absent: {' '.join(missing_packages())}",
    ),
]
PICTURES, WATCHED = 32, 8  # pictures whose scores, and whose tensors are compared
VECTORS = ROOT / "android_demo" / "build" / "parity"
RUNTIMES = [
    "litert",
    pytest.param(
        "phone",
        marks=pytest.mark.skipif(not PHONE.is_file(), reason="the phone's library is absent"),
    ),
]
# What may differ by one LSB, given the same inputs.
ROUNDED = {"SOFTMAX", "MEAN", "MUL"}


@cache
def emulator(core, runtime="litert"):
    return Emulator(CORES[core], phone() if runtime == "phone" else None)


@pytest.fixture(scope="module")
def files_of():
    """A network's files by the type of their input, opened on this machine; each is made once."""

    @cache
    def made(int8):
        import tensorflow as tf

        spec = int8.spec.input
        function = traced(int8.deployed)
        plain = tf.lite.TFLiteConverter.from_concrete_functions([function], int8.deployed)
        contents = {
            "uint8": int8.content,
            "int8": convert(int8.qat, "int8"),
            "float32": plain.convert(),
        }
        return {
            io: (content, TFLiteModel(content, trusted=True, mean=spec.mean, std=spec.std))
            for io, content in contents.items()
        }

    return made


def scores(on, content, file, pixels):
    """The scores of pictures on a core, as `run_raw` returns them on this machine."""
    inputs = file.prepare(pixels)
    done = on.run(content, inputs.tobytes(), len(inputs))
    return np.frombuffer(done, file.output.dtype).reshape(len(inputs), -1)


# MnasNet's gates are sigmoids. With the test's random weights, an LSB of a gate's product grows on
# the way to the scores, as it does between LiteRT's two kinds of kernels on one machine; how far
# depends on the processor. With weights that were trained on photographs it does not: 189 of them
# gave scores within 1 LSB.
AMPLIFIED = {"mnasnet_a1"}


def allowed(int8, content, inputs, here):
    """How many LSB the scores of a core may differ from this machine's."""
    if int8.name not in AMPLIFIED:
        return 1
    return max(1, abs(here - run_reference(content, inputs).astype(np.float32)).max())


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_scores_are_those_of_this_machine(int8, files_of, runtime, capsys):
    """Within 1 LSB, and the same class wherever it leads by more than 2 LSB."""
    pixels = int8.pixels[:PICTURES]
    for io, (content, file) in files_of(int8).items():
        step = 1 / 256 if io == "float32" else 1
        here = file.run_raw(pixels) / step
        limit = 0.01 if io == "float32" else allowed(int8, content, file.prepare(pixels), here)
        leads = np.diff(np.sort(here)[:, -2:])[:, 0] > 2 * limit
        assert leads.any() or int8.name in AMPLIFIED
        for core in CORES:
            there = scores(emulator(core, runtime), content, file, pixels) / step
            worst = abs(here - there).max()
            with capsys.disabled():
                print(f"\n{int8.name} {io}, {runtime}, {core}: at most {worst:.2g} LSB", end="")
            assert worst <= limit
            assert (here.argmax(1) == there.argmax(1))[leads].all()


@pytest.mark.skipif(not VECTORS.is_dir(), reason="`make test-android` has not made its vectors")
@pytest.mark.skipif(not PHONE.is_file(), reason="the phone's library is absent")
@pytest.mark.parametrize("core", CORES)
def test_the_demos_vectors_on_the_phones_library(core):
    """The models and scores that `make test-android` compares the app's engine with."""
    models = sorted(VECTORS.glob("*.tflite"))
    assert models
    for model in models:
        content = model.read_bytes()
        file = TFLiteModel(content)
        pixels = np.frombuffer(model.with_suffix(".pixels").read_bytes(), np.uint8)
        pixels = pixels.reshape(-1, *file.input.shape[1:])
        expected = np.frombuffer(model.with_suffix(".scores").read_bytes(), "<f4")
        found = file.output.dequantize(scores(emulator(core, "phone"), content, file, pixels))
        np.testing.assert_allclose(found.reshape(-1), expected, atol=1.01 / 256, rtol=0)


@pytest.mark.parametrize("core", CORES)
def test_only_roundings_differ(int8, core, capsys):
    """Every tensor of the int8 file: the first one that differs does so by a rounding."""
    whole = with_all_outputs(int8.content)
    here = TFLiteModel(int8.content, trusted=True, preserve_tensors=True)
    pixels = int8.pixels[:WATCHED]
    found = emulator(core).run(whole, pixels.tobytes(), len(pixels))
    parsed, position, worst = parse_model(whole), 0, {}
    for picture in pixels:
        for index, (name, (_, values)) in zip(
            parsed.subgraphs[0].outputs, here.activations(picture[None]).items(), strict=True
        ):
            there = np.frombuffer(found, values.dtype, values.size, position)
            position += values.nbytes
            distance = abs(values.reshape(-1).astype(int) - there).max()
            worst[name, computed_by(parsed, int(index))] = max(
                distance, worst.get((name, computed_by(parsed, int(index))), 0)
            )
    assert position == len(found)
    # In the order of execution: nothing before the first one differs, so it differs by itself.
    differing = {key: distance for key, distance in worst.items() if distance}
    first, most = next(iter(differing), None), max(differing.items(), key=lambda x: x[1], default=0)
    with capsys.disabled():
        print(f"\n{int8.name}, {core}: first {first}, most {most}", end="")
    if first is not None:
        assert first[1] in ROUNDED
        assert differing[first] == 1


@pytest.mark.parametrize("core", CORES)
def test_instructions_are_repeatable_and_add_up(core, tmp_path):
    table = PartsTable(emulator(core), core, tmp_path / "cache.json")
    networks = [
        make_network(name, alpha, 96, 2)
        for name, alpha in (("v1", 0.25), ("v2", 0.35), ("v3_small", 0.75))
    ]
    table.measure(networks)
    for network in networks:
        content = int8_file(network, fuse_hard_swish=False)
        first, second = (emulator(core).measure({"it": content})["it"] for _ in range(2))
        assert first == pytest.approx(second, abs=20)
        cost = table.cost(network)
        assert cost.instructions == pytest.approx(first, rel=0.05)
        assert table.lower_bound(network).instructions < cost.instructions
    again = PartsTable(emulator(core), core, tmp_path / "cache.json")
    assert again.measure(networks) == 0
    assert again.cost(networks[0]) == table.cost(networks[0])


@pytest.mark.skipif(not PHONE.is_file(), reason="the phone's library is absent")
@pytest.mark.parametrize("core", CORES)
def test_xnnpack_takes_the_same_operators_on_arm(core):
    """Partitions are counted on this machine; Android's library says how many operators it gave."""
    network, on = make_network("v3_small", 0.35, 32, 5), emulator(core, "phone")
    for fused, partitions in ((False, 1), (True, 20)):
        content = int8_file(network, fused)
        on.run(content, random_inputs(content), 1)
        found = inspect(content)["delegate"]
        (taken, count), *_ = re.findall(r"VERBOSE: Replacing (\d+) out of (\d+) node", on.said)
        assert int(count) - int(taken) == sum(found["left_out"].values())
        assert found["partitions"] == partitions


def test_newer_cores_execute_less():
    """A53 has no dot product of int8, the others have."""
    content = int8_file(make_network("v1", 0.25, 96, 2))
    counts = {core: emulator(core).measure({"it": content})["it"] for core in CORES}
    assert 3.9e6 < counts["cortex-a53"] < 4.2e6
    assert counts["arm-i8mm"] < counts["cortex-a76"] < 0.55 * counts["cortex-a53"]


def test_files_side_by_side(files):
    """`files`: two small files, of which one runs hard-swish on TensorFlow Lite's own kernel."""
    seen = []
    result = benchmark_core(
        [files.int8, files.swish], CORES["cortex-a76"], progress=lambda *done: seen.append(done)
    )
    assert seen == [(1, 2), (2, 2)]
    assert result["processor"].startswith("cortex-a76, QEMU")
    first, second = result["files"]
    assert first["ratio"] == 1
    assert second["ratio"] == second["instructions"] / first["instructions"]
    assert second["ops"]["HARD_SWISH"]["count"] == 1
    total = sum(op["instructions"] for op in first["ops"].values())
    assert 0.5 * first["instructions"] < total < first["instructions"]
    assert benchmark_core([files.int8], CORES["cortex-a76"], profile=False)["files"][0]["ops"] == {}


def test_the_size_of_the_batch_may_be_open():
    content = int8_file(make_network("v1", 0.25, 32, 2))
    model = parse_model(content)
    for tensor in model.subgraphs[0].tensors:
        if tensor.buffer == 0:
            tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)
    from mobilenet_tf.deployment.tflite.flatbuffer import pack

    on = emulator("cortex-a76")
    assert on.measure({"it": pack(model)}) == on.measure({"it": content})


def test_a_file_that_ends_the_runtime_is_an_error(files):
    content = files.int8.read_bytes()
    with pytest.raises(UserError, match=r"^A cannot be run on the emulated cortex-a76: runner: to"):
        emulator("cortex-a76").run(content, b"", 1, "A")
