"""Find near duplicates among many pictures without comparing all pairs.

Two pictures are near duplicates if their perceptual hashes differ in at most `MOST_BITS` of 64
bits, and their thumbnails, each with its own brightness and contrast removed, by at most
`MOST_DIFFERENCE`. That holds for copies in another size, quality or format, blurred, a little
brighter or shifted; not for mirrored or cropped ones, nor for the next picture of a burst in which
something has moved: those are groups.

Hashes that differ in few bits agree in at least one of `MOST_BITS` + 1 parts, so that only pictures
with an equal part are compared (the pigeonhole principle of multi-index hashing; Norouzi, Punjani
and Fleet 2012, arXiv:1307.2982).
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, pairwise

import numpy as np

from mobilenet_tf.datasets.survey.facts import Facts

# Of 2,062 pictures of hands and 3,781 of clothes, JPEG at quality 20, half the size, blur and a
# shift by 2 % stay below both bounds for nine in ten pictures; of their 9 million pairs, three are.
MOST_BITS = 6
MOST_DIFFERENCE = 0.2
_BITS = 64
_BLOCK = 2048  # pictures with an equal part that are compared at a time


def near_duplicates(pictures: Sequence[Facts | str]) -> list[int]:
    """Return a number for each picture, equal for near duplicates and those that they connect.

    Args:
        pictures: Facts of the pictures. Those that cannot be read and those of one colour stand
            alone.
    """
    numbers = np.arange(len(pictures))
    first: dict[tuple[str, str], int] = {}
    facts: list[Facts] = []
    unique: list[int] = []
    for row, picture in enumerate(pictures):
        if isinstance(picture, str) or picture.plain:
            continue
        numbers[row] = first.setdefault((picture.hash, picture.thumb), row)
        if numbers[row] == row:
            facts.append(picture)
            unique.append(row)
    for left, right in _close(facts):
        one, other = _root(numbers, unique[left]), _root(numbers, unique[right])
        numbers[max(one, other)] = min(one, other)
    return [_root(numbers, row) for row in range(len(numbers))]


def _root(numbers: np.ndarray, row: int) -> int:
    while numbers[row] != row:
        numbers[row] = numbers[numbers[row]]
        row = int(numbers[row])
    return row


def _close(pictures: Sequence[Facts]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of near duplicates among pictures that differ, some of them repeatedly."""
    if not pictures:
        return
    hashes = np.array([int(one.hash, 16) for one in pictures], np.uint64)
    thumbs = np.stack([_evened(one.thumb) for one in pictures])
    cuts = np.linspace(0, _BITS, MOST_BITS + 2).astype(int)
    for low, high in pairwise(cuts):
        part = hashes >> np.uint64(low) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(part, kind="stable")
        starts = np.flatnonzero(np.diff(part[order], prepend=part[order[0]] + np.uint64(1)))
        for members in np.split(order, starts[1:]):
            yield from _compared(members, hashes, thumbs)


def _compared(
    members: np.ndarray, hashes: np.ndarray, thumbs: np.ndarray
) -> Iterator[tuple[int, int]]:
    blocks = [members[start : start + _BLOCK] for start in range(0, len(members), _BLOCK)]
    for left, right in combinations_with_replacement(blocks, 2):
        different = np.bitwise_count(hashes[left][:, None] ^ hashes[right][None])
        rows, columns = np.nonzero(different <= MOST_BITS)
        one, other = left[rows], right[columns]
        later = one < other  # members are in order
        one, other = one[later], other[later]
        gap = np.sqrt(np.mean((thumbs[one] - thumbs[other]) ** 2, axis=1))
        close = gap <= MOST_DIFFERENCE
        yield from zip(one[close].tolist(), other[close].tolist(), strict=True)


def _evened(thumb: str) -> np.ndarray:
    """Return a thumbnail without its brightness and contrast, float32."""
    values = np.frombuffer(bytes.fromhex(thumb), np.uint8).astype(np.float32)
    return (values - values.mean()) / max(float(values.std()), 1e-3)
