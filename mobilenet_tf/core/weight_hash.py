"""The hash function of hashed weights: which stored value a weight is, and with which sign.

Chen et al., "Compressing Neural Networks with the Hashing Trick" (2015), equations 4 and 8. Nothing
but the number of a weight decides, so that neither a file nor a program stores an index. The
function mixes bits as xxHash does; `mtf_unpack_hash.c` has it in C.
"""

import numpy as np

RATIOS = (2, 4, 8, 16, 32)  # weights for each stored value
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
_SHIFTS = (15, 13, 16)
_SIGN = 31  # place of the bit that is the sign


def stored_values(weights: int, ratio: int) -> int:
    """Return how many values a kernel with so many weights has."""
    return -(-weights // ratio)


def hash_weights(numbers: np.ndarray, values: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the stored value and the sign of each weight.

    Args:
        numbers: Places of weights in their kernel, in the order of the int8 file.
        values: How many values are stored.

    Returns:
        int64 places among the values; int8 signs, 1 or -1.
    """
    bits = numbers.astype(np.uint32)
    for factor, shift in zip(_FACTORS, _SHIFTS, strict=True):
        bits = bits * np.uint32(factor)
        bits ^= bits >> np.uint32(shift)
    rest = (bits << np.uint32(1)).astype(np.uint64)  # without the sign
    places = (rest * np.uint64(values) >> np.uint64(32)).astype(np.int64)
    signs = 1 - 2 * (bits >> np.uint32(_SIGN)).astype(np.int8)
    return places, signs
