"""Kernels that the C decodes: bit for bit those that were encoded, and the network's scores."""

import json

import numpy as np
import pytest

from benchmarks.compressed import with_narrow_kernels
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.c.folder import CForm
from mobilenet_tf.deployment.tflite.compressed import huffman
from mobilenet_tf.deployment.tflite.compressed.codecs import C_CODECS, CODECS
from mobilenet_tf.deployment.tflite.compressed.layout import Layout, NotEncodable
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from tests.export.devices.c.files import pictures_for, plain_c, run_both, run_sanitized
from tests.export.tflite.compressed.test_codecs import random_tensor
from tests.export.tflite.compressed.test_compress import NETWORKS, file
from tests.export.tflite.compressed.test_runtime import file_of
from tests.export.tflite.compressed.test_tables_of_kernels import KERNELS, parts_of

CASES = 40  # per codec
INPUT = np.zeros((1, 1, 1, 1), np.int8)


def restored(*kernels) -> np.ndarray:
    """What the C decodes, one kernel after the other."""
    size = sum(layout.elements for layout, _ in kernels)
    return run_sanitized(CForm(file_of(*kernels)), INPUT, size)[0]


@pytest.mark.parametrize("name", CODECS)
def test_every_layout_is_restored(name):
    """Sanitizers see reads behind the end of tables and of encoded values."""
    random, kernels, expected = np.random.default_rng(200 + len(name)), [], []
    while len(kernels) < CASES:
        values, layout = random_tensor(random)
        if layout.dtype != "int8" or any(layout.zero_points):
            continue
        try:
            kernels.append((layout, CODECS[name].encode(values, layout)))
        except NotEncodable:
            continue
        expected.append(values.reshape(-1))
    np.testing.assert_array_equal(restored(*kernels), np.concatenate(expected))


@pytest.mark.parametrize("name", KERNELS)
def test_vectors_and_hashed_weights_are_restored_whole_and_in_parts(name):
    random, kernels, expected = np.random.default_rng(300), [], []
    for _ in range(CASES):
        values, layout = KERNELS[name](random)
        parts = parts_of(values, layout, int(random.integers(1, len(values) + 1)))
        for part in ([(values, layout)], parts):
            encoded = C_CODECS[name].encode_parts(part)
            kernels += [(one[1], content) for one, content in zip(part, encoded, strict=True)]
            expected.append(values.reshape(-1))
    np.testing.assert_array_equal(restored(*kernels), np.concatenate(expected))


def test_indices_of_every_width():
    """With a table for all and with one per channel, on the first and on the last axis."""
    random, kernels, expected = np.random.default_rng(1), [], []
    for width in range(1, 8):
        for axis, channels in ((0, 1), (0, 6), (3, 27)):
            layout = Layout((6, 5, 1, 27), axis=axis, zero_points=(0,) * channels)
            values = random.integers(0, 1 << width, layout.shape).astype(np.int8)
            kernels.append((layout, CODECS["lut"].encode(values, layout)))
            expected.append(values.reshape(-1))
    np.testing.assert_array_equal(restored(*kernels), np.concatenate(expected))


def test_a_kernel_of_zeros():
    layout = Layout((3, 7))
    values = np.zeros(layout.shape, np.int8)
    kernels = [(layout, codec.encode(values, layout)) for codec in CODECS.values()]
    assert not restored(*kernels).any()


@pytest.mark.parametrize(("name", "kind"), [("v1", "clustered"), ("v3_small", "both")])
def test_scores_are_those_of_plain_kernels(pictures, name, kind):
    inputs = (pictures[::8] ^ 0x80).view(np.int8)
    found, expected = run_both(file(name, kind), inputs, "auto")
    assert len(np.unique(expected, axis=0)) > 1
    np.testing.assert_array_equal(found, expected)


def test_kernels_of_4_bits_are_read_in_place(pictures):
    """As with the same integers in 8 bits, in half the bytes and without a decoder."""
    content = with_narrow_kernels(int8_file(NETWORKS["v3_small"]))
    inputs = (pictures[::8] ^ 0x80).view(np.int8)
    found, expected = run_both(content, inputs, "int4")
    assert len(np.unique(expected, axis=0)) > 1
    np.testing.assert_array_equal(found, expected)
    form = CForm(content, "int4")
    assert "mtf_pointwise_int4.c" in form.source.kernels
    assert form.source.decoded_bytes == 0
    assert form.source.constant_bytes < 0.7 * form.plain_source.constant_bytes


def test_encoded_kernels_take_no_more_memory():
    """With CMSIS-NN for vector instructions, scratch takes what decoded kernels could have used."""
    plain, small = CForm(file("v1", "both")), CForm(file("v1", "both"), "auto")
    assert small.ram == plain.ram
    assert small.arena["dsp"] == plain.arena["dsp"]
    assert small.arena["mve"] <= 1.02 * plain.arena["mve"]
    assert small.flash < 0.6 * plain.flash
    assert small.plain_source.constant_bytes == plain.source.constant_bytes
    assert 0 < small.source.decoded_bytes < small.ram


def test_the_folder_says_how_weights_are_stored():
    network = NETWORKS["v1"]
    pictures = pictures_for(network, 2)
    facts, contents = plain_c(file("v1", "both"), network, pictures, compress="auto")
    assert json.loads(contents["c.json"]) == facts
    assert facts["bytes"] < 0.5 * facts["plain_bytes"]
    assert set(facts["kernels"]) >= {"huffman", "plain"}
    stored = ", ".join(f"{count} {form}" for form, count in facts["kernels"].items())
    assert f"| weights stored as | {stored} |" in contents["README.md"].decode()
    header = contents["src/model.h"].decode()
    assert f"#define MODEL_DECODED_BYTES {facts['decoded_bytes']}\n" in header
    assert {name for name in contents if "mtf_unpack" in name} >= {
        "src/kernels/mtf_unpack_huffman.c"
    }


def test_weights_that_do_not_repeat_stay_as_they_are():
    content = int8_file(NETWORKS["v1"])
    assert CForm(content, "auto").small == CForm(content).small
    with pytest.raises(UserError, match="--compress lut makes no kernel of the model a fifth"):
        CForm(content, "lut")


def test_forms_of_other_encoders_are_refused(monkeypatch):
    """Zero points, and tables of 32 bits, which no Huffman code of ours needs for int8."""
    layout = Layout((2, 4), zero_points=(1, 0))
    values = np.arange(8, dtype=np.int8).reshape(layout.shape)
    content = file_of((layout, CODECS["lut"].encode(values, layout)))
    with pytest.raises(UserError, match=r"\(TFLM_DECODE\) restores something else"):
        _ = CForm(content).source.kernels
    tables = huffman._tables
    monkeypatch.setattr(
        huffman,
        "_tables",
        lambda codes, first, bits: tables(codes, first, bits) if bits == 32 else None,
    )
    layout = Layout((2, 4))
    content = file_of((layout, CODECS["huffman"].encode(values, layout)))
    with pytest.raises(UserError, match="whose huffman form is none of this project's encoder"):
        _ = CForm(content).source.kernels
