"""Results as tables for the terminal."""

from rich.console import Group
from rich.table import Table
from rich.text import Text


def table(columns: list[str], rows: list[tuple], title: str | None = None) -> Table:
    """A plain table; the first column to the left, the others to the right."""
    result = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        result.add_column(column, justify="right" if index else "left")
    for row in rows:
        # Text, not markup: a file or a class may have brackets in its name.
        result.add_row(*(Text(str(cell)) for cell in row))
    return result


def percent(share: float | None) -> str:
    """A share as per cent, or a dash."""
    return "-" if share is None else f"{share:.2%}"


def run_table(result: dict) -> Group:
    """What a run has come to: accuracy, agreement, size."""
    parts = []
    if "accuracy" in result:
        names = {"float": "float", "qat": "QAT", "int8": "int8 file", "ptq_int8": "plain PTQ"}
        rows = [(names[name], percent(result["accuracy"][name])) for name in names]
        parts.append(table(["test accuracy", ""], rows))
    facts = []
    if "tflite" in result:
        facts.append(("bytes", f"{result['tflite']['bytes']:,}"))
        facts.append(("float tensors", result["tflite"]["float_tensors"]))
    if "parity" in result:
        facts.append(("QAT = file within 1 LSB", percent(result["parity"]["within_1_lsb"])))
        facts.append(("QAT = file, top-1", percent(result["parity"]["top1_agreement"])))
    if "seconds" in result:
        facts.append(("seconds", f"{sum(result['seconds'].values()):.0f}"))
    if facts:
        parts.append(table(["int8 file", ""], facts))
    return Group(*parts)


def evaluation_table(result: dict) -> Group:
    """Accuracy, and precision and recall per class."""
    rows = [
        (name, values["images"], percent(values["precision"]), percent(values["recall"]))
        for name, values in result["per_class"].items()
    ]
    head = f"{result['file']}: {percent(result['accuracy'])} of {result['images']} pictures"
    if result["skipped"]:
        head += f", {len(result['skipped'])} skipped"
    return Group(Text(head), table(["class", "pictures", "precision", "recall"], rows))


def prediction_table(result: dict) -> Table:
    """A row per picture and class."""
    rows = [
        (item["image"] if rank == 0 else "", found["label"], percent(found["score"]))
        for item in result["predictions"]
        for rank, found in enumerate(item["classes"])
    ]
    return table(["picture", "class", "score"], rows)


_COSTS = (
    ("parameters", "parameters"),
    ("multiply-adds", "macs"),
    ("int8 weight bytes", "weight_bytes"),
    ("peak activation bytes", "peak_activation_bytes"),
)


def android_text(result: dict, demo) -> Text:
    """Where the model is now, and what to do next."""
    text = (
        f"{result['model']}: {result['bytes']:,} bytes, needs runtime"
        f" {result['required_runtime']} of the app's {result['runtime']}.\n"
        f"{result['golden']}: {result['pictures']} pictures with their scores.\n"
        f"Next: open {demo} in Android Studio and press Run, or with a phone on USB:"
        f" cd {demo} && ./gradlew installDebug"
    )
    # Paths and commands stay whole, to be copied.
    return Text(text, no_wrap=True, overflow="ignore")


def cost_table(figures: dict) -> Table:
    """A row for each of `networks`."""
    cells = [
        (row["name"], f"{row['alpha']:g}", row["size"], *(f"{row[key]:,}" for _, key in _COSTS))
        for row in figures["networks"]
    ]
    return table(["network", "alpha", "size", *(title for title, _ in _COSTS)], cells)


def layer_table(figures: dict) -> Group:
    """A network layer by layer, and its totals."""
    rows = [
        (
            layer["name"],
            layer["kind"],
            f"{layer['height']}x{layer['width']}x{layer['channels']}",
            f"{layer['parameters']:,}",
            f"{layer['macs']:,}",
        )
        for layer in figures["layers"]
    ]
    columns = ["layer", "kind", "output", "parameters", "multiply-adds"]
    return Group(table(columns, rows), cost_table({"networks": [figures]}))
