"""What several commands share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from mobilenet_tf.core import environment
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.core.terminal import import_tensorflow
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.load import source_name
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.registry import distinction, metadata_of
from mobilenet_tf.tasks.task import Task

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


@contextmanager
def working_on(run: Run | str | Path, *needed: str) -> Iterator[Run]:
    """Keep other processes out of a run's folder, and return the run as `as_run` does.

    Raises:
        UserError: See `as_run`; or another process is at work in the folder.
    """
    place = run.folder.path if isinstance(run, Run) else run
    folder = RunFolder.open(place, *needed)
    with folder.at_work():
        opened = as_run(run, *needed)
        folder.claim(new=False)
        yield opened


def require_loadable(settings: RunSettings) -> None:
    """Check that training could begin: weights and teacher can be read.

    Raises:
        UserError: They cannot, or do not fit the network.
    """
    if settings.weights == "none" and settings.teacher == "none":
        return
    start_tensorflow()
    import tf_keras as keras

    from mobilenet_tf.networks.keras_model import build_network
    from mobilenet_tf.networks.published.weights import assign_weights
    from mobilenet_tf.runs.teacher import load_teacher

    load_teacher(settings)
    if settings.weights != "none":
        assign_weights(build_network(settings.network), settings.weights, settings.network)
    keras.backend.clear_session()


def require_own_file(content: bytes, run: Run) -> None:
    """Check that a `.tflite` in a run folder has the run's classes and size of input.

    Raises:
        UserError: It has others, so it belongs to another run.
    """
    from mobilenet_tf.deployment.tflite.metadata import read_metadata
    from mobilenet_tf.deployment.tflite.parse import parse_model

    file, labels = run.folder.tflite, read_metadata(content, str(run.folder.tflite)).labels
    again = f"run `mobilenet-tf export {run.folder.path}` to make it again"
    if labels is not None and tuple(labels) != run.task.labels(run.classes):
        raise UserError(f"The classes of {file} are not those of the run; {again}.")
    graph, image = parse_model(content, str(file)).subgraphs[0], run.network.input
    shape = tuple(int(side) for side in graph.tensors[graph.inputs[0]].shape[1:])
    expected = (image.height, image.width, image.channels)
    if shape != expected:
        sizes = (" x ".join(map(str, size)) for size in (shape, expected))
        raise UserError(
            "{} takes images of {}, and the run's network those of {}; {}.".format(
                file, *sizes, again
            )
        )


def described(content: bytes, run: Run, task: Task) -> bytes:
    """Return the file of a run with its metadata; `task` is the run's, perhaps settled."""
    from mobilenet_tf.deployment.tflite.metadata import Details, add_metadata

    return add_metadata(
        content,
        name=f"MobileNet {run.network.title}, int8",
        description=(
            f"{task.description(len(run.classes))}, trained on {source_name(run.settings.data)}."
        ),
        labels=task.labels(run.classes),
        input_spec=run.network.input,
        details=Details(outputs=task.output_texts(run.network)),
        extra=metadata_of(task, task.constants(run.network, run.classes)),
    )


def settled_task(run: Run, content: bytes) -> Task:
    """Return a run's task with what is chosen on the validation images, for its int8 file.

    Args:
        run: The run.
        content: The file as converted, without metadata.
    """
    stored = described(content, run, run.task)
    return settled(run.task, stored, run.data.validation, run.network.input)


def settled(task: Task, content: bytes, validation: Split, input_spec: InputSpec) -> Task:
    """Return a task with what is chosen on the validation images, for an int8 file.

    Args:
        task: The task.
        content: The file with metadata, which say how pixels become a float input.
        validation: The images, at the size of the input.
        input_spec: Input of the file.
    """
    if not task.settles:
        return task
    from mobilenet_tf.datasets.picture_folder import read_pictures
    from mobilenet_tf.deployment.proof.evaluate import run_all
    from mobilenet_tf.deployment.tflite.interpreter import TFLiteModel

    file = TFLiteModel(content, threads=2, trusted=True)
    outputs = file.real(run_all(file, validation.images, "Validating int8"))
    folder, other = task.other_images(), None
    if folder is not None:
        pixels = read_pictures(folder, input_spec)
        other = file.real(run_all(file, pixels, "Validating other images"))
    return task.settled(outputs, validation.labels, other)


def default_folder(settings: RunSettings) -> Path:
    """Return the folder of a run for which none is given: `runs/DATA_MODEL_ALPHA_SIZE`.

    The task follows the data, unless it is the default one.
    """
    network = settings.network
    name = source_name(settings.data)[:LONGEST_PART]
    factors = (network.factorize.replace("=", "_"),) if network.factorize else ()
    task = distinction(settings.task)
    parts = name, *task, network.name, f"{network.alpha:g}", network.input.size_text, *factors
    return Path("runs") / "_".join(parts)


def write_mistakes(folder: RunFolder, mistakes: Mapping[str, np.ndarray]) -> None:
    """Write the images of the most confident mistakes into a run folder.

    Args:
        folder: The run folder.
        mistakes: Path within the folder -> uint8 (h, w, c).
    """
    for name, pixels in mistakes.items():
        write_atomically(folder.path / name, Image.fromarray(np.squeeze(pixels)).save)


def require_same_device(path: Path, earlier: str, now: str, verb: str) -> None:
    """Reject work to continue whose costs were measured on something else.

    Args:
        path: Its folder.
        earlier: What its costs were measured on.
        now: What they would be measured on now.
        verb: What `--overwrite` would do again.

    Raises:
        UserError: The two differ.
    """
    if earlier != now:
        raise UserError(
            f"{path} was started with costs of {earlier}, not of {now}; continue there, or use "
            f"--overwrite to {verb} again."
        )
