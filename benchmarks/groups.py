"""What it changes to keep all pictures of a student in one split, for docs/data.md.

python -m benchmarks.groups [--seeds 3]

sign_digits has ten pictures of each student, 0 to 9, numbered as they were taken. Networks are
trained on the split by pictures and on the split by students, with the same seeds; each is measured
on its own test pictures. About a minute of training per network and epoch of ten.
"""

import argparse
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mobilenet_tf as mn
from benchmarks.sections import DOCS, ROOT, markdown, replace_section
from mobilenet_tf.core.files import write_json, write_lines

DATA = ROOT.parent / "shared/data/sign_digits"
NETWORKS = (("v1", 0.25), ("v3_small", 0.5))
SIDE = 96
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


def measure(seeds: int, folder: Path) -> dict[str, Any]:
    """Train on both splits and return the accuracies."""
    paths = sorted(DATA.glob("*/*"))
    names = [(path.relative_to(DATA).as_posix(), int(path.parent.name)) for path in paths]
    table, groups = folder / "students.csv", students(names)
    write_lines(table, ["file,group", *(f"{name},{one}" for name, one in sorted(groups.items()))])
    rows = []
    for name, alpha in NETWORKS:
        for split, group_by in (("picture", ""), ("student", str(table))):
            found = [
                _accuracy(name, alpha, group_by, seed, folder / f"{name}_{split}_{seed}")
                for seed in range(seeds)
            ]
            rows.append({"network": f"{name} {alpha:g}", "split": split, "accuracy": found})
    return {"students": len(set(groups.values())), "pictures": len(names), "rows": rows}


def _accuracy(name: str, alpha: float, group_by: str, seed: int, out: Path) -> float:
    network = mn.make_network(name, alpha, SIDE)
    settings = mn.RunSettings(data=str(DATA), network=network, group_by=group_by, seed=seed)
    accuracy = mn.run(settings, out=out).result().accuracy.int8
    assert accuracy is not None
    return accuracy


def render(found: dict[str, Any]) -> str:
    """Return the measured accuracies as Markdown."""
    return markdown(COLUMNS, [_cells(row) for row in found["rows"]])


def _cells(row: dict[str, Any]) -> Sequence[str]:
    shares = np.array(row["accuracy"])
    spread = f"{100 * shares.std(ddof=1):.2f}" if len(shares) > 1 else ""
    each = ", ".join(f"{share:.2%}" for share in shares)
    return f"`{row['network']}`", row["split"], each, f"{shares.mean():.2%}", spread


def main() -> None:
    """Measure, and write docs/groups.json and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(parser.parse_args().seeds, Path(folder))
    write_json(DOCS / "groups.json", found)
    replace_section(DOCS / "data.md", "groups", render(found))


if __name__ == "__main__":
    main()
