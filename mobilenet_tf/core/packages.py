"""Python packages: what each is for, and which extra of this project installs it.

An installation without extras runs files; training and conversion need `[train]`.
"""

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from mobilenet_tf.core.errors import UserError


@dataclass(frozen=True)
class Package:
    """A package that this project uses.

    Attributes:
        name: Its name for pip.
        module: The name that is imported.
        title: What sentences call it.
        adds: What it is for.
        extra: The extra that installs it; empty if every installation has it.
    """

    name: str
    module: str
    title: str
    adds: str
    extra: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether it can be found; nothing is imported."""
        if self.module in sys.modules:
            return sys.modules[self.module] is not None
        return find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Its version; empty if it was not installed under this name."""
        try:
            return version(self.name)
        except PackageNotFoundError:
            return ""

    @property
    def requirement(self) -> str:
        """What pip installs to get it."""
        return f"mobilenet-tf[{self.extra}]" if self.extra else self.name


PACKAGES = (
    Package("ai-edge-litert", "ai_edge_litert", "LiteRT", "predict, evaluate, inspect, benchmark"),
    Package("numpy", "numpy", "NumPy", "everything"),
    Package("pillow", "PIL", "Pillow", "reading pictures"),
    Package("tensorflow", "tensorflow", "TensorFlow", "training and conversion", "train"),
    Package("tf_keras", "tf_keras", "Keras 2", "networks", "train"),
    Package(
        "tensorflow-model-optimization",
        "tensorflow_model_optimization",
        "TensorFlow Model Optimization",
        "quantization-aware training",
        "train",
    ),
    Package("keras-tuner", "keras_tuner", "KerasTuner", "tune, search", "train"),
    Package("scikit-learn", "sklearn", "scikit-learn", "the data `digits`", "train"),
    Package("threadpoolctl", "threadpoolctl", "threadpoolctl", "tune, search", "train"),
    Package("matplotlib", "matplotlib", "Matplotlib", "reports, plots", "train"),
    Package("tensorboard", "tensorboard", "TensorBoard", "looking at logs of training", "train"),
    Package(
        "tflite-micro",
        "tflite_micro",
        "TensorFlow Lite Micro",
        "microcontrollers: arena and outputs",
        "micro",
    ),
    Package("ethos-u-vela", "ethosu", "Vela", "Ethos-U NPUs", "micro"),
    Package(
        "tensorflow-datasets",
        "tensorflow_datasets",
        "TensorFlow Datasets",
        "the data `tfds:NAME`",
        "tfds",
    ),
    Package("cleanlab", "cleanlab", "cleanlab", "suspects", "suspects"),
    Package("h3", "h3", "H3", "--task geolocation", "geolocation"),
)
BY_NAME = {package.name: package for package in PACKAGES}
TRAINING = tuple(package.name for package in PACKAGES if package.extra == "train")


def require(what: str, *names: str) -> None:
    """Check that packages are installed.

    Args:
        what: What needs them, as the beginning of a sentence.
        names: Names in `PACKAGES`.

    Raises:
        UserError: One is absent; the message says what installs it.
    """
    for package in map(BY_NAME.__getitem__, names):
        if not package.is_installed:
            raise UserError(f"{what} needs {package.title}; install {package.requirement}.")
