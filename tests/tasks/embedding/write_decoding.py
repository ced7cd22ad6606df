"""Write decoding.json: vectors, and what a gallery says of them, for decoders in any language.

    python -m tests.tasks.embedding.write_decoding

Each case has a float32 vector and the same with length 1; the gallery is one that `enroll` could
have written; and for further vectors there are the names by similarity, and the name that is
accepted at a threshold. Values must agree within 1e-5. Cases with `integers` are those of a file,
whose real values the vector has.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mobilenet_tf.core.files import json_text, write_text
from mobilenet_tf.core.records import to_plain
from mobilenet_tf.tasks.embedding.gallery import Gallery
from mobilenet_tf.tasks.embedding.similarity import unit
from tests.tasks.quantized import Integers

FILE = Path(__file__).with_name("decoding.json")
_DIMENSION = 8
_THRESHOLD = 0.6


def _drawn() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (12, _DIMENSION)).round(3).astype(np.float32)


def cases() -> list[dict[str, Any]]:
    """Return vectors of usual and extreme lengths, and one of length 0."""
    drawn = _drawn()
    random = np.random.default_rng(1)
    quantized = (
        Integers("integers", random.integers(-128, 128, _DIMENSION), 0.031, -7),
        Integers("many integers", random.integers(-128, 128, 200), 0.031, 5),
        Integers("extreme integers", [-128, 127] * 4, 0.5, 0),
        Integers("the longest", [127] * _DIMENSION, 9.0, -128),
        Integers("nothing but the zero point", [-128] * _DIMENSION, 0.1, -128),
    )
    return [_case(one.name, one.real) | one.fields() for one in quantized] + [
        _case(name, vector)
        for name, vector in (
            ("usual", drawn[0]),
            ("long", drawn[1] * 1000),
            ("short", drawn[2] * np.float32(1e-3)),
            ("zero", drawn[3] * 0),
        )
    ]


def _case(name: str, vector: np.ndarray) -> dict[str, Any]:
    return {"name": name, "vector": vector.tolist(), "unit": unit(vector[None])[0].tolist()}


def gallery() -> Gallery:
    """Return a gallery of three names, of which one has several images."""
    found = Gallery(model="0123456789abcdef" * 4, dimension=_DIMENSION)
    for name, rows in (("Ada", (4, 5, 6)), ("Grace", (7,)), ("Émilie", (8, 9))):
        images = [f"{name}_{row}.png" for row in rows]
        vectors = [[round(float(x), 6) for x in one] for one in unit(_drawn()[[*rows]])]
        found = found.with_images(name, images, vectors)
    return found


def identified() -> list[dict[str, Any]]:
    """Return what `identify` says of vectors near one of the gallery's and far from all."""
    drawn, known = _drawn(), gallery()
    found = []
    for vector in (drawn[5] * 2 + drawn[0] * np.float32(0.3), drawn[7], -drawn[8], drawn[11]):
        similar = list(known.similarities(unit(vector[None])[0].tolist()).items())
        first, similarity = similar[0]
        found.append(
            {
                "vector": vector.tolist(),
                "threshold": _THRESHOLD,
                "name": first if similarity > _THRESHOLD else None,
                "names": [{"name": name, "similarity": value} for name, value in similar],
            }
        )
    return found


def content() -> dict[str, Any]:
    """Return what the file contains."""
    return {"cases": cases(), "gallery": to_plain(gallery()), "identified": identified()}


if __name__ == "__main__":
    write_text(FILE, json_text(content()) + "\n")
