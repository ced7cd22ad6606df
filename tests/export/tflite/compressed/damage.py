"""Encoded tensors of which one byte is another, or the end is missing."""

import numpy as np

from mobilenet_tf.deployment.tflite.compressed.codecs import decode
from mobilenet_tf.deployment.tflite.compressed.layout import Damaged, Encoded, Layout


def assert_damage_is_noticed(whole: Encoded, layout: Layout, random: np.random.Generator) -> None:
    """Damage each byte and cut at each length: `Damaged`, or a tensor of the right shape."""
    parts = (whole.values, whole.ancillary)
    for which, part in enumerate(parts):
        for at in range(len(part)):
            changed = bytearray(part)
            changed[at] ^= int(random.integers(1, 256))
            for damaged in (part[:at], bytes(changed)):
                both = [*parts]
                both[which] = damaged
                try:
                    restored = decode(both[0], both[1], layout)
                except Damaged:
                    continue
                assert restored.shape == layout.shape
