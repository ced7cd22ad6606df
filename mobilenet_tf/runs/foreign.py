"""Models of other people. This is the only file that lets Keras read a model.

Reading must not run what a file says. The configuration is parsed first, and a model that names
anything but listed layers, activations and operators is read only if the user trusts it.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.core.bounds import check_channels_last
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.published.stored import KerasFile, read_keras
from mobilenet_tf.runs.foreign_config import (
    check_config,
    check_saved_model,
    is_of_keras_3,
    of_any_batch,
)

if TYPE_CHECKING:
    import tf_keras as keras

KERAS_3 = "keras"  # the package of its models; the project itself is on tf_keras
_UNSTORED = 1 << 20  # numbers that a model may have beyond those in its file, such as seeds
_LARGEST_RESULT = 1 << 26  # numbers in a layer's result for one image; large networks need 1 << 24


@dataclass(frozen=True)
class ForeignModel:
    """A model that has been checked as far as this is possible without TensorFlow.

    Attributes:
        path: A .keras or .h5 file, or the folder of a SavedModel.
        content: What a file holds, without what its training needed; None for a SavedModel.
        trust_code: Whether functions of the model may run.
        keras_3: Whether it is a model of Keras 3, and not of tf_keras.
    """

    path: Path
    content: KerasFile | None
    trust_code: bool
    keras_3: bool = False

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the outputs, if the model has any."""
        return None if self.content is None else self.content.class_names

    def load(self) -> "keras.Model":
        """Return the model; one with a single sigmoid has two scores, see `with_two_scores`.

        Raises:
            UserError: Keras cannot read it, or it is much larger than its file.
        """
        library = _keras_3(self.path) if self.keras_3 else _tf_keras()
        with self._readable() as path, _limited(self):
            model = _load(path, self, library)
        _check_results(model, self.path)
        return with_two_scores(model, library)

    def load_classifier(self) -> "keras.Model":
        """Return the model, which maps one image of fixed size to one score per class.

        Raises:
            UserError: See `load`; or it has other inputs or outputs.
        """
        model = self.load()
        _check_classifier(model, self.path)
        return model

    @contextmanager
    def _readable(self) -> Iterator[Path]:
        """Yield what Keras may read: a file of what was checked, and of nothing else."""
        if self.content is None:
            yield self.path
            return
        with tempfile.TemporaryDirectory() as folder:
            yield self.content.write(Path(folder))


def open_foreign(
    path: str | Path, trust_code: bool = False, *, keras_3: bool = False
) -> ForeignModel:
    """Read and check a model file, or check a SavedModel folder. Needs no TensorFlow.

    Args:
        path: A .keras or .h5 file, or the folder of a SavedModel.
        trust_code: Whether functions of the model may run when it is loaded.
        keras_3: Whether models of Keras 3 are accepted, and not only those of tf_keras.

    Raises:
        UserError: It does not exist, is damaged, is not a model of such a library, or contains code
            and `trust_code` is off.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path} does not exist; a .h5 or .keras file or a SavedModel is needed.")
    if path.is_dir():
        check_saved_model(path, trust_code)
        return ForeignModel(path, None, trust_code)
    read = read_keras(path)
    if read.config is None:
        raise UserError(
            f"{path} cannot be read as a tf_keras model: it holds weights only; save the whole "
            "model."
        )
    config = {key: value for key, value in read.config.items() if key != "compile_config"}
    newer = is_of_keras_3(read.version, config)
    if newer and not keras_3:
        raise UserError(
            f"{path} was saved by Keras {read.version or '3'}; models of tf_keras (Keras 2) can be "
            "read. Build the model with tf_keras, load its weights, and save it there."
        )
    check_config(config, path, trust_code)
    return ForeignModel(path, replace(read, config=of_any_batch(config)), trust_code, newer)


def _tf_keras() -> Any:
    import tf_keras as keras

    return keras


def _keras_3(path: Path) -> Any:
    """Return the library of the new models, on TensorFlow; only a child process imports it."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        library = import_module(KERAS_3)
    except ImportError:
        library = None
    if library is None or not library.__version__.startswith("3"):
        raise UserError(f"{path} was saved by Keras 3, which is not installed (package keras).")
    return library


def _load(file: Path, model: ForeignModel, library: Any) -> "keras.Model":
    from mobilenet_tf.networks.keras_model import OWN_LAYERS

    own = None if model.keras_3 else OWN_LAYERS
    try:
        return library.models.load_model(
            file, custom_objects=own, compile=False, safe_mode=not model.trust_code
        )
    except UserError:
        raise
    except Exception as error:  # a foreign file can make Keras raise anything
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise UserError(f"{model.path} cannot be read as a Keras model: {reason[:200]}.") from error


@contextmanager
def _limited(model: ForeignModel) -> Iterator[None]:
    """Reject weights that are not in the file before memory is allocated for them."""
    import tensorflow as tf

    if model.content is None:
        yield
        return
    left = model.content.weights.size + _UNSTORED

    def create(next_creator: Callable[..., Any], **values: Any) -> Any:
        nonlocal left
        left -= prod(tuple(values.get("shape") or ()))
        if left < 0:
            raise UserError(f"{model.path} describes layers with more weights than it holds.")
        return next_creator(**values)

    with tf.variable_creator_scope(create):
        yield


def _check_results(model: "keras.Model", path: Path) -> None:
    """Reject a model whose layers would fill the memory with what they compute."""
    import tensorflow as tf

    for layer in _operations(model):
        for node in layer._inbound_nodes:
            for tensor in tf.nest.flatten(node.outputs):
                if prod(side or 1 for side in tensor.shape[1:]) > _LARGEST_RESULT:
                    raise UserError(
                        f"{path}: the layer {layer.name} has a result of shape "
                        f"{tuple(tensor.shape)}; at most {_LARGEST_RESULT:,} numbers are accepted."
                    )


def _operations(model: "keras.Model") -> Iterator[Any]:
    """Yield all layers, and the operations beside them that models of Keras 3 have."""
    for layer in model._flatten_layers():
        yield layer
        yield from getattr(layer, "operations", ())


def _check_classifier(model: "keras.Model", path: Path) -> None:
    for tensors, what in ((model.inputs, "inputs"), (model.outputs, "outputs")):
        if tensors is None or len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors or ())
            raise UserError(f"{path} has {len(tensors or ())} {what} ({names}); one is needed.")
    shape, scores = tuple(model.inputs[0].shape), tuple(model.outputs[0].shape)
    check_channels_last(shape, str(path))
    if len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3):
        raise UserError(
            f"{path} has an input of shape {shape}; a fixed height and width and 1 or 3 channels "
            "are needed."
        )
    if len(scores) != 2 or scores[1] is None:
        raise UserError(f"{path} has an output of shape {scores}; one score per class is needed.")
    if scores[1] == 1:
        raise UserError(
            f"{path} has a single output that is not a sigmoid; a sigmoid, or one score for each "
            "class, is needed."
        )


def with_two_scores(model: "keras.Model", library: Any) -> "keras.Model":
    """Return a model with one sigmoid as a classifier of two classes, any other as it is.

    The scores of the two classes are 1 - p and p, so that the second is predicted where p > 0.5.

    Args:
        model: The model.
        library: The Keras that it is a model of.
    """
    if model.output_shape != (None, 1) or not _is_sigmoid(model):
        return model
    second = model.outputs[0]
    scores = library.layers.Concatenate(name="two_scores")([1.0 - second, second])
    return library.Model(model.inputs, scores, name=model.name)


def _is_sigmoid(layer: Any) -> bool:
    """Whether a layer, an operation or a model ends in a sigmoid."""
    inner = getattr(layer, "layers", None)
    if inner:
        return _is_sigmoid(layer.outputs[0]._keras_history[0] if layer.outputs else inner[-1])
    function = getattr(layer, "activation", None) or getattr(layer, "function", None)
    # An operation of Keras 3 is a class of its own.
    return getattr(function, "__name__", type(layer).__name__.lower()) == "sigmoid"
