"""Models of other people. This is the only file that lets Keras read a model.

Reading must not run what a file says. The configuration is parsed first, and a model that names
anything but listed layers, activations and operators is read only if the user trusts it.
"""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_config import objects, unknown_parts
from mobilenet_tf.networks.published.stored import KerasFile, read_keras

if TYPE_CHECKING:
    import tf_keras as keras

log = logging.getLogger(__name__)

_SHOWN = 5  # parts that an error lists


def load_keras_model(path: str | Path, trust_code: bool | None = False) -> "keras.Model":
    """Read a model file of tf_keras, or a SavedModel folder.

    Args:
        path: A .keras or .h5 file, or the folder of a SavedModel.
        trust_code: Whether functions of the file may run; None where nobody can be asked.

    Raises:
        UserError: It does not exist, is damaged, is not a model of tf_keras, or contains code and
            `trust_code` is off.
    """
    path = Path(path)
    read = check_model_file(path, trust_code)
    if read is None:
        return _load(path, path, trust_code)
    with tempfile.TemporaryDirectory() as folder:
        return _load(read.write(Path(folder)), path, trust_code)


def check_model_file(path: Path, trust_code: bool | None) -> KerasFile | None:
    """Check a model as far as this is possible without TensorFlow; see `load_keras_model`.

    Returns:
        The content of a file, without what its training needed; None for a SavedModel.

    Raises:
        UserError: As for `load_keras_model`.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; a .h5 or .keras file or a SavedModel is needed.")
    if path.is_dir():
        _check_saved_model(path, trust_code)
        return None
    read = read_keras(path)
    if read.config is None:
        raise UserError(
            f"{path} cannot be read as a tf_keras model: it holds weights only; save the whole "
            "model."
        )
    config = {key: value for key, value in read.config.items() if key != "compile_config"}
    _check_version(read.version, config, path)
    _check_config(config, path, trust_code)
    return replace(read, config=config)


def _load(file: Path, path: Path, trust_code: bool | None) -> "keras.Model":
    import tf_keras as keras

    from mobilenet_tf.networks.keras_model import OWN_LAYERS

    try:
        return keras.models.load_model(
            file, custom_objects=OWN_LAYERS, compile=False, safe_mode=not trust_code
        )
    except Exception as error:  # a foreign file can make Keras raise anything
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
        raise UserError(f"{path} cannot be read as a tf_keras model: {reason[:200]}.") from error


def _check_saved_model(path: Path, trust_code: bool | None) -> None:
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


def _check_config(config: Any, path: Path, trust_code: bool | None) -> None:
    if not isinstance(config, Mapping):
        raise UserError(
            f"{path} cannot be read as a tf_keras model: its configuration is no table."
        )
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


def _require_trust(fact: str, trust_code: bool | None) -> None:
    """Reject a model that runs code, or say so where the user trusts it."""
    if trust_code:
        log.warning("%s.", fact)
        return
    remedy = "use --trust-code with `export` if you trust where it comes from"
    if trust_code is None:
        remedy = "a teacher must do without"
    raise UserError(f"{fact}; {remedy}.")
