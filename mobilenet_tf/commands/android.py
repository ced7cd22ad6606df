"""`android`: put a model into the Android demo app."""

from pathlib import Path
from typing import Any

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.deployment.devices.android_app import DEMO, asset_name, install
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.provenance import require_current


@applicable
def android(
    source: str | Path, *, name: str | None = None, demo: str | Path | None = None
) -> dict[str, Any]:
    """Copy a model into the app's assets, with images and outputs to compare on the phone.

    Args:
        source: A run folder, or a `.tflite` file.
        name: Name of the file in the app, without `.tflite`; None takes the source's name.
        demo: The Android project; None takes the repository's.

    Returns:
        What `install` returns.

    Raises:
        UserError: The file has no square input, is prepared as the app cannot, or needs a newer
            runtime than the app has; or there is no Android project.
    """
    path = Path(source)
    demo = DEMO if demo is None else Path(demo)
    if not path.is_dir():
        return install(path, name, demo)
    folder = RunFolder.open(path, "model_int8.tflite")
    require_current(folder, "model_int8.tflite")
    origin = f"{path.resolve()} {folder.identity}".strip()
    return install(folder.tflite, name, demo, asset=asset_name(path.resolve().name), origin=origin)
