"""Networks as plain C: bit for bit the interpreter's scores, and a folder that builds anywhere."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c import folder as c_folder
from mobilenet_tf.deployment.devices.c.folder import CForm
from mobilenet_tf.deployment.devices.c.program import read_program
from mobilenet_tf.deployment.devices.targets import Target
from mobilenet_tf.deployment.tflite.flatbuffer import pack
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.memory_plan import lower_bound
from mobilenet_tf.deployment.tflite.parse import parse_model
from mobilenet_tf.deployment.tflite.shrink import drop_unused
from mobilenet_tf.networks.zoo import ZOO, make_network
from tests.export.devices.c.files import (
    SANITIZERS,
    pictures_for,
    plain_c,
    run_both,
    written,
)
from tests.export.devices.cmake import KINDS, cmake_build
from tests.slow import USUAL, slow_but

pytestmark = pytest.mark.xdist_group("c_folder")
NETWORK = make_network("v3_small", 0.35, 32, 3, 1)
PREFIX = "night_watch"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(folder, facts) of a grey network with a prefix of its own."""
    folder = tmp_path_factory.mktemp("c")
    network = replace(NETWORK, input=replace(NETWORK.input, crop=0.875))
    facts, contents = plain_c(int8_file(network), network, pictures_for(network), PREFIX)
    return written(folder, contents), facts


def compiled(tmp_path, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", slow_but(USUAL, ZOO))
def test_every_network_bit_for_bit_without_undefined_behaviour(name):
    network = make_network(name, 0.25, 32, 3)
    inputs = (pictures_for(network, 3) ^ 0x80).view(np.int8)
    found, expected = run_both(int8_file(network), inputs)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(expected)) > 1


def test_hard_swish_as_two_operators_and_odd_sizes():
    network = make_network("v3_small", 0.35, (45, 37), 3)
    inputs = (pictures_for(network, 3) ^ 0x80).view(np.int8)
    found, expected = run_both(int8_file(network, fuse_hard_swish=False), inputs)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.xdist_group("converted")
def test_converted_files_on_real_pictures(converted):
    """Files of the converter, with ranges from real pictures: also what is inside of them."""
    from mobilenet_tf.datasets.load import load_data

    for (network, _), content in converted.items():
        pictures = load_data("digits", network.input).test.images[:12]
        inputs = (pictures ^ 0x80).view(np.int8)
        steps = len(parse_model(content).subgraphs[0].operators)
        for end in (steps // 3, steps // 2, steps):
            found, expected = run_both(up_to(content, end), inputs)
            np.testing.assert_array_equal(found, expected)
            assert end > steps // 3 or len(np.unique(found, axis=0)) > len(found) // 2


def up_to(content: bytes, end: int) -> bytes:
    """Return the file that ends after some operators, and returns the last one's result."""
    model = parse_model(content)
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:end]
    graph.outputs = graph.operators[-1].outputs
    model.signatureDefs = None
    drop_unused(model)
    return pack(model)


def test_the_arena_is_the_plan_and_nothing_on_top():
    """v1 0.25 at 96x96 needs what its largest operator needs, in RAM and in the C."""
    network = make_network("v1", 0.25, 96, 2)
    form = CForm(int8_file(network))
    assert form.ram == form.arena["dsp"] == 55_296
    assert form.ram == lower_bound(read_program(form.small).lives.values())
    assert form.flash <= 260_000


def test_facts_and_files(exported):
    folder, facts = exported
    assert json.loads((folder / "c.json").read_text()) == facts
    header = (folder / f"src/{PREFIX}.h").read_text()
    assert f"#define NIGHT_WATCH_ARENA_BYTES {facts['arenas']['portable']}\n" in header
    shared = (folder / f"src/{PREFIX}_io.h").read_text()
    assert f"int {PREFIX}_invoke(const int8_t *image, int8_t *scores);" in shared
    kernels = {path.stem for path in (folder / "src/kernels").glob("*.c")}
    assert "mtf_table" in kernels
    assert "mtf_pool" not in kernels
    for path in folder.rglob("*"):
        if path.is_file() and "kernels" not in path.parts:
            text = path.read_text()
            assert " model_" not in text, path
            assert "MODEL_" not in text, path
            assert "$" not in text or path.name in ("Makefile", "CMakeLists.txt"), path


def test_errors_instead_of_crashes(exported, tmp_path):
    (tmp_path / "main.c").write_text(
        f"""#include <stddef.h>
        #include "{PREFIX}.h"
        #include "{PREFIX}_selftest.h"
        int main(void) {{
          int8_t scores[NIGHT_WATCH_CLASSES];
          {PREFIX}_selftest_result result;
          if ({PREFIX}_invoke(NULL, scores) != MTF_NULL_POINTER) return 1;
          if ({PREFIX}_invoke({PREFIX}_input(), NULL) != MTF_NULL_POINTER) return 2;
          if ({PREFIX}_selftest(&result) != 0 || {PREFIX}_selftest(NULL) != 0) return 3;
          return result.pictures - result.same_answer + result.worst + result.misread;
        }}"""
    )
    sources = map(str, (exported[0] / "src").rglob("*.c"))
    compiled(
        tmp_path, "cc", *SANITIZERS, f"-I{exported[0]}/src", *sources, "main.c", "-lm", "-o", "main"
    )
    compiled(tmp_path, "./main")


def test_two_models_in_one_program_from_cpp(exported, tmp_path):
    """Names differ, kernels are shared, headers are for C++ too."""
    network = make_network("v1", 0.25, 32, 4)
    _, contents = plain_c(int8_file(network), network, pictures_for(network), "other")
    both = shutil.copytree(exported[0] / "src", tmp_path / "src")
    written(tmp_path, contents)
    (tmp_path / "main.cpp").write_text(
        f"""#include "{PREFIX}_selftest.h"
        #include "other_selftest.h"
        #include "other_frame.h"
        #include "{PREFIX}_golden.h"
        static_assert(NIGHT_WATCH_CLASSES == 3 && OTHER_CLASSES == 4, "sizes");
        int main() {{
          return {PREFIX}_selftest(nullptr) + other_selftest(nullptr) + {PREFIX}_selftest(nullptr);
        }}"""
    )
    objects = []
    for source in both.rglob("*.c"):
        objects.append(f"{source.stem}.o")
        compiled(tmp_path, "cc", "-std=c99", f"-I{both}", "-c", str(source), "-o", objects[-1])
    compiled(tmp_path, "c++", "-std=c++11", f"-I{both}", "main.cpp", *objects, "-lm", "-o", "main")
    compiled(tmp_path, "./main")


@pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is absent")
@pytest.mark.parametrize("kind", KINDS)
def test_cmake(exported, tmp_path, kind):
    """Plain CMake builds it; ESP-IDF's and Zephyr's functions receive all files."""
    (tmp_path / "main.c").write_text(
        f'#include "{PREFIX}_selftest.h"\nint main(void) {{ return {PREFIX}_selftest(0); }}\n'
    )
    library = f"{PREFIX}_network"
    rest = f"add_executable(main main.c)\ntarget_link_libraries(main {library} m)\n"
    cmake_build(exported[0], tmp_path, kind, library, rest)
    compiled(tmp_path, "build/main")


def test_a_disagreement_is_refused(monkeypatch):
    network = make_network("v1", 0.25, 32, 3)
    run = c_folder.run_on_host
    monkeypatch.setattr(c_folder, "run_on_host", lambda *args: run(*args) ^ 1)
    with pytest.raises(UserError, match=r"differ by up to 1 LSB .* so nothing is written"):
        plain_c(int8_file(network), network, pictures_for(network, 2))


def test_without_a_compiler(monkeypatch):
    network = make_network("v1", 0.25, 32, 3)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(UserError, match="needs a C compiler: one of cc, gcc, clang"):
        plain_c(int8_file(network), network, pictures_for(network, 2))


def test_another_filter_has_no_frames():
    """Of Pillow's, only bilinear resizing exists in C."""
    network = make_network("v1", 0.25, 32, 3)
    network = replace(network, input=replace(network.input, resize="lanczos"))
    _, contents = plain_c(int8_file(network), network, pictures_for(network, 2))
    assert not [name for name in contents if "frame" in name]


@pytest.mark.parametrize("prefix", ["", "Model", "9a", "a-b", "mtf_x", "a" * 32, "a b", "é"])
def test_prefixes_that_are_no_names(prefix):
    with pytest.raises(UserError, match="--prefix is"):
        Target("c", prefix)
