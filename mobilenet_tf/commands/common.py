"""What several commands share."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.core import environment
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.core.terminal import import_tensorflow
from mobilenet_tf.datasets.load import source_name
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings

LONGEST_PART = 100  # of the name of a folder, which may have 255 bytes


def start_tensorflow() -> None:
    """Import TensorFlow without its logs, with this project's threads unless the user set them."""
    environment.prepare()
    import_tensorflow()


def as_run(run: Run | str | Path, *needed: str) -> Run:
    """Return a run that is given as such or by its folder, with its settings in `config.toml`.

    Args:
        run: The run or its folder.
        needed: Names of files that it must have.

    Raises:
        UserError: It is not a run folder, or a file listed in `needed` does not exist yet.
    """
    if not isinstance(run, Run):
        return Run.open(run, *needed)
    RunFolder.open(run.folder.path, *needed)
    return run.reread()


def default_folder(settings: RunSettings) -> Path:
    """Return the folder of a run for which none is given: `runs/DATA_MODEL_ALPHA_SIZE`."""
    network = settings.network
    name = source_name(settings.data)[:LONGEST_PART]
    parts = name, network.name, f"{network.alpha:g}", network.input.size_text
    return Path("runs") / "_".join(parts)


def write_mistakes(folder: RunFolder, mistakes: Mapping[str, np.ndarray]) -> None:
    """Write the images of the most confident mistakes into a run folder.

    Args:
        folder: The run folder.
        mistakes: Path within the folder -> uint8 (h, w, c).
    """
    for name, pixels in mistakes.items():
        write_atomically(folder.path / name, Image.fromarray(np.squeeze(pixels)).save)
