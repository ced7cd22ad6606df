"""What it changes to keep all pictures of a student in one split: docs/data.md.

python -m benchmarks.groups [--seeds N] [--folder DIR] [--table]

sign_digits has ten pictures of each student, 0 to 9, numbered as they were taken. Networks are
trained on the split by pictures and on the split by students, with the same seeds; each is measured
on its own test pictures. The document has each seed as soon as it is measured, and what it has is
not measured again.
"""

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mobilenet_tf as mn
from benchmarks.sections import SHARED, Section, markdown
from mobilenet_tf.core.files import write_lines

DATA = SHARED / "data" / "sign_digits"
NETWORKS = (("v1", 0.25), ("v3_small", 0.5))
SIDE = 48  # larger pictures are hardly ever mistaken
SPLITS = ("picture", "student")
COLUMNS = ("network", "split by", "int8 accuracy of each seed", "mean", "standard deviation")
_NUMBER = re.compile(r"(\d+)\D*$")


def students(files: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Return file -> student: a new one begins where the digit does not grow with the number.

    Args:
        files: Name and digit of each picture.
    """
    known = sorted((int(_NUMBER.search(name)[1]), digit, name) for name, digit in files)
    found, student, before = {}, 0, -1
    for _, digit, name in known:
        student += digit <= before
        found[name], before = f"student {student}", digit
    return found


def measure(seeds: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Train on both splits, and yield the content of docs/groups.json after each seed."""
    paths = sorted(DATA.glob("*/*"))
    names = [(path.relative_to(DATA).as_posix(), int(path.parent.name)) for path in paths]
    table, groups = folder / "students.csv", students(names)
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(table, ["file,group", *(f"{name},{one}" for name, one in sorted(groups.items()))])
    found: dict[str, Any] = SECTION.content() or {
        "students": len(set(groups.values())),
        "pictures": len(names),
        "size": SIDE,
        "rows": [
            {"network": name, "alpha": alpha, "split": split, "accuracy": []}
            for name, alpha in NETWORKS
            for split in SPLITS
        ],
    }
    for seed in range(seeds):
        for row in found["rows"]:
            if seed < len(row["accuracy"]):
                continue
            group_by = str(table) if row["split"] == "student" else ""
            out = folder / "{network}_{split}".format(**row) / str(seed)
            row["accuracy"].append(_accuracy(row["network"], row["alpha"], group_by, seed, out))
            yield found


def _accuracy(name: str, alpha: float, group_by: str, seed: int, out: Path) -> float:
    network = mn.make_network(name, alpha, SIDE)
    settings = mn.RunSettings(data=str(DATA), network=network, group_by=group_by, seed=seed)
    accuracy = mn.run(settings, out=out, overwrite=True).result().accuracy.int8
    assert accuracy is not None
    return accuracy


def render(found: dict[str, Any]) -> str:
    """Return the content of docs/groups.json as Markdown."""
    text = (
        f"On {found['pictures']:,} photos of the hands of {found['students']} students, at "
        f"{found['size']}x{found['size']} pixels (written by `python -m benchmarks.groups`):"
    )
    return f"{text}\n\n{markdown(COLUMNS, [_cells(row) for row in found['rows']])}"


def _cells(row: dict[str, Any]) -> Sequence[str]:
    shares = np.array(row["accuracy"])
    mean = f"{shares.mean():.2%}" if len(shares) else ""
    spread = f"{100 * shares.std(ddof=1):.2f}" if len(shares) > 1 else ""
    each = ", ".join(f"{share:.2%}" for share in shares)
    return f"`{row['network']}` {row['alpha']:g}", row["split"], each, mean, spread


SECTION = Section("groups", render, "docs/data.md")


def main() -> None:
    """Measure, and write docs/groups.json and its section after each seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs") / "groups")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    for found in measure(options.seeds, options.folder):
        SECTION.save(found)


if __name__ == "__main__":
    main()
