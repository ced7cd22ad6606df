"""Render the measurements of `benchmarks.quantization` as a table, a plot and sentences."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quantization_cases import Case
from benchmarks.sections import DOCS, Section, markdown, paragraph

WAYS = {"float": "float", "ptq": "PTQ", "stock": "stock TFMOT QAT", "ours": "ours"}
_COLOURS = {"ptq": "tab:grey", "stock": "tab:orange", "ours": "tab:blue"}
# Goals: largest drop in points against float, least share of outputs within 1 LSB.
DROP, LSB = 0.3, 0.995
_ORIGINS = {False: "random", True: "ImageNet"}
Row = dict[str, Any]  # one network and seed
Cases = dict[Case, list[Row]]


def by_case(rows: list[Row]) -> Cases:
    """Group the rows of docs/quantization.json by network."""
    found: Cases = {}
    for row in rows:
        case = Case(row["network"], row["alpha"], row["size"], row["pretrained"])
        found.setdefault(case, []).append(row)
    return found


def mean_and_deviation(shares: list[float]) -> tuple[float, float]:
    """Return mean and sample standard deviation of shares in points; 0 for a single one."""
    points = 100 * np.array(shares)
    return float(points.mean()), float(points.std(ddof=1)) if len(points) > 1 else 0.0


def accuracies(rows: list[Row], way: str) -> list[float]:
    """Return the accuracy of one way for each seed; empty if it does not work."""
    return [row["accuracy"][way] for row in rows if way in row["accuracy"]]


def gains(rows: list[Row], way: str) -> list[float]:
    """Return the accuracy of ours minus that of another way for each seed."""
    return [
        row["accuracy"]["ours"] - row["accuracy"][way] for row in rows if way in row["accuracy"]
    ]


def table(cases: Cases) -> str:
    """Return accuracy, differences and agreement as Markdown."""
    columns = (
        "network", "seeds", *WAYS.values(), "ours - float", "ours - PTQ", "ours - stock",
        "within 1 LSB: ours", "within 1 LSB: stock",
    )  # fmt: skip
    return markdown(columns, [_cells(case, rows) for case, rows in cases.items()])


def _cells(case: Case, rows: list[Row]) -> tuple[object, ...]:
    accuracy = [_cell(accuracies(rows, way)) for way in WAYS]
    if not accuracies(rows, "stock"):
        # The message starts with the layer's name and the path of its class.
        layer = rows[0]["stock"]["error"].split("'> is not supported")[0].split(".")[-1]
        accuracy[list(WAYS).index("stock")] = f"{layer} is not supported"
    ours = [row["parity"]["within_1_lsb"] for row in rows]
    stock = [row["stock"]["parity"]["within_1_lsb"] for row in rows if accuracies([row], "stock")]
    return (
        case.title,
        len(rows),
        *accuracy,
        *(_cell(gains(rows, way), "+") for way in ("float", "ptq", "stock")),
        f"{min(ours):.2%}",
        f"{min(stock):.2%}" if stock else "-",
    )


def _cell(shares: list[float], sign: str = "") -> str:
    # + 0.0 removes the sign of a negative zero.
    mean, deviation = (round(value, 2) + 0.0 for value in mean_and_deviation(shares or [0.0]))
    deviation_text = f" ± {deviation:.2f}" if len(shares) > 1 else ""
    return f"{mean:{sign}.2f}{deviation_text}" if shares else "-"


def render(rows: list[Row]) -> str:
    """Return the content of docs/quantization.json as Markdown."""
    cases = by_case(rows)
    paragraphs = map(paragraph, (*_methods(rows, cases), *_goals(rows, cases)))
    return "\n\n".join((table(cases), *paragraphs, "![accuracy against float](quantization.png)"))


def _methods(rows: list[Row], cases: Cases) -> tuple[str, ...]:
    """What was measured, and how."""
    one, machine, versions = rows[0], rows[0]["machine"], rows[0]["versions"]
    images, seeds = one["test_pictures"], max(map(len, cases.values()))
    training = dict.fromkeys(
        f"{row['float_epochs']} float epochs from {_ORIGINS[row['pretrained']]} weights at a "
        f"learning rate of {row['float_learning_rate']:g}"
        for row in rows
    )
    return (
        f"""Accuracy in per cent of the test images, mean ± standard deviation over the seeds;
        differences are computed for each seed. Each seed has its own split, initial weights and
        order of the images. One image of {images} is {100 / images:.2f} points in one run, and
        {100 / images / seeds:.2f} in the mean of {seeds}. Smaller differences are impossible, and
        a difference of a few images is not significant.""",
        f"""Training: {", or ".join(training)}; then {one["qat_epochs"]} epochs of QAT at a learning
        rate of {one["qat_learning_rate"]:g}, the same for stock and ours. All other settings are
        those of the default recipe. QAT continues training: if float training has not converged,
        stock and ours both gain from that. So ours against stock is the fairer comparison, and PTQ
        against float shows the cost of rounding alone. {machine["cpu"]},
        TensorFlow {versions["tensorflow"]}, TFMOT {versions["tfmot"]},
        LiteRT {versions["litert"]}.""",
    )


def _goals(rows: list[Row], cases: Cases) -> tuple[str, ...]:
    """Which goals were reached."""
    mean, deviation = mean_and_deviation(gains(rows, "float"))
    per_network = {
        case.title: mean_and_deviation(gains(x, "float"))[0] for case, x in cases.items()
    }
    worst = min(per_network, key=per_network.__getitem__)
    below = _below(cases)
    lsb = min(row["parity"]["within_1_lsb"] for row in rows)
    inside = min(row["least_within_1_lsb_of_a_tensor"] for row in rows)

    def verdict(reached: bool) -> str:
        return "reached" if reached else "**not reached**"

    return (
        f"""Goal: a mean drop of at most {DROP} points against float. Over all {len(rows)} runs, the
        difference of ours is {mean:+.2f} ± {deviation:.2f}: {verdict(mean >= -DROP)}. The worst
        network is {worst} with {per_network[worst]:+.2f}.""",
        f"""Goal: never below PTQ or stock QAT by more than the standard deviation, or by more than
        one image if that is larger: {verdict(not below)}{": " if below else ""}{"; ".join(below)}.
        """,
        f"""Goal: QAT model and file agree within 1 LSB in at least {LSB:.1%} of the outputs. The
        worst run has {lsb:.2%}, the worst tensor inside a network {inside:.2%}:
        {verdict(lsb >= LSB)}.""",
    )


def _below(cases: Cases) -> list[str]:
    """Networks for which ours is worse than another way by more than the noise."""
    found = []
    for way in ("ptq", "stock"):
        for case, rows in cases.items():
            gain, noise = mean_and_deviation(gains(rows, way) or [0.0])
            image = 100 / rows[0]["test_pictures"] / len(rows)
            if gain + max(noise, image) < 0:
                found.append(f"{case.title} below {WAYS[way]}")
    return found


SECTION = Section("quantization", render)


def plot(cases: Cases, path: Path) -> None:
    """Plot the difference of each way from its float network."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 0.75 * len(cases) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for offset, (way, colour) in enumerate(_COLOURS.items()):
        for place, rows in enumerate(cases.values()):
            height = place + 0.22 * (offset - 1)
            points = [
                100 * (row["accuracy"][way] - row["accuracy"]["float"])
                for row in rows
                if way in row["accuracy"]
            ]
            label = WAYS[way] if place == 0 else None
            if points:
                axes.plot(points, [height] * len(points), "o", color=colour, alpha=0.45, ms=4)
                axes.plot([np.mean(points)], [height], "D", color=colour, ms=7, label=label)
            else:
                axes.text(0.05, height, "not supported", color=colour, va="center", fontsize=8)
    axes.axvline(0, color="black", lw=0.8)
    axes.axvline(-DROP, color="black", lw=0.8, ls=":")
    axes.set_yticks(range(len(cases)), [case.title.replace("`", "") for case in cases])
    axes.invert_yaxis()
    axes.set_xlabel("points against float (small: one seed; large: mean; dotted line: goal)")
    figure.legend(loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=100)


def write_plot() -> None:
    """Write docs/quantization.png from docs/quantization.json."""
    rows = SECTION.content()
    plot(by_case(rows), DOCS / "quantization.png")


def publish(rows: list[Row]) -> None:
    """Write docs/quantization.json, the section of docs/benchmarks.md and the plot."""
    SECTION.save(rows)
    write_plot()
