"""From a folder of pictures to an int8 MobileNet that runs, verified, on the device.

`build` and `load_weights` import TensorFlow, which takes ten seconds, so they are found on
first use.
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["build", "load_weights"]

_HOME = {
    "build": "mobilenet_tf.networks.keras_model",
    "load_weights": "mobilenet_tf.networks.published.weights",
}


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
