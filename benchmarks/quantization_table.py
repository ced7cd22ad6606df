"""The figures of `benchmarks.quantization` as a table, a plot and sentences."""

import json
from pathlib import Path
from textwrap import fill

import numpy as np

from benchmarks.quantization import CASES, SEEDS, Case
from benchmarks.tables import ROOT, markdown, replace_section
from mobilenet_tf.core.files import write_text

DOCS = ROOT / "docs"
WAYS = {"float": "float", "ptq": "PTQ", "stock": "stock TFMOT QAT", "ours": "ours"}
DROP, LSB = 0.3, 0.995  # what is to be reached: points against float, share within 1 LSB


def collect(folder: Path) -> dict[Case, list[dict]]:
    """The results that are there, by network."""
    found = {}
    for case in CASES:
        files = [case.file(folder, seed) for seed in SEEDS]
        rows = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
        for row in rows:
            if "accuracy" in row["stock"]:
                row["accuracy"]["stock"] = row["stock"]["accuracy"]
        if rows:
            found[case] = rows
    return found


def spread(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (of a sample; 0 for one), of shares, in points."""
    points = 100 * np.array(values)
    return float(points.mean()), float(points.std(ddof=1)) if len(points) > 1 else 0.0


def shares(rows: list[dict], way: str) -> list[float]:
    """Accuracy of one way for each seed; empty where it did not work."""
    return [row["accuracy"][way] for row in rows if way in row["accuracy"]]


def gains(rows: list[dict], way: str) -> list[float]:
    """Accuracy of ours less that of another way, seed by seed."""
    return [
        row["accuracy"]["ours"] - row["accuracy"][way] for row in rows if way in row["accuracy"]
    ]


def table(found: dict[Case, list[dict]]) -> str:
    """Accuracy, differences and agreement as Markdown."""
    columns = (
        "network", "seeds", *WAYS.values(), "ours - float", "ours - PTQ", "ours - stock",
        "within 1 LSB: ours", "stock",
    )  # fmt: skip

    def cell(values: list[float], sign: str = "") -> str:
        # + 0.0: no minus before a zero.
        mean, deviation = (round(value, 2) + 0.0 for value in spread(values or [0.0]))
        around = f" ± {deviation:.2f}" if len(values) > 1 else ""
        return f"{mean:{sign}.2f}{around}" if values else "-"

    lines = []
    for case, rows in found.items():
        accuracy = [cell(shares(rows, way)) for way in WAYS]
        if not shares(rows, "stock"):
            # The message begins with the layer's name and its class's path.
            refused = rows[0]["stock"]["error"].split("'> is not supported")[0].split(".")[-1]
            accuracy[list(WAYS).index("stock")] = f"refuses {refused}"
        agreement = [row["parity"]["within_1_lsb"] for row in rows]
        theirs = [row["stock"]["parity"]["within_1_lsb"] for row in rows if shares([row], "stock")]
        lines.append(
            (
                case.title,
                len(rows),
                *accuracy,
                *(cell(gains(rows, way), "+") for way in ("float", "ptq", "stock")),
                f"{min(agreement):.2%}",
                f"{min(theirs):.2%}" if theirs else "-",
            )
        )
    return markdown(columns, lines)


def text(found: dict[Case, list[dict]]) -> str:
    """The section of docs/benchmarks.md."""
    every = [row for rows in found.values() for row in rows]
    one, machine = every[0], every[0]["machine"]
    pictures, seeds = one["test_pictures"], max(map(len, found.values()))
    picture = 100 / pictures
    mean, deviation = spread(gains(every, "float"))
    per_network = {case.title: spread(gains(rows, "float"))[0] for case, rows in found.items()}
    worst = min(per_network, key=per_network.get)
    below = []
    for way in ("ptq", "stock"):
        for case, rows in found.items():
            gain, noise = spread(gains(rows, way)) if gains(rows, way) else (0.0, 0.0)
            if gain + max(noise, picture / len(rows)) < 0:
                below.append(f"{case.title} below {WAYS[way]}")
    origins = {False: "random", True: "ImageNet's"}
    training = dict.fromkeys(
        f"{row['float_epochs']} float epochs from {origins[row['pretrained']]} weights at a "
        f"learning rate of {row['float_learning_rate']:g}"
        for row in every
    )
    lsb = min(row["parity"]["within_1_lsb"] for row in every)
    inside = min(row["least_within_1_lsb_of_a_tensor"] for row in every)

    def held(truth: bool) -> str:
        return "reached" if truth else "**not reached**"

    paragraphs = (
        f"""Per cent of the test pictures, mean ± standard deviation over the seeds; differences are
        taken seed by seed. Each seed has a split, first weights and an order of pictures of its
        own. One picture of {pictures} is {picture:.2f} points of a run and {picture / seeds:.2f} of
        the mean of {seeds}: smaller differences do not exist here, and those of a few pictures say
        little.""",
        f"""{"; ".join(training)}. Then {one["qat_epochs"]} epochs of QAT at a rate of
        {one["qat_learning_rate"]:g}, the same for stock and ours. All else is the default recipe's.
        QAT goes on training: where the float network was not at its end both gain from that, so
        ours against stock is the fairer comparison, and PTQ against float shows what rounding alone
        costs. {machine["cpu"]}, TensorFlow {one["versions"]["tensorflow"]}, TFMOT
        {one["versions"]["tfmot"]}, LiteRT {one["versions"]["litert"]}.""",
        f"""To reach: a mean drop against float of at most {DROP} points. Over all {len(every)} runs
        ours changes {mean:+.2f} ± {deviation:.2f}: {held(mean >= -DROP)}; the worst network is
        {worst} with {per_network[worst]:+.2f}.""",
        f"""To reach: never below PTQ or stock QAT beyond the spread, or one picture if that is
        more: {held(not below)}{": " + "; ".join(below) if below else ""}.""",
        f"""To reach: the outputs of QAT and of its file within 1 LSB for at least {LSB:.1%} of
        values. The worst run has {lsb:.2%}, the worst tensor inside of a network {inside:.2%}:
        {held(lsb >= LSB)}.""",
        "![accuracy against float](quantization.png)",
    )
    # Paragraphs are written at the width of the documents.
    filled = (fill(" ".join(paragraph.split()), 100) for paragraph in paragraphs)
    return "\n\n".join((table(found), *filled))


def plot(found: dict[Case, list[dict]], path: Path) -> None:
    """What each way to int8 gains or loses against its own float network."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.75 * len(found) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for offset, (way, colour) in enumerate(
        {"ptq": "tab:grey", "stock": "tab:orange", "ours": "tab:blue"}.items()
    ):
        for row, rows in enumerate(found.values()):
            losses = [
                100 * (r["accuracy"][way] - r["accuracy"]["float"])
                for r in rows
                if way in r["accuracy"]
            ]
            place = row + 0.22 * (offset - 1)
            label = WAYS[way] if row == 0 else None
            if losses:
                axes.plot(losses, [place] * len(losses), "o", color=colour, alpha=0.45, ms=4)
                axes.plot([np.mean(losses)], [place], "D", color=colour, ms=7, label=label)
            else:
                axes.text(0.05, place, "does not work", color=colour, va="center", fontsize=8)
    axes.axvline(0, color="black", lw=0.8)
    axes.axvline(-DROP, color="black", lw=0.8, ls=":")
    axes.set_yticks(range(len(found)), [case.title.replace("`", "") for case in found])
    axes.invert_yaxis()
    axes.set_xlabel("points against float; small: a seed, large: their mean; dotted: to reach")
    figure.legend(loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=100)


def write(folder: Path) -> None:
    """docs/quantization.json, docs/quantization.png and the section of docs/benchmarks.md."""
    found = collect(folder)
    every = [row for rows in found.values() for row in rows]
    write_text(DOCS / "quantization.json", json.dumps(every, indent=1) + "\n")
    plot(found, DOCS / "quantization.png")
    replace_section(DOCS / "benchmarks.md", "quantization", text(found))
