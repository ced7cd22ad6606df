"""One seeded, stratified split of all pictures of a folder, for data whose test split is small.

python -m benchmarks.resplit FOLDER OUT

OUT becomes a folder with train/, validation/ and test/, which link to the pictures of FOLDER.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.sections import SHARED
from mobilenet_tf.datasets.sources.listing import list_dataset

SHARES = {"test": 0.25, "validation": 0.15}  # of each class; the rest trains
SEED = 0


def resplit(source: Path, out: Path) -> Path:
    """Link the pictures of a folder into other splits; return the new folder.

    The split of a picture depends on its name, its class and `SEED` alone.
    """
    classes, files, _ = list_dataset(source.resolve())
    for label, name in enumerate(classes):
        members = sorted((file.name for file in files if file.label == label), key=_rank)
        start = 0
        for split, share in SHARES.items():
            end = start + round(share * len(members))
            _link(members[start:end], source, out / split / name)
            start = end
        _link(members[start:], source, out / "train" / name)
    return out


def grouped(data: Path, groups: Sequence[Sequence[str]], out: Path) -> Path:
    """Link the pictures of each group of classes into one folder per split; return the new folder.

    Args:
        data: A folder with a folder per split, and in it one per class.
        groups: Names of the classes of each group.
        out: The new folder.
    """
    for split in sorted(data.iterdir()):
        for group in groups:
            names = [f"{name}/{file.name}" for name in group for file in (split / name).iterdir()]
            _link(names, split, out / split.name / f"{group[0]}_and_others")
    return out


def options_of(module_docstring: str, folder: str) -> argparse.ArgumentParser:
    """Return a parser of the options of a program that trains on such a split.

    Args:
        module_docstring: Docstring of the program; its first line is the description.
        folder: Name of the folder in runs/ that has its trainings by default.
    """
    parser = argparse.ArgumentParser(description=module_docstring.split("\n")[0])
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "clothing")
    parser.add_argument("--folder", type=Path, default=Path("runs") / folder)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="measure nothing")
    return parser


def split_of(options: argparse.Namespace) -> Path:
    """Return the split of the folder that --data names; it lies beside the trainings."""
    return resplit(options.data, options.folder.parent / "split" / options.data.name)


def _rank(name: str) -> bytes:
    return hashlib.sha256(f"{SEED}/{name}".encode()).digest()


def _link(names: list[str], source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        # Files of different splits of the source may have the same name.
        link = folder / name.replace("/", "_")
        with suppress(FileExistsError):  # from an earlier run, or one at the same time
            link.symlink_to((source / name).resolve())


if __name__ == "__main__":
    print(resplit(Path(sys.argv[1]), Path(sys.argv[2])))
