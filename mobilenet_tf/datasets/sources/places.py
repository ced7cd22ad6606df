"""Pictures with the places where they were taken, before any is decoded."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement
from mobilenet_tf.datasets.dataset import SPLITS, Dataset, Progress
from mobilenet_tf.datasets.decoders import Decoders
from mobilenet_tf.datasets.labelled import Labelled, read_dataset
from mobilenet_tf.datasets.sources.decoded import from_images
from mobilenet_tf.datasets.sources.digits import bundled_digits
from mobilenet_tf.datasets.sources.exif_position import (
    NoPosition,
    Position,
    checked,
    read_positions,
)
from mobilenet_tf.datasets.sources.file_index import FileIndex
from mobilenet_tf.datasets.sources.layout import split_of
from mobilenet_tf.datasets.sources.listing import check_folder
from mobilenet_tf.datasets.sources.located import located
from mobilenet_tf.datasets.sources.table import FILE_COLUMNS, Table, is_table, named, read_table
from mobilenet_tf.datasets.sources.walk import files_below, folders_named, is_picture
from mobilenet_tf.datasets.splitting import Listing

_ACCEPTED = "a folder of photos with GPS positions, a table of coordinates (.csv), or `digits`"
_LATITUDES = ("latitude", "lat", "gps_latitude", "gpslatitude", "decimallatitude")
_LONGITUDES = (
    "longitude",
    "lon",
    "lng",
    "long",
    "gps_longitude",
    "gpslongitude",
    "decimallongitude",
)

# Where the digits 0 to 9 of the made-up survey live, and how far from there they stray.
HOMES = (
    *((64.0, -150.0), (45.0, -110.0), (20.0, -100.0), (-10.0, -60.0), (-45.0, -70.0)),
    *((62.0, 15.0), (40.0, 0.0), (0.0, 25.0), (35.0, 105.0), (-25.0, 135.0)),
)
RANGE_DEGREES = 3.0  # of latitude; of longitude as many kilometres
_TINT = 100.0  # grey levels from the middle to the edge of the range
_NOISE = 4.0  # grey levels, standard deviation of a picture's tint


@dataclass(frozen=True)
class Places:
    """Pictures and their places.

    Attributes:
        labelled: The files; labels are float64 (latitude, longitude) in degrees.
        images: The pictures themselves, if they are no files.
    """

    labelled: Labelled
    images: list[Image.Image] | None = None

    @property
    def positions(self) -> np.ndarray:
        """Latitude and longitude of each picture in degrees, float64 (N, 2)."""
        return np.array(self.labelled.listing.labels, np.float64).reshape(-1, 2)

    def arranged(self, arrangement: Arrangement, progress: Progress | None) -> "Places":
        """Return the pictures as `Labelled.arranged` does, where they are files."""
        if self.images is not None:
            return self
        with Decoders(len(self.labelled.listing)) as decoders:
            return replace(self, labelled=self.labelled.arranged(arrangement, decoders, progress))

    def relabelled(
        self, rows: np.ndarray, listing: Listing, skipped: list[dict[str, str]]
    ) -> "Places":
        """Return some of the pictures with other labels, splits and classes."""
        facts = self.labelled.facts
        labelled = replace(
            self.labelled,
            listing=listing,
            skipped=[*self.labelled.skipped, *skipped],
            facts=None if facts is None else [facts[row] for row in rows],
        )
        images = None if self.images is None else [self.images[row] for row in rows]
        return Places(labelled, images)

    def read(
        self, input_spec: InputSpec, seed: int, progress: Progress | None, judge_depth: bool
    ) -> Dataset:
        """Decode the pictures."""
        if self.images is None:
            return read_dataset(self.labelled, input_spec, seed, progress, judge_depth)
        source, listing = self.labelled.source, self.labelled.listing
        data = from_images(source, listing, self.images, input_spec, seed=seed, progress=progress)
        return replace(data, skipped=list(self.labelled.skipped))


def list_places(source: str) -> Places:
    """List the pictures of a source that have a place.

    Args:
        source: `digits` for scikit-learn's digits in made-up places; a table with the columns
            file, latitude and longitude in degrees, and perhaps split; or a folder of pictures
            with GPS positions in their EXIF data, with or without train/, val/ and test/.

    Raises:
        UserError: There is no such source, or none of its pictures has a place.
    """
    if source == "digits":
        return _digits()
    path = located(source, _LATITUDES)
    with folders_named():
        found = _from_table(path) if is_table(path) else _from_folder(path)
    if not found.positions:
        reasons = f", for example because {found.skipped[0]['reason']}" if found.skipped else ""
        raise UserError(f"{source} has no pictures with a place{reasons}.")
    names = sorted(found.positions)
    splits = [found.splits[name] for name in names] if found.splits else None
    labels = [np.array(found.positions[name]) for name in names]
    listing = Listing((), names, labels, splits, stratified=False)
    return Places(Labelled(source=source, root=found.root, listing=listing, skipped=found.skipped))


class _Found:
    """Files with their positions and splits, by their path from a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.positions: dict[str, Position] = {}
        self.splits: dict[str, str] = {}
        self.skipped: list[dict[str, str]] = []

    def skip(self, file: str, reason: str) -> None:
        self.skipped.append({"file": file, "reason": reason})


def _from_table(path: Path) -> _Found:
    table = read_table(path, most=3)
    files, latitudes, longitudes = 0, 1, 2
    if table.header is not None:
        columns = [table.column(names) for names in (FILE_COLUMNS, _LATITUDES, _LONGITUDES)]
        if None in columns:
            raise UserError(
                f"{path} needs the columns file, latitude and longitude; its header is "
                f"{named(table.titles)}."
            )
        files, latitudes, longitudes = (int(column or 0) for column in columns)
    found, index, splits = _Found(path.parent), FileIndex(path.parent), table.splits()
    for row, (_, cells) in enumerate(table.rows):
        try:
            place = checked(*(_number(table, cells[n]) for n in (latitudes, longitudes)))
        except NoPosition as error:
            found.skip(cells[files], str(error))
            continue
        file = index.find(cells[files])
        if file is None:
            found.skip(cells[files], "there is no such file")
        elif found.positions.setdefault(file, place) != place:
            found.skip(cells[files], "it is in several places, of which the first counts")
        elif splits is not None:
            found.splits.setdefault(file, splits[row])
    return found


def _number(table: Table, cell: str) -> float:
    try:
        return float(cell if table.delimiter == "," else cell.replace(",", "."))
    except ValueError:
        raise NoPosition(f"its place is {cell[:40]!r}, which is no number of degrees") from None


def _from_folder(path: Path) -> _Found:
    root = check_folder(path, _ACCEPTED)
    found = _Found(root)
    paths = [
        path
        for path in files_below(root, [], lambda path, reason: found.skip(path.name, reason))
        if is_picture(path.name)
    ]
    tops = {name: split_of(name) for name in sorted(os.listdir(root)) if (root / name).is_dir()}
    has_splits = "train" in tops.values()
    for path, place in zip(paths, read_positions(paths), strict=True):
        name = path.relative_to(root)
        split = tops.get(name.parts[0]) if has_splits else None
        if has_splits and split not in SPLITS:
            found.skip(name.as_posix(), "it lies beside the splits")
        elif isinstance(place, str):
            found.skip(name.as_posix(), place)
        else:
            found.positions[name.as_posix()] = place
            if split is not None:
                found.splits[name.as_posix()] = split
    return found


def _digits() -> Places:
    """A made-up survey: each digit lives somewhere, and the ground's colour depends on the place.

    Red grows to the north and blue to the east within the range of a digit.
    """
    digits, greys = bundled_digits()
    random = np.random.default_rng(0)
    homes = np.array(HOMES)[np.asarray(digits.labels)]
    strays = random.uniform(-1, 1, homes.shape)
    shrinking = np.cos(np.radians(homes[:, 0]))  # of degrees of longitude
    positions = homes + RANGE_DEGREES * strays / np.stack([np.ones(len(homes)), shrinking], axis=1)
    tints = 128 + _TINT * strays + random.normal(0, _NOISE, strays.shape)
    listing = Listing((), digits.names, [np.round(one, 6) for one in positions], stratified=False)
    labelled = Labelled(source="digits", root=Path(), listing=listing)
    return Places(labelled, list(_tinted(greys, tints)))


def _tinted(greys: np.ndarray, tints: np.ndarray) -> Iterator[Image.Image]:
    """Yield white digits on a ground of the given red and blue."""
    for grey, (red, blue) in zip(greys, tints, strict=True):
        ink = grey[..., np.newaxis] / 255.0
        ground = np.clip([red, 128, blue], 0, 255)
        yield Image.fromarray(np.round(ground + ink * (255 - ground)).astype(np.uint8))
