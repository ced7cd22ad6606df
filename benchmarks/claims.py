"""The papers' claims, tested on small data: the table in docs/claims.md.

python -m benchmarks.claims [--data DIR] [--seeds N] [--only NAME...] [--folder DIR] [--table]

For each claim, float networks are trained by `compare` with the same split, recipe and epochs, and
with several seeds. The pictures of DIR are split again, 60 % for training and 25 % for testing.
Work that was interrupted continues, and networks that several claims need are trained once.
`--only` measures some of the claims, and those measured before stay. `--table` measures nothing and
renders docs/claims.md from docs/claims.json.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mobilenet_tf as mn
from benchmarks.claims_networks import CLAIMS, EQUAL, Claim
from benchmarks.resplit import options_of, split_of
from benchmarks.sections import Section, markdown, paragraph
from mobilenet_tf.deployment.report.comparison_tables import points
from mobilenet_tf.selection.affordable import label

EPOCHS = 20
MARGIN = 2.0  # points: differences within it count as equal
_FACTS = ("data", "classes", "test_images", "recipe", "epochs", "seeds", "versions", "machine")
_ROW = ("network", "parameters", "macs", "float", "difference", "diverged")
_ANSWERS = {True: "agrees", False: "disagrees", None: "open"}


def measure(claim: Claim, data: Path, folder: Path, seeds: int) -> dict[str, Any]:
    """Train the networks of a claim and return what docs/claims.json has of it.

    Args:
        claim: The claim.
        data: Folder of the images.
        folder: Folder of the comparisons of all claims, which are one as far as they are trained.
        seeds: Number of seeds.
    """
    started = time.monotonic()
    settings = mn.ComparisonSettings(
        recipe=mn.load_recipe("small_data").with_fields({"train.epochs": EPOCHS}),
        seeds=seeds,
        int8=False,
        reference="first",
    )
    result = mn.compare(data, claim.networks, settings=settings, out=folder, resume=True)
    return {
        **{name: result[name] for name in _FACTS},
        "data": Path(result["data"]).name,
        "networks": [{name: row[name] for name in _ROW} for row in result["networks"]],
        "seconds": round(time.monotonic() - started),
    }


def agrees(expected: str, difference: Mapping[str, float]) -> bool | None:
    """Return whether a difference to the reference is what the paper finds; None if it is open.

    Args:
        expected: `worse` or `equal`.
        difference: Mean and 95 % interval, from -1 to 1.
    """
    low, high = (100 * difference[bound] for bound in ("low", "high"))
    if expected == EQUAL:
        if low >= -MARGIN and high <= MARGIN:
            return True
        return False if low > MARGIN or high < -MARGIN else None
    if high < 0:
        return True
    return False if low > 0 else None


def rows(measured: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: one row per claim and network that is compared with the reference."""
    found = []
    for claim in CLAIMS:
        if claim.name not in measured:
            continue
        ours = {row["network"]: row for row in measured[claim.name]["networks"]}
        base = ours[label(claim.reference)]
        text, source = claim.text, claim.source
        for other in claim.others:
            row = ours[label(other.network)]
            found.append(
                (
                    text,
                    source,
                    f"{_name(row)} against {_name(base)}",
                    _paper(other.expected, claim.paper, other.paper),
                    f"{_per_cent(row)} against {_per_cent(base)}",
                    points(row["difference"]),
                    _ANSWERS[agrees(other.expected, row["difference"])],
                )
            )
            text = source = ""
    return found


def _name(row: Mapping[str, Any]) -> str:
    return f"`{row['network']}` ({row['macs'] / 1e6:.1f} M)"


def _per_cent(row: Mapping[str, Any]) -> str:
    return f"{row['float']['mean']:.1%}"


def _paper(expected: str, reference: float | None, other: float | None) -> str:
    if reference is None or other is None:
        return expected
    return f"{other} against {reference}: {other - reference:+.1f}"


def render(measured: Mapping[str, Any]) -> str:
    """Return the content of docs/claims.json as Markdown."""
    columns = ("claim", "paper", "networks", "its accuracies, %", "ours", "difference", "")
    lines = rows(measured)
    table = markdown(columns, lines)
    first = next(iter(measured.values()))
    seeds = sorted({str(entry["seeds"]) for entry in measured.values()})
    answers = [line[-1] for line in lines]
    counts = ", ".join(f"{answers.count(word)} {word}" for word in _ANSWERS.values())
    note = f"""Float accuracy on {first["test_images"]:,} test images of {first["data"]},
        {first["classes"]} classes, {first["epochs"]} epochs of the recipe
        `{first["recipe"]}`, {" or ".join(seeds)} seed{"s" * (seeds != ["1"])}; in brackets after a
        network, its multiply-adds. Differences in points with 95 % intervals of a paired bootstrap
        over images and seeds. {counts}: a difference agrees if its interval lies on the paper's
        side of zero, whatever its size, or, where the paper finds no difference, within
        {MARGIN:g} points; it disagrees if it lies on the other side, and is open otherwise.
        {first["machine"]["cores"]} cores, {first["machine"]["cpu"]}."""
    missing = [claim.name for claim in CLAIMS if claim.name not in measured]
    left = f"\n\nNot measured yet: {', '.join(missing)}." if missing else ""
    return f"{table}\n\n{paragraph(note)}{left}"


SECTION = Section("claims", render, "docs/claims.md")


def main() -> None:
    """Measure, and write docs/claims.json and docs/claims.md after each claim."""
    parser = options_of(__doc__, "claims")
    parser.add_argument("--only", nargs="+", choices=[claim.name for claim in CLAIMS])
    options = parser.parse_args()
    if options.table:
        SECTION.write()
        return
    known = SECTION.file
    measured = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
    data = split_of(options)
    for claim in CLAIMS:
        if claim.name in (options.only or [claim.name]):
            measured[claim.name] = measure(claim, data, options.folder, options.seeds)
            SECTION.save(measured)


if __name__ == "__main__":
    main()
