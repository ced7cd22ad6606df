"""LiteRT runs files from outside in a child: what ends the child is one sentence here."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.commands.inspect import inspect
from mobilenet_tf.commands.predict import predict
from mobilenet_tf.core.child import ChildCrash, run_python
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.benchmark import benchmark
from mobilenet_tf.deployment.tflite import limits
from mobilenet_tf.deployment.tflite.guard import GuardedInterpreter, load_interpreter
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.deployment.tflite.memory_plan import Lifetime, lower_bound
from tests.fuzz import tflite_samples as samples

ROOT = Path(__file__).parents[3]


def command(*arguments, cwd=ROOT):
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mobilenet_tf", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.new("RGB", (40, 50), (200, 100, 50)).save(path)
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def test_a_crash_of_litert_is_a_sentence_and_exit_code_2(tmp_path):
    file = written(tmp_path / "crash.tflite", samples.scale_of_zero())
    for name in ("inspect", "benchmark"):
        done = command(name, file)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.strip().startswith("Error: LiteRT crashes on this file: ")
        assert done.stderr.strip().count("\n") == 0
        assert str(file) in done.stderr


def test_any_signal_and_later_requests(files, pixels):
    model = TFLiteModel(files.uint8)
    process = model._interpreter.child._process
    process.kill()
    process.stdout.read()  # until what it forked from has killed its fork, see `tests.warm`
    for _ in range(2):
        with pytest.raises(ChildCrash, match="SIGKILL"):
            model.run(pixels)


def test_a_missed_deadline_is_a_sentence(files, pixels, monkeypatch):
    monkeypatch.setattr(limits, "RUN_SECONDS", 1e-6)
    model = TFLiteModel(files.uint8)
    with pytest.raises(ChildCrash, match="does not finish in time"):
        model.run(pixels)
    monkeypatch.setattr(limits, "LOAD_SECONDS", 1e-6)
    with pytest.raises(ChildCrash, match="does not finish in time"):
        TFLiteModel(files.uint8)


def test_too_much_memory_is_a_sentence(files, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY", 1 << 26)
    with pytest.raises(UserError, match=r"uint8\.tflite"):
        TFLiteModel(files.uint8)


def test_the_same_scores_in_the_child_and_here(files, pixels):
    many = np.concatenate([pixels] * 40)
    for name in ("uint8", "int8", "float32"):
        models = [
            TFLiteModel(getattr(files, name), mean=128.0, std=127.5, trusted=trusted)
            for trusted in (False, True)
        ]
        assert isinstance(models[0]._interpreter, GuardedInterpreter)
        assert not isinstance(models[1]._interpreter, GuardedInterpreter)
        guarded, here = (model.run_raw(many) for model in models)
        np.testing.assert_array_equal(guarded, here)


def test_messages_are_split(files, pixels, monkeypatch):
    monkeypatch.setattr("mobilenet_tf.deployment.tflite.guard._PART", 4000)
    model = TFLiteModel(files.uint8)
    found = model.run_raw(pixels)
    np.testing.assert_array_equal(found, TFLiteModel(files.uint8, trusted=True).run_raw(pixels))


def test_a_failed_run_is_a_sentence_and_the_child_lives(files, pixels):
    model = TFLiteModel(files.uint8)
    index, wrong = model._interpreter.get_input_details()[0]["index"], np.zeros((3, 2), np.uint8)
    with pytest.raises(UserError, match="cannot be run by LiteRT"):
        model._interpreter.run(wrong, index, [index], [np.zeros((3, 2), np.uint8)])
    with pytest.raises(UserError, match="cannot be run by LiteRT"):
        model._interpreter.get_tensor(10_000)
    assert model.run(pixels).shape == (5, 5)


def test_the_child_ends_with_its_model(files):
    model = TFLiteModel(files.uint8)
    process = model._interpreter.child._process
    del model
    assert process.wait(5) is not None


def test_children_do_not_import_from_the_current_folder(files, tmp_path, monkeypatch):
    """Neither the runtime's child nor any other, however the parent was started."""
    for name in ("flatbuffers", "numpy", "json", "runpy", "ai_edge_litert"):
        (tmp_path / f"{name}.py").write_text("open('RAN', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(str(tmp_path))
    done = run_python("-c", "import flatbuffers, mobilenet_tf; print(flatbuffers.__file__)")
    assert done.returncode == 0
    assert str(tmp_path) not in done.stdout.decode()
    load_interpreter(files.uint8.read_bytes(), "The model")
    done = command("benchmark", files.uint8, "--rounds", 1, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "RAN").exists()


# Valid files that were refused, or that crashed `benchmark`.


@pytest.mark.parametrize("make", [samples.half_precision, samples.mean_over_axes])
def test_half_precision_and_small_files(tmp_path, picture, make):
    file = written(tmp_path / "valid.tflite", make())
    assert inspect(file)["delegate"]["problem"] is None
    assert len(predict(file, [picture])["predictions"]) == 1
    found = benchmark([file], rounds=2)["files"][0]
    assert found["ops"]


def test_a_file_with_control_flow(tmp_path, picture):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 28, 28, 3), tf.float32)])
    def loop(x):
        scores = tf.reduce_mean(x, (1, 2))
        limit = tf.cast(tf.reduce_sum(scores), tf.int32) % 3 + 2
        return tf.while_loop(lambda i, s: i < limit, lambda i, s: (i + 1, s * 2.0), (0, scores))[1]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([loop.get_concrete_function()])
    content = converter.convert()
    file = written(tmp_path / "loop.tflite", content)
    assert "WHILE" in inspect(file)["ops"]
    assert TFLiteModel(file, mean=0, std=1).run(np.ones((1, 28, 28, 3), np.uint8)).shape == (1, 3)
    assert benchmark([file], rounds=2)["files"][0]["threads"]["1"]["median_ms"] > 0


# Sizes that files claim.


def test_inputs_and_tensors_that_are_too_large(tmp_path, picture):
    file = written(tmp_path / "huge.tflite", samples.mean_over_axes((1, 25_000, 25_000, 3)))
    with pytest.raises(UserError, match="33,554,432 elements"):
        predict(file, [picture])
    file = written(file, samples.mean_over_axes((1, 2**30, 2**30, 3)))
    with pytest.raises(UserError, match="2,147,483,648 elements"):
        inspect(file)


def test_tables_that_are_shared(tmp_path):
    """A few kilobytes whose offsets all lead to the same tables."""
    model = samples.empty()
    samples.tensor(model, "t" * 200, (1,), samples.TYPES.UINT8)
    model.subgraphs = model.subgraphs * 3
    content = bytearray(samples.finished(model, 0, 0))
    file = written(tmp_path / "shared.tflite", _with_shared_graphs(content))
    assert file.stat().st_size < 200_000
    start = time.monotonic()
    with pytest.raises(UserError, match=r"more than \d+,\d+ (tables|bytes of names)"):
        inspect(file)
    assert time.monotonic() - start < 10


def _with_shared_graphs(content):
    """A new vector of graphs at the end, whose entries all refer to the first graph."""
    from ai_edge_litert import schema_py_generated as schema

    table = schema.Model.GetRootAs(bytes(content), 0)._tab
    field = table.Pos + table.Offset(8)
    graph = table.Indirect(table.Vector(table.Offset(8)))
    # Offsets are unsigned: the graph must follow the vector, so copies of the file do.
    count, base = 30_000, (len(content) + 3) & ~3
    content += bytes(base - len(content))
    content[field : field + 4] = (base - field).to_bytes(4, "little")
    vector = count.to_bytes(4, "little")
    end = base + 4 + 4 * count
    for i in range(count):
        vector += (end + graph - (base + 4 + 4 * i)).to_bytes(4, "little")
    return bytes(content[:base]) + vector + bytes(content[:base])


def test_many_tensors_at_once_are_counted():
    """In linear time: comparing each with each would take hours."""
    assert lower_bound([Lifetime(1, i, i + 1) for i in range(200_000)]) == 2 * 16


def test_pipes_and_devices_are_refused(tmp_path):
    pipe = tmp_path / "pipe.tflite"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(UserError, match="it is a pipe, a socket or a device, not a file"):
            inspect(path)


def test_numbers_that_are_none_do_not_reach_json(tmp_path, picture):
    model = samples.schema.ModelT.InitFromPackedBuf(samples.half_precision(), 0)
    model.buffers[2].data = np.full(4 * 192, np.nan, np.float16).view(np.uint8)
    content = samples.described(samples.pack(model), side=8)
    file = written(tmp_path / "nan.tflite", content)

    def refuse(name):
        raise AssertionError(name)

    for arguments in (("inspect", file), ("predict", file, picture)):
        done = command(*arguments, "--json")
        if done.returncode == 0:
            json.loads(done.stdout, parse_constant=refuse)
        assert "Traceback" not in done.stderr
