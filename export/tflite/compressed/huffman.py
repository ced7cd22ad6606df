"""Huffman codes: frequent values take fewer bits.

The decoder fetches as many bits as its first table has, and takes the entry at that index. The
entry is a symbol with the number of fetched bits that belong to it, the others go back; or it
leads to a table for the bits that follow. Here no code passes more than two tables.
"""

import heapq
from collections import defaultdict

import numpy as np

from mobilenet_tf.deployment.tflite.compressed.layout import (
    HEADER_BYTES,
    Damaged,
    Encoded,
    Instructions,
    Layout,
    NotEncodable,
    header,
    read_header,
)

NUMBER = 1
MOST_SYMBOLS = 4096  # whose tables already take as much as a kernel of a small network
_LONGEST = 15  # bits of a code: an entry has four bits for their number
_LARGEST_FIRST_TABLE = 10  # bits
INSTRUCTIONS = Instructions(c=27, interpreter=32)
_LOOK_AHEAD = 4  # bytes that the decoder may read beyond the last code
_CHUNK = 1 << 16  # elements that are encoded at once
# Bits of an entry -> (place of "found", place of the count, number of bits of the value).
_ENTRIES = {16: (15, 11, 11), 32: (31, 27, 27)}

# Symbol, in two's complement -> (code, its length in bits).
Codes = dict[int, tuple[int, int]]


def encode(values: np.ndarray, layout: Layout) -> Encoded:
    """Encode a tensor with the tables that take the fewest bytes.

    Args:
        values: The tensor, of `layout`'s shape and type.
        layout: What it looks like.

    Raises:
        NotEncodable: It is neither int8 nor int16, or has more than 4096 different values.
    """
    if layout.dtype not in ("int8", "int16"):
        raise NotEncodable(f"its type is {layout.dtype}; Huffman codes are for int8 and int16")
    unsigned = np.ascontiguousarray(values).view(f"u{values.itemsize}").reshape(-1)
    symbols, places, counts = np.unique(unsigned, return_inverse=True, return_counts=True)
    if len(symbols) > MOST_SYMBOLS:
        raise NotEncodable(f"more than {MOST_SYMBOLS} values occur")
    codes = canonical_codes(symbols.tolist(), code_lengths(counts.tolist()))
    bits, first, tables = _smallest_tables(codes, layout.dtype)
    parameters = (bits == 32) | (first - 1) << 4
    return Encoded(
        _code_words(places, np.array([codes[one] for one in symbols.tolist()])),
        header(NUMBER, parameters) + tables,
    )


def code_lengths(counts: list[int]) -> list[int]:
    """Return the length of each symbol's code, from 1 to 15 bits.

    Where Huffman's algorithm gives a longer code, the counts are halved and it starts again.
    """
    if len(counts) == 1:
        return [1]
    lengths = _huffman_lengths(counts)
    while max(lengths) > _LONGEST:
        counts = [(count + 1) // 2 for count in counts]
        lengths = _huffman_lengths(counts)
    return lengths


def _huffman_lengths(counts: list[int]) -> list[int]:
    lengths = [0] * len(counts)
    heap = [(count, number, [number]) for number, count in enumerate(counts)]
    heapq.heapify(heap)
    for number in range(len(counts), 2 * len(counts) - 1):
        (one, _, left), (other, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in (*left, *right):
            lengths[symbol] += 1
        heapq.heappush(heap, (one + other, number, left + right))
    return lengths


def canonical_codes(symbols: list[int], lengths: list[int]) -> Codes:
    """Return a code for each symbol, of the given length: in order, each one more than the last."""
    codes: Codes = {}
    code = previous = 0
    for length, symbol in sorted(zip(lengths, symbols, strict=True)):
        code <<= length - previous
        codes[symbol] = code, length
        code, previous = code + 1, length
    return codes


def _smallest_tables(codes: Codes, dtype: str) -> tuple[int, int, bytes]:
    """Return the bits of an entry, the bits of the first table, and the tables."""
    longest = max(length for _, length in codes.values())
    for bits in (16, 32) if dtype == "int8" else (32,):
        forms = [
            (bits, first, tables)
            for first in range(min(longest, _LARGEST_FIRST_TABLE), 0, -1)
            if (tables := _tables(codes, first, bits)) is not None
        ]
        if forms:  # the longest first table of those of equal size: it is the fastest
            return min(forms, key=lambda form: len(form[2]))
    raise NotEncodable("its codes have no tables")


def _tables(codes: Codes, first: int, bits: int) -> bytes | None:
    """Return the tables; None if an entry would have to lead further than it can."""
    found, count, value = _ENTRIES[bits]
    entries = [0] * (1 << first)
    behind: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # prefix -> rest of codes

    def fill(start: int, width: int, code: int, length: int, symbol: int) -> None:
        entry = 1 << found | length << count | symbol
        free = width - length
        for place in range(code << free, (code + 1) << free):
            entries[start + place] = entry

    for symbol, (code, length) in codes.items():
        rest = length - first
        if rest <= 0:
            fill(0, first, code, length, symbol)
        else:
            behind[code >> rest].append((code & (1 << rest) - 1, rest, symbol))
    for prefix, members in behind.items():
        width, start = max(rest for _, rest, _ in members), len(entries)
        if start - prefix >= 1 << value:
            return None
        entries[prefix] = (width - 1) << count | start - prefix
        entries += [0] * (1 << width)
        for code, rest, symbol in members:
            fill(start, width, code, rest, symbol)
    return np.array(entries, f"<u{bits // 8}").tobytes()


def _code_words(places: np.ndarray, codes: np.ndarray) -> bytes:
    """Return the codes of all elements one after the other, in whole 32-bit words.

    Args:
        places: The number of each element's symbol.
        codes: (symbols, 2): code and length of each symbol.
    """
    bits = []
    for start in range(0, len(places), _CHUNK):
        code, length = codes[places[start : start + _CHUNK]].T
        ends = np.cumsum(length)
        from_the_right = np.repeat(ends, length) - 1 - np.arange(ends[-1])
        bits.append((np.repeat(code, length) >> from_the_right & 1).astype(np.uint8))
    data = np.packbits(np.concatenate(bits)).tobytes()
    return data.ljust(-(-len(data) // 4) * 4 + _LOOK_AHEAD, b"\0")


def decode(encoded: bytes, ancillary: bytes, layout: Layout) -> np.ndarray:
    """Return the tensor.

    Raises:
        Damaged: The data do not hold such a tensor.
    """
    bits, first = read_shape(ancillary)
    if layout.dtype not in ("int8", "int16") or (layout.dtype == "int16" and bits == 16):
        raise Damaged(f"Huffman tables of {bits} bits are not for {layout.dtype}")
    found, count, value = _ENTRIES[bits]
    tables = ancillary[HEADER_BYTES:]
    entries = np.frombuffer(tables, f"<u{bits // 8}", len(tables) // (bits // 8)).tolist()
    symbols, at, end = [], 0, len(encoded) * 8
    for _ in range(layout.elements):
        place, width = 0, first
        while True:
            word = int.from_bytes(encoded[at >> 3 : (at >> 3) + 4].ljust(4, b"\0"), "big")
            place += word >> (32 - (at & 7) - width) & (1 << width) - 1
            if at >= end or place >= len(entries):
                raise Damaged("a Huffman code leads out of the data")
            entry = entries[place]
            used = entry >> count & 0xF
            if entry >> found:
                break
            at += width
            place, width = place + (entry & (1 << value) - 1), used + 1
        if not 0 < used <= width:
            raise Damaged(f"a Huffman code has {used} of {width} bits")
        at += used
        symbols.append(entry & 0xFFFF)
    return np.array(symbols, np.uint16).astype(layout.dtype).reshape(layout.shape)


def read_shape(ancillary: bytes) -> tuple[int, int]:
    """Return the bits of an entry of the tables, and the bits that the first table is for.

    Raises:
        Damaged: The ancillary data have no header.
    """
    _, parameters, _ = read_header(ancillary)
    return (32 if parameters & 1 else 16), (parameters >> 4) + 1
