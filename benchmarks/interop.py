"""What other runtimes make of this project's files: the tables of docs/interop.md.

python -m venv build/interop && build/interop/bin/pip install -r benchmarks/interop.txt
pip install --no-deps --target build/tf2onnx tf2onnx==1.17.0 onnx==1.23.2
make build/mediapipe
python -m benchmarks.interop RUN...

The runs are classifiers on the same folder of colour pictures, which differ in `--for mediapipe`
only; the runtimes are compared on the first. All test pictures are used. tf2onnx needs TensorFlow,
so it runs in this project's environment.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import outputs_of
from benchmarks.sections import ROOT, Section, markdown, paragraph
from mobilenet_tf.commands.evaluate import evaluate_as
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.front_ends import MEDIAPIPE
from mobilenet_tf.core.terminal import console
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.images import open_image
from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.run import Run

_TITLES = {
    "openvino": "OpenVINO, which reads the file",
    "onnxruntime": "ONNX Runtime, converted with tf2onnx",
    "tflite2onnx": "ONNX Runtime, converted with tflite2onnx",
}


def front_end(run: Run) -> dict[str, Any]:
    """Return the accuracies of a run's file with its own and MediaPipe's preparation.

    `same` is the share of pictures for which the real ImageClassifier ranks the class first that
    the file has with `MEDIAPIPE.prepares`.
    """
    expected = evaluate_as(run, MEDIAPIPE.name)
    model, test = TFLiteModel(run.folder.tflite), _test(run, MEDIAPIPE.name)
    pictures = (np.asarray(open_image(Path(run.settings.data) / name)) for name in test.names)
    real = outputs_of("mediapipe", run.folder.tflite.read_bytes(), pictures)
    scores, rows = real["outputs"], np.arange(len(test))
    first = scores[rows, model.run(test.images).argmax(axis=1)]
    return {
        "prepared": run.network.input.resize,
        "own": expected["accuracy"],
        "as": expected["front_end"]["metrics"]["accuracy"],
        "real": float((scores.argmax(axis=1) == test.labels).mean()),
        "same": float((first == scores.max(axis=1)).mean()),
        "version": str(real["version"]),
    }


def _test(run: Run, program: str | None = None) -> Split:
    """Return a run's test pictures, as it prepares them or as a front end does."""
    spec = MEDIAPIPE.prepares(run.network.input) if program else run.network.input
    seed = run.settings.seed
    return run.task.read(run.settings.data, spec, seed, say=False, judge_depth=False).test


def runtime(name: str, run: Run) -> dict[str, Any]:
    """Compare the outputs of a runtime with those of LiteRT, on the test pictures."""
    test, model = _test(run), TFLiteModel(run.folder.tflite)
    expected = np.asarray(model.run_raw(test.images)).astype(int)
    try:
        content = run.folder.tflite.read_bytes()
        found = outputs_of(name, _graph(content) if name == "onnxruntime" else content, test.images)
    except UserError as error:
        return {"runtime": name, "problem": str(error)}
    outputs = found["outputs"].astype(int)
    distance = np.abs(outputs - expected)
    return {
        "runtime": name,
        "version": str(found["version"]),
        "same": float((outputs.argmax(axis=1) == expected.argmax(axis=1)).mean()),
        "within_1_lsb": float((distance <= 1).mean()),
        "max_lsb": int(distance.max()),
        "accuracy": float((outputs.argmax(axis=1) == test.labels).mean()),
    }


def _graph(content: bytes) -> bytes:
    """Return a `.tflite` as an ONNX graph of tf2onnx."""
    with tempfile.TemporaryDirectory() as folder:
        model, graph = Path(folder) / "m.tflite", Path(folder) / "m.onnx"
        model.write_bytes(content)
        options = ["--tflite", str(model), "--output", str(graph), "--opset", "17"]
        command = [sys.executable, "-m", "tf2onnx.convert", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "tf2onnx")}
        subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True)
        return graph.read_bytes()


def preparation_text(result: dict[str, Any]) -> str:
    """Return the table of accuracies with each preparation as Markdown."""
    text = f"""{_what(result)} The real ImageClassifier is that of MediaPipe
        {result["front_ends"][0]["version"]}. `same` is the share of pictures for which it ranks the
        class first that `evaluate --as mediapipe` gives them."""
    columns = ("trained", "evaluate", "--as mediapipe", "real ImageClassifier", "same")
    names = {MEDIAPIPE.resize: "`--for mediapipe`"}
    rows = [
        (
            names.get(row["prepared"], "as usual"),
            *(f"{row[key]:.1%}" for key in ("own", "as", "real", "same")),
        )
        for row in result["front_ends"]
    ]
    return paragraph(text) + "\n\n" + markdown(columns, rows)


def runtimes_text(result: dict[str, Any]) -> str:
    """Return the table of runtimes as Markdown."""
    text = """Outputs for the same inputs, compared with those of LiteRT in steps of the uint8
        output. All run on this machine's CPU."""
    columns = ("runtime", "version", "same top-1", "within 1 LSB", "largest, LSB", "accuracy")
    rows: list[tuple[object, ...]] = []
    for row in result["runtimes"]:
        title = _TITLES[row["runtime"]]
        if problem := row.get("problem"):
            rows.append((title, "", problem.partition(": ")[2], "", "", ""))
            continue
        same, within, accuracy = (f"{row[key]:.1%}" for key in ("same", "within_1_lsb", "accuracy"))
        rows.append((title, row["version"], same, within, row["max_lsb"], accuracy))
    return paragraph(text) + "\n\n" + markdown(columns, rows)


def _what(result: dict[str, Any]) -> str:
    return f"""{result["network"]} on {result["data"]}, {result["epochs"]} epochs from ImageNet
        weights, seed {result["seed"]}; accuracy of the int8 file on {result["images"]} test
        pictures."""


SECTIONS = (
    Section("interop_preparation", preparation_text, "docs/interop.md", "interop"),
    Section("interop_runtimes", runtimes_text, "docs/interop.md", "interop"),
)


def main(*folders: str) -> None:
    """Measure everything; write docs/interop.json and the tables."""
    runs = [Run.open(path) for path in folders]
    network: Network = runs[0].network
    result = {
        "network": f"{network.name} {network.alpha:g} at {network.input.size_text}",
        "data": Path(runs[0].settings.data).name,
        "epochs": runs[0].settings.recipe.train.epochs,
        "seed": runs[0].settings.seed,
        "images": len(_test(runs[0])),
        "front_ends": [front_end(run) for run in runs],
        "runtimes": [runtime(name, runs[0]) for name in _TITLES],
    }
    console.print_json(data=result)
    for section in SECTIONS:
        section.save(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
