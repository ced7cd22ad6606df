"""`android`: put a model into the Android demo app."""

from pathlib import Path

from mobilenet_tf.commands.applicable import applicable
from mobilenet_tf.commands.outcomes.devices import AppModel
from mobilenet_tf.deployment.devices.android_app import DEMO, asset_name, install
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.runs.provenance import require_current


@applicable
def android(
    source: str | Path, *, name: str | None = None, demo: str | Path | None = None
) -> AppModel:
    """Copy a model into the app's assets, with images and outputs to compare on the phone.

    Args:
        source: A run folder, or a `.tflite` file.
        name: Name of the file in the app, without `.tflite`; None takes the source's name.
        demo: The Android project; None takes the repository's.

    Raises:
        UserError: The file has no square input, is prepared as the app cannot, or needs a newer
            runtime than the app has; or there is no Android project.
    """
    path = Path(source)
    demo = DEMO if demo is None else Path(demo)
    if not path.is_dir():
        return AppModel(install(path, name, demo), project=str(demo))
    folder = RunFolder.open(path, "model_int8.tflite")
    require_current(folder, "model_int8.tflite")
    origin = f"{path.resolve()} {folder.identity}".strip()
    asset = asset_name(path.resolve().name)
    facts = install(folder.tflite, name, demo, asset=asset, origin=origin)
    return AppModel(facts, project=str(demo))
