"""Encoders against decoders in NumPy, over many shapes, channels, widths and zero points."""

from itertools import pairwise

import numpy as np
import pytest

from mobilenet_tf.deployment.tflite.compressed import huffman, lookup
from mobilenet_tf.deployment.tflite.compressed.codecs import (
    CODECS,
    best_encoding,
    codec_name,
    decode,
)
from mobilenet_tf.deployment.tflite.compressed.layout import (
    HEADER_BYTES,
    Layout,
    NotEncodable,
    pack_bits,
    unpack_bits,
)
from mobilenet_tf.deployment.tflite.kernels import entropy
from tests.export.tflite.compressed.damage import assert_damage_is_noticed

CASES = 120  # per codec


def random_tensor(random: np.random.Generator) -> tuple[np.ndarray, Layout]:
    """A tensor with few values, many zeros or neither, of any layout that the format has."""
    rank = int(random.integers(1, 5))
    shape = tuple(int(side) for side in random.integers(1, 14, rank))
    axis = int(random.choice([0, rank - 1]))
    dtype = str(random.choice(["int8", "int8", "int16", "int32", "float32"]))
    per_channel = shape[axis] > 1 and random.random() < 0.7
    channels = shape[axis] if per_channel else 1
    zero_points = [0] * channels
    if dtype == "int8" and random.random() < 0.5:
        zero_points = random.integers(-128, 128, channels).tolist()
    layout = Layout(shape, dtype, axis if per_channel else 0, tuple(zero_points))
    distinct = int(random.choice([1, 2, 3, 5, 16, 17, 60, 128, 129, 200]))
    palette = random.choice(np.arange(-128, 128), min(distinct, 256), replace=False)
    # Uneven frequencies give long codes.
    shares = random.dirichlet(np.full(len(palette), random.choice([0.02, 1.0])))
    values = random.choice(palette, layout.elements, p=shares)
    pruned = random.random(layout.elements) < random.choice([0, 0.5, 1])
    values = np.where(pruned, layout.zeros, values).astype(dtype).reshape(shape)
    return values, layout


@pytest.mark.parametrize("name", CODECS)
def test_what_is_encoded_comes_back(name):
    random, encoded_tensors = np.random.default_rng(len(name)), 0
    for _ in range(CASES):
        values, layout = random_tensor(random)
        try:
            encoded = CODECS[name].encode(values, layout)
        except NotEncodable:
            continue
        assert codec_name(encoded.ancillary) == name
        restored = decode(encoded.values, encoded.ancillary, layout)
        assert restored.dtype == values.dtype
        np.testing.assert_array_equal(restored, values, err_msg=str(layout))
        encoded_tensors += 1
    assert encoded_tensors > CASES / 3


@pytest.mark.parametrize("name", CODECS)
def test_damage_is_an_error_or_another_tensor(name):
    """Every byte changed, and every length: no exception but `Damaged`, no read out of bounds."""
    random = np.random.default_rng(7)
    layout = Layout((4, 3, 5), axis=0, zero_points=(0, 1, -1, 0))
    values = random.integers(-4, 4, layout.shape).astype(np.int8)
    assert_damage_is_noticed(CODECS[name].encode(values, layout), layout, random)


@pytest.mark.parametrize("width", range(1, 8))
def test_indices_of_every_width(width):
    values = np.arange(1 << width) % 97
    layout = Layout((1 << width,))
    encoded = lookup.encode(np.arange(1 << width, dtype=np.int8), layout)
    assert encoded.ancillary[5] & 0b111 == width
    assert len(encoded.values) == -(-(1 << width) * width // 8)
    packed = pack_bits(values % (1 << width), width)
    np.testing.assert_array_equal(unpack_bits(packed, width, len(values)), values % (1 << width))


def test_bytes_of_small_tensors_by_hand():
    layout = Layout((2, 4), axis=0, zero_points=(0, 0))
    values = np.array([[5, 0, 0, 5], [0, 0, 7, 0]], np.int8)
    one_table = lookup.encode(values, Layout((2, 4)))
    # Values 0, 5, 7 have the indices 0, 1, 2 of two bits.
    assert one_table.values == bytes([0b01_00_00_01, 0b00_00_10_00])
    assert one_table.ancillary == bytes([0, 1, 0, 0, 1, 0xF2, 0]).ljust(16, b"\0") + bytes(
        [0, 5, 7]
    )
    twice = Layout((2, 8), axis=0, zero_points=(0, 0))
    per_channel = lookup.encode(np.tile(values, 2), twice)
    assert per_channel.values == bytes([0b1001_1001, 0b0010_0010])
    assert per_channel.ancillary[:7] == bytes([0, 1, 0, 0, 1, 0x01, 2])
    assert per_channel.ancillary[16:] == bytes([0, 5, 0, 7])
    pruned = CODECS["prune"].encode(values, layout)
    assert (pruned.values, pruned.ancillary[16:]) == (bytes([0b1001_0010]), bytes([5, 5, 7]))
    coded = CODECS["huffman"].encode(values, layout)
    # 0 is the code 0; 5 and 7 are 10 and 11; one 32-bit word, and one that may be read beyond it.
    assert coded.values == bytes([0b1000_1000, 0b1100_0000]).ljust(8, b"\0")
    assert coded.ancillary[5] == 1 << 4
    entries = np.frombuffer(coded.ancillary[16:], "<u2").tolist()
    assert entries == [0x8800, 0x8800, 0x9005, 0x9007]


def test_one_table_is_read_alike_by_all_versions():
    """Axis 15 for decoders that read the axis, stride 0 for those that step by channel."""
    layout = Layout((64, 1, 1, 8), axis=0, zero_points=(0,) * 64)
    values = np.random.default_rng(0).integers(-8, 8, layout.shape).astype(np.int8)
    encoded = lookup.encode(values, layout)
    assert (encoded.ancillary[5] >> 4, encoded.ancillary[6]) == (15, 0)


def test_codes_are_at_most_15_bits_and_form_a_prefix_code():
    fibonacci = [1, 1]
    while len(fibonacci) < 30:
        fibonacci.append(sum(fibonacci[-2:]))
    assert max(huffman._huffman_lengths(fibonacci)) > 15
    lengths = huffman.code_lengths(fibonacci)
    assert max(lengths) <= 15
    assert sum(2.0**-length for length in lengths) == 1
    codes = huffman.canonical_codes(list(range(30)), lengths)
    texts = sorted(f"{code:0{length}b}" for code, length in codes.values())
    assert not any(b.startswith(a) for a, b in pairwise(texts))


def test_large_tables_have_wide_entries():
    """Of int16 always; of int8 where a table would be further away than 2,047 entries."""
    layout = Layout((3000,), "int16")
    values = np.random.default_rng(1).integers(-2000, 2000, 3000).astype(np.int16)
    encoded = CODECS["huffman"].encode(values, layout)
    assert encoded.ancillary[5] & 1
    np.testing.assert_array_equal(decode(encoded.values, encoded.ancillary, layout), values)
    codes = {0: (0, 2), 1: (1 << 12, 14), 2: (2 << 12, 14)}
    assert huffman._tables(codes, 2, 16) is None, "4,096 entries before the last table"
    assert huffman._tables(codes, 2, 32) is not None


@pytest.mark.parametrize(
    ("shape", "options", "reason"),
    [
        ((2, 0), {}, "its shape"),
        ((), {}, "its shape"),
        ((2, 3), {"dtype": "int4"}, "its type"),
        ((2, 3), {"axis": 1}, "one scale, on axis 1"),
        ((2, 3, 4), {"axis": 1, "zero_points": (0,) * 3}, "neither first nor last"),
        ((2, 3), {"axis": 0, "zero_points": (0,) * 3}, "3 scales on a side of 2"),
    ],
)
def test_layouts_that_decoders_cannot_restore(shape, options, reason):
    with pytest.raises(NotEncodable, match=reason):
        Layout(shape, **options)


def test_tensors_that_a_codec_has_no_form_for():
    many = np.arange(-128, 128, dtype=np.int8)
    with pytest.raises(NotEncodable, match="more than 128"):
        lookup.encode(many, Layout((256,)))
    with pytest.raises(NotEncodable, match="only int8 may have"):
        CODECS["prune"].encode(many.astype(np.int16), Layout((256,), "int16", 0, (1,)))
    with pytest.raises(NotEncodable, match="int8 and int16"):
        huffman.encode(many.astype(np.int32), Layout((256,), "int32"))
    with pytest.raises(NotEncodable, match="more than 4096"):
        huffman.encode(np.arange(5000, dtype=np.int16), Layout((5000,), "int16"))


def test_the_best_form_weighs_bytes_and_instructions():
    random = np.random.default_rng(5)
    layout = Layout((64, 1, 1, 256), axis=0, zero_points=(0,) * 64)
    dense = random.integers(-127, 128, layout.shape).astype(np.int8)
    assert best_encoding([(dense, layout)], CODECS) is None, "nothing makes random integers smaller"
    clustered = random.choice(np.arange(-80, 80, 10), layout.shape).astype(np.int8)
    assert best_encoding([(clustered, layout)], CODECS)[0] == "lut", "as small as Huffman, and fast"
    sparse = dense * (random.random(layout.shape) < 0.3)
    assert best_encoding([(sparse, layout)], ("lut", "prune"))[0] == "prune"
    both = clustered * (random.random(layout.shape) < 0.2)
    name, (encoded,) = best_encoding([(both, layout)], CODECS)
    assert name == "huffman"
    assert encoded.bytes * 8 < (entropy(both) + 0.5) * layout.elements
    assert entropy(np.zeros(5)) == 0
    assert entropy(np.arange(16)) == 4
    assert encoded.bytes > HEADER_BYTES
