"""What several commands share."""

from pathlib import Path
from typing import Any

from mobilenet_tf.core import environment
from mobilenet_tf.core.terminal import import_tensorflow
from mobilenet_tf.datasets.load import source_name
from mobilenet_tf.deployment.tflite.inspect import inspect
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings


def start_tensorflow() -> None:
    """Import TensorFlow without its logs, with this project's threads unless the user set them."""
    environment.prepare()
    import_tensorflow()


def as_run(run: Run | str | Path, *needed: str) -> Run:
    """Return a run that is given as such or by its folder.

    Args:
        run: The run or its folder.
        needed: Names of files that it must have.

    Raises:
        UserError: It is not a run folder, or a file listed in `needed` does not exist yet.
    """
    if isinstance(run, Run):
        run.folder.open(run.folder.path, *needed)
        return run
    return Run.open(run, *needed)


def default_folder(settings: RunSettings) -> Path:
    """Return the folder of a run for which none is given: `runs/DATA_MODEL_ALPHA_SIZE`."""
    network = settings.network
    parts = source_name(settings.data), network.name, f"{network.alpha:g}", network.input.size_text
    return Path("runs") / "_".join(parts)


def file_facts(path: Path) -> dict[str, Any]:
    """Return the section `tflite` of `result.json`."""
    facts = inspect(path)
    return {
        "bytes": facts["bytes"],
        "ops": {name: op["count"] for name, op in facts["ops"].items()},
        "float_tensors": facts["float_tensors"],
        "quantize_ops": facts["quantize_ops"],
        "partitions": facts["delegate"]["partitions"],
        "left_out": sorted(facts["delegate"]["left_out"] or {}),
        "min_runtime": facts["required_runtime"],
        "peak_activation_bytes": facts["peak_activation_bytes"],
        "input": facts["inputs"][0],
        "output": facts["outputs"][0],
    }
