"""The README's table of results, from the `result.json` of finished runs.

python -m benchmarks.results RUN...
"""

import json
import sys

from benchmarks.tables import ROOT, markdown, replace_section
from mobilenet_tf.runs.folder import RunFolder

COLUMNS = (
    "network",
    "pictures",
    "float",
    "int8",
    "plain PTQ",
    "QAT = file within 1 LSB",
    "bytes",
    "minutes",
)


def row(result: dict) -> list[str]:
    """One run as cells."""
    model, data, accuracy = result["model"], result["data"], result["accuracy"]
    source = data["source"].rstrip("/").split("/")[-1]
    return [
        f"`{model['name']}` {model['alpha']:g}, {model['size']}x{model['size']}",
        f"{source}, {data['test']} of {data['train'] + data['validation'] + data['test']}",
        *(f"{accuracy[name]:.2%}" for name in ("float", "int8", "ptq_int8")),
        f"{result['parity']['within_1_lsb']:.2%}",
        f"{result['tflite']['bytes']:,}",
        f"{sum(result['seconds'].values()) / 60:.1f}",
    ]


def main(folders: list[str]) -> None:
    """Write the table into the README, and the figures behind it into docs/."""
    results = [RunFolder.open(folder, "result.json").result().to_dict() for folder in folders]
    machine = results[0]["machine"]
    text = markdown(COLUMNS, [row(result) for result in results])
    text += f"\n\nTest pictures only. {machine['cores']} cores, {machine['cpu']}."
    replace_section(ROOT / "README.md", "results", text)
    kept = ("model", "data", "accuracy", "parity", "tflite", "seconds", "seed", "versions")
    figures = [{name: result[name] for name in kept} for result in results]
    for result in figures:
        result["data"].pop("skipped")
        result["data"]["source"] = result["data"]["source"].rstrip("/").split("/")[-1]
    (ROOT / "docs" / "results.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
