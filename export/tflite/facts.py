"""The facts of a `.tflite` that `result.json` keeps."""

from pathlib import Path
from typing import Any

from mobilenet_tf.deployment.tflite.inspect import inspect


def file_facts(source: str | Path | bytes) -> dict[str, Any]:
    """Return the section `tflite` of `result.json`: the main facts of `inspect`.

    Returns:
        bytes, download_bytes, ops (name -> count), float_tensors, quantize_ops, partitions,
        left_out (operator names), min_runtime, peak_activation_bytes, input, output, or outputs if
        there are several.

    Raises:
        UserError: See `inspect`.
    """
    facts = inspect(source)
    first, *others = facts["outputs"]
    return {
        "bytes": facts["bytes"],
        "download_bytes": facts["download_bytes"],
        "ops": {name: op["count"] for name, op in facts["ops"].items()},
        "float_tensors": facts["float_tensors"],
        "quantize_ops": facts["quantize_ops"],
        "partitions": facts["delegate"]["partitions"],
        "left_out": sorted(facts["delegate"]["left_out"] or {}),
        "min_runtime": facts["required_runtime"],
        "peak_activation_bytes": facts["peak_activation_bytes"],
        "input": facts["inputs"][0],
        **({"output": first} if not others else {"outputs": facts["outputs"]}),
    }
