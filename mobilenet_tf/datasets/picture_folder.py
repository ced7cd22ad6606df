"""Pictures without labels, as pixels of a network's input."""

import os

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.progress import picture_progress
from mobilenet_tf.core.terminal import announce
from mobilenet_tf.datasets.contents import left_out_text
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.images import Picture
from mobilenet_tf.datasets.picture_paths import picture_paths


def read_pictures(folder: str, input_spec: InputSpec) -> np.ndarray:
    """Return the pictures in a folder with a progress bar, uint8 (N, height, width, channels).

    Those that cannot be read are left out, and said.

    Args:
        folder: The folder; pictures in folders below count too.
        input_spec: Input that the pictures are prepared for.

    Raises:
        UserError: It is no folder, or contains no pictures that can be read.
    """
    if not os.path.isdir(folder):
        raise UserError(f"{folder} is not a folder of pictures.")
    paths = picture_paths([folder])
    pixels: list[np.ndarray] = []
    skipped: list[dict[str, str]] = []
    with Decoders(len(paths)) as decoders, picture_progress(f"Reading {folder}") as progress:
        for done, found in enumerate(decoders.read(paths, input_spec), start=1):
            if isinstance(found, Picture):
                pixels.append(found.pixels)
            else:
                skipped.append({"file": found.name, "reason": found.reason})
            progress(done, len(paths))
    if not pixels:
        raise UserError(f"None of the {len(paths):,} pictures in {folder} can be read.")
    announce("; ".join([f"{folder}: {len(pixels):,} images", *left_out_text(skipped)]) + ".")
    return np.stack(pixels)
