"""The folder of C in a firmware project: names, build files, and calls in any order."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from mobilenet_tf.deployment.devices.mcu.folder import write_folder
from tests.export.devices.c.files import pictures_for
from tests.export.devices.cmake import KINDS, cmake_build
from tests.export.devices.mcu.test_folder import HERE, NETWORK, compile_c, model_of

pytestmark = pytest.mark.xdist_group("mcu_folder")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The folder of a grey network."""
    folder = tmp_path_factory.mktemp("runner")
    write_folder(folder, model_of(pictures_for(NETWORK)))
    return folder


def test_headers_are_for_cpp_and_a_prefix_renames_all(exported, tmp_path):
    folder, pictures = exported, pictures_for(NETWORK)
    for name in ("model_selftest.h", "model_golden.h", "model_runner.h", "model.h"):
        assert 'extern "C" {' in (folder / name).read_text()
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
          if (model_runner_input() || model_runner_run() || model_runner_arena_used()) return 1;
          if (model_runner_begin() != MODEL_RUNNER_ARENA || model_runner_input()) return 2;
          if (model_runner_begin() != MODEL_RUNNER_OK || made != 2) return 3;
          if (model_runner_begin() != MODEL_RUNNER_OK || made != 2) return 4;
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
