"""Codebooks of vectors and hashed tables, which serve a whole kernel, against NumPy decoders."""

from dataclasses import replace

import numpy as np
import pytest

from mobilenet_tf.core.weight_hash import RATIOS, hash_weights, stored_values
from mobilenet_tf.deployment.tflite.compressed import hashed, vectors
from mobilenet_tf.deployment.tflite.compressed.codecs import (
    C_CODECS,
    best_encoding,
    bytes_of,
    codec_name,
    decode,
)
from mobilenet_tf.deployment.tflite.compressed.layout import Layout, NotEncodable, Part
from tests.export.tflite.compressed.damage import assert_damage_is_noticed

CASES = 40


def product_quantized(random: np.random.Generator) -> tuple[np.ndarray, Layout]:
    """A kernel of few vectors, with the bits of its index from 1 to 8."""
    length = int(random.choice(vectors.LENGTHS))
    sides = (*random.integers(1, 9, int(random.integers(1, 4))), length * random.integers(1, 9))
    layout = scaled(tuple(map(int, sides)), random)
    codebook = random.integers(-127, 128, (int(random.integers(1, 257)), length))
    places = random.integers(0, len(codebook), layout.elements // length)
    return codebook[places].astype(np.int8).reshape(layout.shape), layout


def hashed_kernel(random: np.random.Generator) -> tuple[np.ndarray, Layout]:
    sides = random.integers(1, 24, int(random.integers(1, 5)))
    layout = scaled(tuple(map(int, sides)), random)
    size = stored_values(layout.elements, int(random.choice(RATIOS)))
    table = random.integers(-127, 128, size).astype(np.int8)
    places, signs = hash_weights(np.arange(layout.elements), size)
    return (table[places] * signs).reshape(layout.shape), layout


def scaled(shape: tuple[int, ...], random: np.random.Generator) -> Layout:
    channels = shape[0] if shape[0] > 1 and random.random() < 0.5 else 1
    return Layout(shape, zero_points=(0,) * channels)


KERNELS = {"pq": product_quantized, "hash": hashed_kernel}


def parts_of(values: np.ndarray, layout: Layout, count: int) -> list[Part]:
    return [
        (one, replace(layout, shape=one.shape, zero_points=(0,)))
        for one in np.array_split(values, count)
    ]


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_come_back_whole_and_in_parts(name):
    random = np.random.default_rng(3)
    for _ in range(CASES):
        values, layout = KERNELS[name](random)
        encoded = C_CODECS[name].encode(values, layout)
        assert codec_name(encoded.ancillary) == name
        restored = decode(encoded.values, encoded.ancillary, layout)
        assert restored.dtype == np.int8
        np.testing.assert_array_equal(restored, values)
        parts = parts_of(values, layout, int(random.integers(1, len(values) + 1)))
        for (part, own), one in zip(parts, C_CODECS[name].encode_parts(parts), strict=True):
            np.testing.assert_array_equal(decode(one.values, one.ancillary, own), part)


@pytest.mark.parametrize("name", KERNELS)
def test_damage_is_an_error_or_another_kernel(name):
    """Every byte changed, and every length: no exception but `Damaged`, no read out of bounds."""
    random = np.random.default_rng(7)
    values, layout = KERNELS[name](random)
    assert_damage_is_noticed(C_CODECS[name].encode(values, layout), layout, random)


def test_what_parts_have_in_common_is_stored_once():
    """256 vectors of 4 in 16 parts: an index of 8 bits per vector and one codebook."""
    random = np.random.default_rng(1)
    layout = Layout((64, 1, 1, 256))
    codebook = random.integers(-127, 128, (256, 4)).astype(np.int8)
    values = codebook[random.integers(0, 256, (64, 64))].reshape(layout.shape)
    name, parts = best_encoding(parts_of(values, layout, 16), C_CODECS)
    assert (name, len(parts)) == ("pq", 16)
    assert bytes_of(parts) == layout.elements // 4 + 16 + 256 * 4

    size = stored_values(layout.elements, 8)
    table = random.integers(-127, 128, size).astype(np.int8)
    places, signs = hash_weights(np.arange(layout.elements), size)
    values = (table[places] * signs).reshape(layout.shape)
    name, parts = best_encoding(parts_of(values, layout, 16), C_CODECS)
    assert (name, len(parts)) == ("hash", 16)
    assert bytes_of(parts) == size + 16 * 24


def test_the_hash_spreads_weights_evenly():
    """As independent draws: the sizes of buckets, the signs, and both together."""
    places, signs = hash_weights(np.arange(1 << 16), 1 << 12)
    sizes = np.bincount(places, minlength=1 << 12)
    assert sizes.var() == pytest.approx(16, rel=0.15)
    assert sizes.max() < 45
    assert abs(signs.mean()) < 0.02
    assert abs(np.corrcoef(places, signs)[0, 1]) < 0.02
    # Neighbours, and weights of the same place in neighbouring rows, share no more than by chance.
    for step in (1, 64, 256):
        assert np.mean(places[step:] == places[:-step]) < 3 / (1 << 12)


def test_what_has_no_such_form():
    random = np.random.default_rng(5)
    values = random.integers(-127, 128, (64, 64)).astype(np.int8)
    for codec in (vectors, hashed):
        for layout in (Layout((64, 64), "int16"), Layout((64, 64), zero_points=(1,) * 64)):
            with pytest.raises(NotEncodable, match="int8 with zero points of 0"):
                codec.encode_parts([(values, layout)])
    with pytest.raises(NotEncodable, match="more than 256 vectors"):
        vectors.encode_parts([(values, Layout((64, 64)))])
    with pytest.raises(NotEncodable, match="not hashed"):
        hashed.encode_parts([(values, Layout((64, 64)))])
    odd = np.ones((4, 3), np.int8)
    with pytest.raises(NotEncodable, match="more than 256 vectors"):
        vectors.encode_parts([(odd, Layout((4, 3)))])
