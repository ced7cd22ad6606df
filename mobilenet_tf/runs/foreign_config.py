"""What a model file of somebody else says about itself, checked before Keras reads it."""

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.keras_config import objects, unknown_parts

log = logging.getLogger(__name__)

_SHOWN = 5  # parts that an error lists


def of_any_batch(config: Any) -> Any:
    """Return a configuration whose inputs have no fixed number of images.

    A batch of another size than a model was built for changes nothing else in it.
    """
    if isinstance(config, list):
        return [of_any_batch(value) for value in config]
    if not isinstance(config, Mapping):
        return config
    return {
        key: [None, *value[1:]]
        if key in ("batch_shape", "batch_input_shape") and isinstance(value, list)
        else of_any_batch(value)
        for key, value in config.items()
    }


def check_saved_model(path: Path, trust_code: bool) -> None:
    """Reject a folder that is no SavedModel of Keras 2, and one that is not trusted.

    Raises:
        UserError: It is such a folder.
    """
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


def is_of_keras_3(version: str | None, config: Mapping[str, Any]) -> bool:
    """Return whether Keras 3 saved a model, by the version in its file or by its policies."""
    policies = any(table["class_name"] == "DTypePolicy" for table in objects(config))
    return (version or "").startswith("3") or policies


def check_config(config: Any, path: Path, trust_code: bool) -> None:
    """Reject a model that computes in other ways than are supported, or runs code.

    Args:
        config: The parsed configuration.
        path: File, for errors.
        trust_code: Whether code of the model may run.

    Raises:
        UserError: It is such a model.
    """
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
