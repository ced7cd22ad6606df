"""Models of other people. This is the only file that lets Keras read a model.

Reading must not run what a file says. The configuration is parsed first, and a model that names
anything but listed layers, activations and operators is read only if the user trusts it.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.core.bounds import check_channels_last
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_config import objects, unknown_parts
from mobilenet_tf.networks.published.stored import KerasFile, read_keras

if TYPE_CHECKING:
    import tf_keras as keras

log = logging.getLogger(__name__)

_SHOWN = 5  # parts that an error lists
_UNSTORED = 1 << 20  # numbers that a model may have beyond those in its file, such as seeds
_LARGEST_RESULT = 1 << 26  # numbers in a layer's result for one image; large networks need 1 << 24


@dataclass(frozen=True)
class ForeignModel:
    """A model that has been checked as far as this is possible without TensorFlow.

    Attributes:
        path: A .keras or .h5 file, or the folder of a SavedModel.
        content: What a file holds, without what its training needed; None for a SavedModel.
        trust_code: Whether functions of the model may run.
    """

    path: Path
    content: KerasFile | None
    trust_code: bool

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the outputs, if the model has any."""
        return None if self.content is None else self.content.class_names

    def load(self) -> "keras.Model":
        """Return the model; one with a single sigmoid has two scores, see `with_two_scores`.

        Raises:
            UserError: Keras cannot read it, or it is much larger than its file.
        """
        with self._readable() as path, _limited(self):
            model = _load(path, self)
        _check_results(model, self.path)
        return with_two_scores(model)

    def load_classifier(self) -> "keras.Model":
        """Return the model, which maps one square image of fixed size to one score per class.

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


def open_foreign(path: str | Path, trust_code: bool = False) -> ForeignModel:
    """Read and check a model file of tf_keras, or check a SavedModel folder. Needs no TensorFlow.

    Args:
        path: A .keras or .h5 file, or the folder of a SavedModel.
        trust_code: Whether functions of the model may run when it is loaded.

    Raises:
        UserError: It does not exist, is damaged, is not a model of tf_keras, or contains code and
            `trust_code` is off.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path} does not exist; a .h5 or .keras file or a SavedModel is needed.")
    if path.is_dir():
        _check_saved_model(path, trust_code)
        return ForeignModel(path, None, trust_code)
    read = read_keras(path)
    if read.config is None:
        raise UserError(
            f"{path} cannot be read as a tf_keras model: it holds weights only; save the whole "
            "model."
        )
    config = {key: value for key, value in read.config.items() if key != "compile_config"}
    _check_version(read.version, config, path)
    _check_config(config, path, trust_code)
    return ForeignModel(path, replace(read, config=config), trust_code)


def _load(file: Path, model: ForeignModel) -> "keras.Model":
    import tf_keras as keras

    from mobilenet_tf.networks.keras_model import OWN_LAYERS

    try:
        return keras.models.load_model(
            file, custom_objects=OWN_LAYERS, compile=False, safe_mode=not model.trust_code
        )
    except UserError:
        raise
    except Exception as error:  # a foreign file can make Keras raise anything
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise UserError(
            f"{model.path} cannot be read as a tf_keras model: {reason[:200]}."
        ) from error


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

    for layer in model._flatten_layers():
        for node in layer.inbound_nodes:
            for tensor in tf.nest.flatten(node.outputs):
                if prod(side or 1 for side in tensor.shape[1:]) > _LARGEST_RESULT:
                    raise UserError(
                        f"{path}: the layer {layer.name} has a result of shape "
                        f"{tuple(tensor.shape)}; at most {_LARGEST_RESULT:,} numbers are accepted."
                    )


def _check_classifier(model: "keras.Model", path: Path) -> None:
    for tensors, what in ((model.inputs, "inputs"), (model.outputs, "outputs")):
        if tensors is None or len(tensors) != 1:
            names = ", ".join(tensor.name for tensor in tensors or ())
            raise UserError(f"{path} has {len(tensors or ())} {what} ({names}); one is needed.")
    shape, scores = tuple(model.inputs[0].shape), tuple(model.outputs[0].shape)
    check_channels_last(shape, str(path))
    if len(shape) != 4 or None in shape[1:] or shape[1] != shape[2] or shape[3] not in (1, 3):
        raise UserError(
            f"{path} has an input of shape {shape}; a fixed square of 1 or 3 channels is needed."
        )
    if len(scores) != 2 or scores[1] is None:
        raise UserError(f"{path} has an output of shape {scores}; one score per class is needed.")
    if scores[1] == 1:
        raise UserError(
            f"{path} has a single output that is not a sigmoid; a sigmoid, or one score for each "
            "class, is needed."
        )


def with_two_scores(model: "keras.Model") -> "keras.Model":
    """Return a model with one sigmoid as a classifier of two classes, any other as it is.

    The scores of the two classes are 1 - p and p, so that the second is predicted where p > 0.5.
    """
    import tf_keras as keras

    if model.output_shape != (None, 1) or not _is_sigmoid(model):
        return model
    second = model.outputs[0]
    scores = keras.layers.Concatenate(name="two_scores")([1.0 - second, second])
    return keras.Model(model.inputs, scores, name=model.name)


def _is_sigmoid(layer: "keras.layers.Layer") -> bool:
    """Whether a layer or a model ends in a sigmoid."""
    inner = getattr(layer, "layers", None)
    if inner:
        return _is_sigmoid(layer.outputs[0]._keras_history.layer if layer.outputs else inner[-1])
    function = getattr(layer, "activation", None) or getattr(layer, "function", None)
    return getattr(function, "__name__", "") == "sigmoid"


def _check_saved_model(path: Path, trust_code: bool) -> None:
    if not (path / "saved_model.pb").is_file():
        raise UserError(f"{path} is a folder, but neither a run nor a SavedModel.")
    if not (path / "keras_metadata.pb").is_file():
        raise UserError(
            f"{path} is a SavedModel without a Keras model, such as `export` of Keras 3 writes; "
            "save the model itself with tf_keras, as .h5 or .keras."
        )
    _require_trust(
        f"{path} is a SavedModel, whose functions run when it is read; save it as .h5 or .keras",
        trust_code,
    )


def _check_version(version: str | None, config: Mapping[str, Any], path: Path) -> None:
    policies = any(table["class_name"] == "DTypePolicy" for table in objects(config))
    if (version or "").startswith("3") or policies:
        raise UserError(
            f"{path} was saved by Keras {version or '3'}; models of tf_keras (Keras 2) can be "
            "read. Build the model with tf_keras, load its weights, and save it there."
        )


def _check_config(config: Any, path: Path, trust_code: bool) -> None:
    for table in objects(config):
        inner = table.get("config")
        inner = inner if isinstance(inner, Mapping) else {}
        if table["class_name"] != "function" and "float16" in str(inner.get("dtype")):
            raise UserError(
                f"{path} computes in float16 (layer {inner.get('name')}); build it with the policy "
                "float32, load the weights, and save it again."
            )
        if inner.get("data_format") == "channels_first":
            raise UserError(
                f"{path} reads channels first (NCHW, layer {inner.get('name')}); a model with "
                "channels last (NHWC) is needed."
            )
    unknown = unknown_parts(config)
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        parts = ", ".join(part[:80] for part in unknown[:_SHOWN])
        _require_trust(
            f"{path} runs code that is not among Keras's layers: {parts}{more}", trust_code
        )


def _require_trust(fact: str, trust_code: bool) -> None:
    """Reject a model that runs code, or say so where the user trusts it."""
    if not trust_code:
        raise UserError(f"{fact}; use --trust-code if you trust where it comes from.")
    _say_once(fact)


@cache
def _say_once(fact: str) -> None:
    """Log a warning; a teacher is read when its run begins, and in every stage that it teaches."""
    log.warning("%s.", fact)
