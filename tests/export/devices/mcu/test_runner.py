"""The folder of C in a firmware project: names, build files, and calls in any order."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from mobilenet_tf.deployment.devices.c.host import run_on_host
from mobilenet_tf.deployment.devices.mcu.folder import write_folder
from mobilenet_tf.deployment.devices.mcu.interpreter import MicroModel, record_arena
from tests.export.devices.c.files import SANITIZERS, pictures_for
from tests.export.devices.cmake import KINDS, cmake_build
from tests.export.devices.mcu.test_folder import HERE, NETWORK, compile_c, model_of

pytestmark = pytest.mark.xdist_group("mcu_folder")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of a grey network."""
    folder = tmp_path_factory.mktemp("runner")
    write_folder(folder, model_of(pictures_for(NETWORK)))
    return folder


@pytest.fixture
def recorded_arena(monkeypatch):
    """The arena is not proven by running in it, which takes most of the time of an export."""
    monkeypatch.setattr("mobilenet_tf.deployment.devices.mcu.form.measure_arena", record_arena)


def test_headers_are_for_cpp_and_a_prefix_renames_all(exported, tmp_path, recorded_arena):
    folder, pictures = exported, pictures_for(NETWORK)
    for path in folder.rglob("*.h"):
        if path.parent.name not in ("example", "kernels"):
            assert 'extern "C" {' in path.read_text(), path
    write_folder(tmp_path / "b", replace(model_of(pictures), prefix="door"))
    names = {path.name for path in (tmp_path / "b").rglob("*.[ch]*")}
    assert {"door.c", "door.h", "door_runner.cc", "door_selftest.h", "main.c"} <= names
    for path in (tmp_path / "b").rglob("*.[ch]*"):
        assert not re.search(r"\b(model|MODEL)_", path.read_text()), path
    compile_c(tmp_path / "b", tmp_path)
    command = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    source = tmp_path / "b" / "door_runner.cc"
    subprocess.run([*command, "-I", str(HERE / "tflm"), str(source)], check=True)


@pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is absent")
@pytest.mark.parametrize("kind", KINDS)
def test_cmake(exported, tmp_path, kind):
    """The library compiles against the part of TensorFlow Lite Micro's interface in `tflm/`."""
    rest = f"target_include_directories(model_network PRIVATE {HERE / 'tflm'})\n"
    cmake_build(exported, tmp_path, kind, "model_network", rest)
    assert list(tmp_path.rglob("libmodel_network.a"))


@pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is absent")
def test_cmake_with_plain_c(exported, tmp_path, monkeypatch):
    """The option leaves TensorFlow Lite Micro out, and the self-test passes on this machine."""
    monkeypatch.setenv("MODEL_PLAIN_C", "1")
    (tmp_path / "main.c").write_text(
        '#include "model_selftest.h"\nint main(void) { return model_selftest(0); }\n'
    )
    rest = "add_executable(main main.c)\ntarget_link_libraries(main model_network)\n"
    cmake_build(exported, tmp_path, "plain", "model_network", rest)
    assert subprocess.run([str(tmp_path / "build" / "main")]).returncode == 0


def test_plain_c_computes_what_the_interpreter_does(exported, tmp_path):
    """The folders that the README names, compiled as it says, on pictures of its own."""
    facts = json.loads((exported / "micro.json").read_text())["plain_c"]
    assert facts["max_lsb"] == 0
    readme = (exported / "README.md").read_text()
    assert f"an arena of {facts['arenas']['portable']} bytes" in readme
    shared = [exported / f"model_{name}.c" for name in ("answer", "golden", "selftest")]
    folders = [exported / "kernels", exported / "plain_c", exported / "plain_c" / "kernels"]
    files = [*shared, *(path for folder in folders for path in folder.glob("*.[ch]"))]
    names = {path.name for path in files}
    assert len(names) == len(files), "no file has the name of another"
    includes = ["-I", str(exported / "plain_c"), "-I", str(exported)]
    flags = [*includes, *SANITIZERS, "-DMODEL_SELFTEST_STEPS=0"]
    contents = {f"src/{path.relative_to(exported)}": path.read_bytes() for path in files}
    pictures = pictures_for(NETWORK, 3)[::-1] ^ 0x55
    inputs = (pictures ^ 0x80).view(np.int8)
    found = run_on_host(contents, "model", inputs, flags)
    expected = MicroModel((exported / "model.tflite").read_bytes()).run(inputs)
    np.testing.assert_array_equal(found, expected)


def test_without_plain_c_the_folder_says_why(tmp_path, monkeypatch, recorded_arena):
    """A machine without a compiler cannot prove that form."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    facts = write_folder(tmp_path, model_of(pictures_for(NETWORK, 2)))
    reason = facts["plain_c"]["left_out"]
    assert "needs a C compiler" in reason
    assert "There is no plain C of this network here: The C code is run" in (
        (tmp_path / "README.md").read_text()
    )
    assert not (tmp_path / "plain_c").exists()


def test_the_runner_can_be_called_in_any_order(exported, tmp_path):
    """Against an interpreter of the test's own, which fails if it is made twice."""
    folder = exported
    fake = tmp_path / "fake.cc"
    fake.write_text(
        f"""#include <cstdlib>
        #include "model.h"
        #include "model_runner.h"
        #include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
        static int8_t data[MODEL_INPUT_BYTES];
        static int8_t scores[MODEL_OUTPUT_BYTES];
        static TfLiteTensor in = {{{{data}}, MODEL_INPUT_BYTES}}, out = {{{{data}}, MODEL_CLASSES}};
        static int made = 0, begun = 0;
        const unsigned char model_data[MODEL_BYTES] = {{0}};
        namespace tflite {{
        const Model *GetModel(const void *) {{ return nullptr; }}
        MicroInterpreter::MicroInterpreter(const Model *, const MicroOpResolver &, uint8_t *,
                                           size_t) {{ ++made; }}
        TfLiteStatus MicroInterpreter::AllocateTensors() {{
          return begun++ == 0 ? kTfLiteError : kTfLiteOk; }}
        TfLiteStatus MicroInterpreter::Invoke() {{ return kTfLiteOk; }}
        TfLiteTensor *MicroInterpreter::input(size_t) {{ return &in; }}
        TfLiteTensor *MicroInterpreter::output(size_t) {{ return &out; }}
        size_t MicroInterpreter::arena_used_bytes() const {{ return 5; }}
        }}
        {resolver_definitions(folder)}
        int main() {{
          if (model_runner_run() || model_runner_output(0) || model_runner_arena_used()) return 1;
          if (model_invoke(data, scores) != MODEL_RUNNER_ARENA || made != 1) return 2;
          if (model_invoke(nullptr, scores) != MODEL_RUNNER_NULL) return 3;
          if (model_input() != data || made != 2) return 3;
          if (model_runner_begin() != MODEL_RUNNER_OK || made != 2) return 4;
          data[0] = 7;
          if (model_invoke(data, scores) != MODEL_RUNNER_OK || scores[0] != 7) return 6;
          return model_runner_run() == data && model_runner_arena_used() == 5 ? 0 : 5;
        }}"""
    )
    includes = ["-I", str(HERE / "tflm"), "-I", str(folder)]
    sources = [str(folder / "model_runner.cc"), str(fake)]
    command = ["g++", "-std=c++17", "-fno-threadsafe-statics", *includes, *sources]
    subprocess.run([*command, "-o", str(tmp_path / "program")], check=True)
    assert subprocess.run([str(tmp_path / "program")]).returncode == 0


def resolver_definitions(folder) -> str:
    """Methods of the resolver that succeed once: an operator may not be added twice."""
    text = (folder / "model_runner.cc").read_text()
    count = re.search(r"MicroMutableOpResolver<(\d+)>", text)[1]
    return "\n".join(
        f"template <> TfLiteStatus tflite::MicroMutableOpResolver<{count}>::{name}() "
        "{ static int calls = 0; return calls++ == 0 ? kTfLiteOk : kTfLiteError; }"
        for name in re.findall(r"resolver\.(Add\w+)\(\)", text)
    )
