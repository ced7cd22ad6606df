"""The folder of C: it compiles without a warning, and holds what was proven."""

import ctypes
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compressed import with_shared_weights
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.mcu.c_code import c_float, c_string
from mobilenet_tf.deployment.devices.mcu.cmsis import CORES, scratch_beyond
from mobilenet_tf.deployment.devices.mcu.folder import RESOLVER, operators, write_folder
from mobilenet_tf.deployment.devices.mcu.form import McuForm
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel
from mobilenet_tf.deployment.devices.mcu.parity import agreement, micro_parity, require_parity
from mobilenet_tf.deployment.devices.model import Int8Model
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.tensor_info import TensorInfo
from mobilenet_tf.networks.zoo import ZOO, make_network
from mobilenet_tf.tasks.classification.task import Classification
from tests.slow import USUAL, slow_but

pytestmark = pytest.mark.xdist_group("mcu_folder")
HERE = Path(__file__).parent
NETWORK = make_network("v3_small", 0.35, 32, 3, 1)
LABELS = ['a "quoted"\\ label', "naïve 猫 ??)", "c"]
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
DEVICES = {"cortex-m4": ["-mcpu=cortex-m4"], "cortex-m55": ["-mcpu=cortex-m55"]}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(folder, facts, pictures) of a grey network with hard-swish as two operators."""
    folder = tmp_path_factory.mktemp("mcu")
    shape = (20, *NETWORK.input.shape)
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return folder, write_folder(folder, model_of(pictures, crop=0.875)), pictures


def model_of(pictures, content: bytes | None = None, crop: float = 1.0) -> Int8Model:
    if content is None:
        content = scaled_as_pixels(int8_file(NETWORK, fuse_hard_swish=False))
    return Int8Model(
        content=content,
        network=replace(NETWORK, input=replace(NETWORK.input, crop=crop)),
        labels=tuple(LABELS),
        title="Test */ model",
        pictures=pictures,
    )


def scaled_as_pixels(content: bytes) -> bytes:
    """The file with the input quantization of this project's pictures."""
    from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
    from mobilenet_tf.deployment.tflite.parse import parse_model

    model = parse_model(content)
    pixels = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].quantization
    pixels.scale, pixels.zeroPoint = np.float32([1 / 127.5]), np.int64([0])
    return pack_shared(model)


def compile_c(folder, out, *arguments, compiler="gcc"):
    """Compile the example and what the interpreter's form consists of."""
    sources = sorted(str(path) for path in folder.rglob("*.c") if "plain_c" not in path.parts)
    command = [compiler, *WARNINGS, *arguments, "-I", str(folder)]
    for source in sources:
        output = out / f"{Path(source).stem}.o"
        done = subprocess.run(
            [*command, "-c", source, "-o", output], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    return [str(out / f"{Path(source).stem}.o") for source in sources]


def test_c_compiles_without_warnings(exported, tmp_path):
    names = {Path(path).stem for path in compile_c(exported[0], tmp_path, "-O2")}
    assert {"main", "show", "model", "model_answer", "model_golden", "mtf_decode_largest"} <= names


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="gcc-arm-none-eabi is absent")
@pytest.mark.parametrize("device", DEVICES)
def test_c_compiles_for_the_device(exported, tmp_path, device):
    options = ["-mthumb", "-O2", *DEVICES[device]]
    objects = compile_c(exported[0], tmp_path, *options, compiler="arm-none-eabi-gcc")
    sizes = subprocess.run(["arm-none-eabi-size", *objects], capture_output=True, text=True)
    rows = [line.split() for line in sizes.stdout.splitlines()[1:]]
    model = next(row for row in rows if row[-1].endswith("model.o"))
    assert int(model[1]) == 0, "weights are constant: none of them is copied to RAM"
    assert int(model[0]) >= exported[1]["bytes"]


def test_the_runner_compiles_against_the_interface(exported):
    """Only the part of TensorFlow Lite Micro's interface that it uses stands in `tflm/`."""
    command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command += ["-I", str(HERE / "tflm"), str(exported[0] / "model_runner.cc")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def load_c(exported, tmp_path):
    folder, _, _ = exported
    library = tmp_path / "model.so"
    sources = [str(folder / name) for name in ("model.c", "model_golden.c")]
    subprocess.run(["gcc", "-shared", "-fPIC", *sources, "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def test_the_c_arrays_are_the_proven_file(exported, tmp_path):
    folder, facts, _ = exported
    library, size = load_c(exported, tmp_path), facts["bytes"]
    array = (ctypes.c_ubyte * size).in_dll(library, "model_data")
    assert bytes(array) == (folder / "model.tflite").read_bytes()
    assert ctypes.addressof(array) % 16 == 0
    labels = (ctypes.c_char_p * len(LABELS)).in_dll(library, "model_labels")
    assert [label.decode() for label in labels] == LABELS


def test_the_golden_vectors_are_what_the_file_computes(exported, tmp_path):
    folder, _, pictures = exported
    library = load_c(exported, tmp_path)
    pixels = NETWORK.input.side**2
    inputs = np.array((ctypes.c_int8 * pixels * 4).in_dll(library, "model_golden_inputs"), np.int8)
    outputs = np.array((ctypes.c_int8 * 3 * 4).in_dll(library, "model_golden_outputs"), np.int8)
    shape = (4, NETWORK.input.side, NETWORK.input.side, 1)
    expected = MicroModel((folder / "model.tflite").read_bytes()).run(inputs.reshape(shape))
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(inputs[0].astype(int) + 128, pictures[0].reshape(-1))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (0, "c 0%"),
        (1, "c 0%"),
        (2, "4 of 4 pictures ran (error 0), 0 have the same answer, largest difference 2"),
        (10, "0 of 4 pictures ran (error 5), 0 have the same answer, largest difference 0"),
    ],
)
def test_main_runs_its_self_test_first(exported, tmp_path, error, expected):
    """Against a runner of the test's own, which answers with the golden outputs + `error`."""
    objects = compile_c(exported[0], tmp_path)
    program = tmp_path / "program"
    fake = str(HERE / "tflm" / "fake_runner.c")
    command = ["gcc", "-I", str(exported[0]), f"-DERROR_STEPS={error}", fake, *objects]
    subprocess.run([*command, "-lm", "-o", str(program)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert done.stdout.startswith(expected) or expected in done.stdout
    assert (done.returncode == 0) == (error < 2)


def test_facts_and_readme(exported):
    folder, facts, _ = exported
    assert json.loads((folder / "micro.json").read_text()) == facts
    assert facts["parity"]["litert"]["within_1_lsb"] >= 0.99
    assert facts["parity"]["litert"]["sure_top1_agreement"] == 1
    assert f"{facts['arena']['needed']} bytes" in (folder / "README.md").read_text()
    assert arena_bytes(folder, "") == facts["arena"]["needed"]
    assert arena_bytes(folder, "-DMODEL_ARENA_BYTES=7") == 7
    small = (folder / "model.tflite").read_bytes()
    MicroModel(small, facts["arena"]["needed"])
    assert facts["cmsis_nn"] == {core: scratch_beyond(small, core) for core in CORES}
    more = facts["cmsis_nn"]
    with_arm = facts["arena"]["needed"] + more["cortex-m4"]
    assert arena_bytes(folder, "-DMODEL_CMSIS_NN") == with_arm
    with_mve = facts["arena"]["needed"] + more["cortex-m55"]
    assert arena_bytes(folder, "-DMODEL_CMSIS_NN -D__ARM_FEATURE_MVE=1") == with_mve
    readme = (folder / "README.md").read_text()
    assert "The input is 0.875 of the largest centred rectangle" in readme


def arena_bytes(folder, options: str) -> int:
    """Return the arena that the compiler sees."""
    text = '#include "model.h"\nMODEL_ARENA_BYTES'
    command = ["gcc", "-E", "-P", *options.split(), "-I", str(folder), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return sum(map(int, done.stdout.splitlines()[-1].strip("()").split("+")))


def test_the_resolver_has_exactly_the_operators(exported):
    folder, facts, _ = exported
    text = (folder / "model_runner.cc").read_text()
    used = {name for name, method in RESOLVER.items() if f"{method}()" in text}
    assert used == set(facts["ops"])
    assert "HARD_SWISH" in used
    assert "RESHAPE" not in used
    assert f"MicroMutableOpResolver<{len(used)}>" in text


def test_every_operator_of_the_zoo_has_a_resolver_entry():
    for name in ZOO:
        for fused in (True, False):
            assert set(operators(int8_file(make_network(name, 0.35, 64, 2), fused))) <= set(
                RESOLVER
            )


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
def test_every_network_of_the_zoo_agrees_with_litert(name, pictures):
    network = make_network(name, 0.35, 48, 10)
    form = McuForm(scaled_as_pixels(int8_file(network, fuse_hard_swish=False)))
    reference, shown = TFLiteModel(form.converted), pictures[::8]
    outputs = MicroModel(form.small).run(reference.prepare(shown))
    found = micro_parity(Classification(), reference, form.fused, outputs, shown)
    require_parity(found["litert"], network.title)


def test_a_disagreement_is_refused_and_nothing_written(exported, tmp_path, monkeypatch):
    import mobilenet_tf.deployment.devices.mcu.parity as micro

    run = micro.run_reference
    monkeypatch.setattr(micro, "run_reference", lambda *a: np.roll(run(*a), 1, axis=1))
    with pytest.raises(UserError, match="so nothing is written"):
        write_folder(tmp_path / "mcu", model_of(exported[2]))
    assert not (tmp_path / "mcu").exists()


def test_an_input_that_is_no_pixel_is_refused(exported, tmp_path):
    with pytest.raises(UserError, match="is not pixel - 128"):
        write_folder(tmp_path, model_of(exported[2], wrong_type()))


def wrong_type() -> bytes:
    from mobilenet_tf.deployment.tflite.flatbuffer import pack_shared
    from mobilenet_tf.deployment.tflite.from_graph import schema
    from mobilenet_tf.deployment.tflite.parse import parse_model

    model = parse_model(int8_file(NETWORK))
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].type = schema.TensorType.FLOAT32
    graph.tensors[graph.inputs[0]].quantization = None
    graph.operators = graph.operators[:0]
    return pack_shared(model)


def test_agreement_counts():
    expected = np.array([[100, 0], [2, 0], [0, 100]])
    found = np.array([[99, 0], [0, 2], [50, 40]])
    scores = [TensorInfo("scores", "int8", (1, 2), 1 / 256, -128)]
    assert agreement(Classification(), scores, expected, found) == {
        "max_lsb": 60,
        "within_1_lsb": 2 / 6,
        "sure": 2,
        "sure_top1_agreement": 0.5,
    }


def test_c_literals():
    assert c_string("é1?") == '"\\303\\2511\\077"'
    assert c_float(1 / 127.5) == "7.843138e-03f"
    assert np.float32(c_float(0.1)[:-1]) == np.float32(0.1)


def test_compressed_kernels_are_proven_and_described(exported, tmp_path):
    """The folder names the operator that decodes them; without it nothing else would run."""
    _, plain, pictures = exported
    content = with_shared_weights(model_of(pictures).content, 16, 0.75)
    facts = write_folder(tmp_path, replace(model_of(pictures, content), compress="auto"))
    assert facts["bytes"] < 0.9 * facts["plain_bytes"] == 0.9 * plain["plain_bytes"]
    assert set(plain["kernels"]) == {"plain"}
    assert plain["decoding"] == {}
    assert set(facts["decoding"]) == set(facts["kernels"]) - {"plain"}
    assert sum(facts["kernels"].values()) >= sum(plain["kernels"].values())
    assert facts["arena"]["activations"] == plain["arena"]["activations"]
    text = (tmp_path / "model_runner.cc").read_text()
    assert "resolver.AddDecode()" in text
    assert f"MicroMutableOpResolver<{len(facts['ops'])}>" in text
    assert "TFLM_DECODE restores them" in (tmp_path / "README.md").read_text()
    test_the_runner_compiles_against_the_interface((tmp_path,))


def test_other_outputs_of_compressed_kernels_are_refused(exported, tmp_path, monkeypatch):
    from mobilenet_tf.deployment.devices.mcu import form

    pictures = exported[2]
    content = with_shared_weights(model_of(pictures).content, 16, 0.75)
    wrong = with_shared_weights(content, 3, 0.5)
    monkeypatch.setattr(form, "compress_weights", lambda *_: wrong)
    with pytest.raises(UserError, match="so nothing is written; export with --compress none"):
        write_folder(tmp_path / "mcu", model_of(pictures, content))
    assert not (tmp_path / "mcu").exists()
