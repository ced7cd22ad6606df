"""Run a `.tflite` in somebody else's runtime, in an environment that has it.

PYTHON interop_runtimes.py RUNTIME MODEL INPUTS.npz OUTPUTS.npz

Needs NumPy and the runtime only. INPUTS.npz has pictures uint8 (height, width, 3), which may differ
in size; for all runtimes but MediaPipe they are inputs of the network. OUTPUTS.npz has `outputs`
(N, classes), as the runtime returns them, or what its function says, and its `version`.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


def mediapipe(model: str, pictures: Iterator[np.ndarray]) -> tuple[list[Any], str]:
    """Return the scores of MediaPipe's ImageClassifier, which prepares pictures itself."""
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import ImageClassifier, ImageClassifierOptions

    options = ImageClassifierOptions(base_options=BaseOptions(model_asset_path=model))
    rows = []
    with ImageClassifier.create_from_options(options) as classifier:
        for picture in pictures:
            found = classifier.classify(Image(image_format=ImageFormat.SRGB, data=picture))
            scores = {one.index: one.score for one in found.classifications[0].categories}
            rows.append([scores[index] for index in range(len(scores))])
    return rows, version("mediapipe")


def mediapipe_detector(model: str, pictures: Iterator[np.ndarray]) -> tuple[list[Any], str]:
    """Return rows of picture, left, top, right, bottom, score and class of ObjectDetector's boxes.

    Edges are in pixels; numbers are text, because classes are names.
    """
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import ObjectDetector, ObjectDetectorOptions

    options = ObjectDetectorOptions(base_options=BaseOptions(model_asset_path=model))
    rows = []
    with ObjectDetector.create_from_options(options) as detector:
        for number, picture in enumerate(pictures):
            found = detector.detect(Image(image_format=ImageFormat.SRGB, data=picture))
            for one in found.detections:
                left, top = one.bounding_box.origin_x, one.bounding_box.origin_y
                edges = (left, top, left + one.bounding_box.width, top + one.bounding_box.height)
                # A box that two classes share is one detection with two categories.
                for category in one.categories:
                    rows.append((number, *edges, category.score, category.category_name))
    return rows, version("mediapipe")


def openvino(model: str, pictures: Iterator[np.ndarray]) -> tuple[list[Any], str]:
    """Return the outputs of OpenVINO, which reads a .tflite directly."""
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU")
    return [compiled(one[np.newaxis])[0][0] for one in pictures], version("openvino")


def tflite2onnx(model: str, pictures: Iterator[np.ndarray]) -> tuple[list[Any], str]:
    """Return the outputs of ONNX Runtime for the graph that tflite2onnx makes of the file."""
    import tflite2onnx as converter

    graph = str(Path(model).with_suffix(".onnx"))
    converter.convert(model, graph)
    return onnxruntime(graph, pictures)


def onnxruntime(graph: str, pictures: Iterator[np.ndarray]) -> tuple[list[Any], str]:
    """Return the outputs of ONNX Runtime; takes an ONNX graph instead of a .tflite."""
    import onnxruntime as runtime

    session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: one[np.newaxis]})[0][0] for one in pictures]
    return rows, version("onnxruntime")


RUNTIMES = {
    run.__name__: run for run in (mediapipe, mediapipe_detector, openvino, tflite2onnx, onnxruntime)
}


def main(runtime: str, model: str, inputs: str, outputs: str) -> None:
    """Run the pictures of a file one by one, and write what comes out."""
    with np.load(inputs) as stored:
        pictures = (np.ascontiguousarray(stored[name]) for name in stored.files)
        rows, used = RUNTIMES[runtime](model, pictures)
    np.savez(outputs, outputs=np.array(rows), version=used)


if __name__ == "__main__":
    main(*sys.argv[1:])
