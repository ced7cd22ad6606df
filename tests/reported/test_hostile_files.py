"""Files of strangers, some of which end LiteRT: one sentence, whatever they hold."""

import os
import re
import zlib

import numpy as np
import pytest

from tests.reported import flat
from tests.reported.conftest import save_classes
from tests.reported.drive import call, call_apart, refused, succeeded
from tests.reported.models import describe, with_member, write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reported hostile")]

GIGABYTE = 2**30
LABELS = ("a", "b", "c", "d")


# Native crashes.


@pytest.mark.parametrize("command", ["inspect", "predict", "evaluate", "benchmark", "android"])
def test_a_crash_of_the_runtime_is_one_sentence(command, square, photos, tmp_path):
    file = write(tmp_path / "crash.tflite", flat.crash())
    more = {"predict": [square], "evaluate": ["--data", photos]}.get(command, [])
    refused(call_apart(command, file, *more), "crash.tflite")


# Sizes that are believed.


def test_tables_that_are_shared_end_soon(tmp_path):
    file = write(tmp_path / "shared.tflite", flat.shared_graphs())
    refused(call_apart("inspect", file, limit=4 * GIGABYTE, seconds=60), "shared.tflite")


@pytest.mark.parametrize("side", [25_000, 2**20])
def test_an_absurd_input_is_refused_before_it_is_allocated(side, square, tmp_path):
    file = write(tmp_path / "huge.tflite", flat.mean_over_axes((1, side, side, 3)))
    for command in (["inspect", file], ["predict", file, square]):
        done = call_apart(*command, limit=4 * GIGABYTE)
        if command[0] == "predict" or done.code:
            refused(done, "huge.tflite", "elements")


def zeros(size: int) -> bytes:
    """A raw deflate stream of zeros."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    block = bytes(2**20)
    return b"".join([packer.compress(block) for _ in range(size >> 20)] + [packer.flush()])


def test_labels_that_unpack_to_gigabytes_are_refused(square, tmp_path):
    content = describe(flat.dense(), LABELS)
    file = write(tmp_path / "bomb.tflite", with_packed(content, zeros(2 * GIGABYTE)))
    for command in (["inspect", file], ["predict", file, square]):
        refused(call_apart(*command, limit=4 * GIGABYTE), "bomb.tflite")


def with_packed(content: bytes, packed: bytes) -> bytes:
    """Return the file with labels.txt in this deflated form, of two gigabytes."""
    marked = with_member(content, "labels.txt", b"#" * len(packed))
    place = marked.index(b"#" * 100)
    file = bytearray(marked)
    file[place : place + len(packed)] = packed
    # Method 8 (deflated), checksum and size, in the entry and in the central directory.
    checksum = 0
    for _ in range(2 * GIGABYTE >> 20):
        checksum = zlib.crc32(bytes(2**20), checksum)
    for mark, method in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        for found in re.finditer(re.escape(mark), marked):
            start = found.start()
            if b"labels.txt" in marked[start : start + 60]:
                place = start + method
                file[place : place + 2] = b"\x08\0"
                file[place + 6 : place + 10] = checksum.to_bytes(4, "little")
                file[place + 14 : place + 18] = (2 * GIGABYTE).to_bytes(4, "little")
    return bytes(file)


# Valid files.


@pytest.mark.parametrize(
    "make",
    [lambda: describe(flat.dense(), LABELS), flat.mean_over_axes, flat.uint8_weights],
    ids=["half precision", "28x28", "8x8"],
)
def test_valid_files_of_other_tools_are_read(make, square, tmp_path):
    file = write(tmp_path / "valid.tflite", make())
    succeeded(call_apart("inspect", file))
    assert succeeded(call_apart("predict", file, square, "--json")).json["predictions"]
    found = succeeded(call_apart("benchmark", file, "--rounds", "2", "--json")).json
    assert found["files"][0]["ops"]


@pytest.mark.parametrize("zero", [0, 100, 128])
def test_shares_of_the_integer_range_are_at_most_all(zero, tmp_path):
    file = write(tmp_path / "old.tflite", flat.uint8_weights(zero))
    shares = [int(share) for share in re.findall(r"(\d+)%", succeeded(call("inspect", file)).out)]
    assert max(shares) == 100


def test_control_flow_is_read(square, tmp_path):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 32, 32, 3), tf.float32)])
    def loop(x):
        scores = tf.reduce_mean(x, (1, 2))
        limit = tf.cast(tf.reduce_sum(scores), tf.int32) % 3 + 2
        return tf.while_loop(lambda i, s: i < limit, lambda i, s: (i + 1, s * 2.0), (0, scores))[1]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([loop.get_concrete_function()])
    file = write(tmp_path / "loop.tflite", describe(converter.convert(), "abc"))
    for command in (["predict", file, square], ["benchmark", file, "--rounds", "2"]):
        succeeded(call_apart(*command, "--json"))


# JSON.


def test_json_has_no_nan(square, tmp_path):
    file = write(tmp_path / "nan.tflite", describe(flat.dense(value=np.nan), LABELS))
    for command in (["inspect", file], ["predict", file, square]):
        done = call(*command, "--json")
        assert "Traceback" not in done.err
        if done.code == 0:
            assert done.json
        else:
            refused(done, "nan.tflite")


# Names.


@pytest.mark.parametrize("label", ["\x1b[31mred\x1b[0m", "a\x9b31m", "\u202egnp.exe"], ids=ascii)
def test_labels_do_not_control_the_terminal(label, square, tmp_path):
    content = describe(flat.dense(), LABELS)
    text = "\n".join([label, "b", "c", "d"]).encode()
    file = write(tmp_path / "labels.tflite", with_member(content, "labels.txt", text))
    for command in (["predict", file, square, "--top", "4"], ["inspect", file]):
        done = call(*command)
        assert not re.search("[\x1b\x9b\u202e]", done.out + done.err)


def test_file_names_do_not_control_the_terminal(square, tmp_path):
    file = write(tmp_path / "file.tflite", describe(flat.dense(), LABELS))
    named = write(tmp_path / "\x1b]0;title\x07.png", square.read_bytes())
    gone = tmp_path / "\x1b[2Jgone.png"
    for done in (call("predict", file, named), call("predict", file, gone), call("inspect", gone)):
        assert not re.search("[\x1b\x07]", done.out + done.err)


# What is started.


def test_children_import_nothing_from_the_current_folder(tmp_path):
    file = write(tmp_path / "file.tflite", describe(flat.dense(), LABELS))
    for name in ("flatbuffers", "numpy", "json"):
        write(tmp_path / "here" / f"{name}.py", b"open('ran', 'w'); raise SystemExit(1)")
    call("benchmark", file, "--rounds", "2", cwd=tmp_path / "here")
    assert not (tmp_path / "here" / "ran").exists()


@pytest.mark.parametrize("name", ["a.eps", "a.png", "a.jpg"])
def test_postscript_starts_no_program(name, colours_file, tmp_path):
    program = write(tmp_path / "bin" / "gs", b"#!/bin/sh\ntouch " + bytes(tmp_path / "ran"))
    program.chmod(0o755)
    picture = write(
        tmp_path / name,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n",
    )
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    refused(call_apart("predict", colours_file, picture, env=path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("what", ["data", "labels", "device", "teacher"])
def test_a_pipe_or_a_device_does_not_block(what, colours_file, square, tmp_path):
    photos = save_classes(tmp_path / "photos")
    pipe = {"data": photos / "red" / "pipe.png"}.get(what, tmp_path / "pipe.keras")
    os.mkfifo(pipe)
    command = {
        "data": ["evaluate", colours_file, "--data", photos, "--json"],
        "labels": ["predict", colours_file, square, "--labels", pipe],
        "device": ["predict", colours_file, "/dev/zero"],
        "teacher": ["train", "--data", photos, "--teacher", pipe, "--out", tmp_path / "out"],
    }[what]
    done = call_apart(*command, limit=4 * GIGABYTE, seconds=60)
    if what == "data":
        assert len(succeeded(done).json["skipped"]) == 1
    else:
        refused(done, "/dev/zero" if what == "device" else "pipe")
