"""How long `data` takes for many pictures and for large ones: the table in docs/data.md.

python -m benchmarks.survey [DATA]

The pictures are crops of those in DATA, a folder of images per class, enlarged and saved as JPEG.
Each folder is looked at twice, the page with thumbnails included; the second time, what was
measured of its pictures may be known already.
"""

import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import mobilenet_tf as mn
from benchmarks.sections import SHARED, Section, markdown, paragraph
from mobilenet_tf.core.system import machine
from mobilenet_tf.datasets.sources.listing import list_dataset

# Number of pictures, their width and height.
CASES = ((10_000, (640, 480)), (200, (4000, 3000)))
COLUMNS = ("pictures", "pixels", "seconds", "pictures per second", "seconds again")
_QUALITY = 90
_SMALLEST_CROP = 0.75  # of the width


def make(data: Path, folder: Path, count: int, sides: tuple[int, int]) -> None:
    """Save different crops of the pictures in `data`, a folder per class."""
    random, (width, height) = np.random.default_rng(0), sides
    classes, files, _ = list_dataset(data)
    for name in classes:
        (folder / name).mkdir()
    shuffled = [files[place] for place in random.permutation(len(files))]
    for number, file in enumerate(islice(cycle(shuffled), count)):
        with Image.open(data / file.name) as opened:
            picture = opened.convert("RGB")
        share = random.uniform(_SMALLEST_CROP, 1) * min(
            picture.width / width, picture.height / height
        )
        left, top = (
            random.uniform(0, have - share * need)
            for have, need in zip(picture.size, sides, strict=True)
        )
        box = (left, top, left + share * width, top + share * height)
        crop = picture.resize(sides, Image.Resampling.BICUBIC, box=box)
        crop.save(folder / classes[file.label] / f"{number}.jpg", quality=_QUALITY)


def measure(data: Path, count: int, sides: tuple[int, int]) -> dict[str, Any]:
    """Make a folder of pictures, look at it twice, and return the row of the table."""
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as out:
        make(data, Path(made), count, sides)
        seconds = []
        for turn in range(2):
            began = time.monotonic()
            found = mn.data(made, html=Path(out) / f"{turn}.html")
            seconds.append(time.monotonic() - began)
    return {"pictures": found.images, "sides": sides, "seconds": seconds}


def render(found: dict[str, Any]) -> str:
    """Return the content of docs/survey.json as Markdown."""
    cells = [
        (
            f"{row['pictures']:,}",
            "x".join(map(str, row["sides"])),
            f"{row['seconds'][0]:.1f}",
            f"{row['pictures'] / row['seconds'][0]:.0f}",
            f"{row['seconds'][1]:.1f}",
        )
        for row in found["rows"]
    ]
    here = found["machine"]
    return f"{markdown(COLUMNS, cells)}\n\n" + paragraph(
        f"JPEG files, cut from the pictures of {found['data']}. {here['cores']} cores, "
        f"{here['cpu']}."
    )


SECTION = Section("survey", render, "docs/data.md")


def main(data: str = str(SHARED / "data" / "clothing")) -> None:
    """Measure, and write docs/survey.json and its section."""
    rows = [measure(Path(data), *case) for case in CASES]
    SECTION.save({"data": Path(data).name, "machine": machine(), "rows": rows})


if __name__ == "__main__":
    main(*sys.argv[1:])
