"""From a folder of images to an int8 MobileNet that runs, verified, on the device.

```python
import mobilenet_tf as mn

network = mn.make_network("v3_small", 0.75, 96)
settings = mn.RunSettings(data="photos", network=network)
run = mn.train(settings, out="runs/photos")
mn.quantize(run)
mn.export(run)
mn.verify(run)
```

Every command of the command line is a function of the same name. Names are imported at first use,
because importing TensorFlow takes ten seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobilenet_tf.commands.adapt import adapt
    from mobilenet_tf.commands.android import android
    from mobilenet_tf.commands.benchmark import benchmark
    from mobilenet_tf.commands.choose import Purpose, choose
    from mobilenet_tf.commands.compare import compare
    from mobilenet_tf.commands.data import data
    from mobilenet_tf.commands.doctor import doctor
    from mobilenet_tf.commands.dry_run import dry_run
    from mobilenet_tf.commands.enroll import enroll
    from mobilenet_tf.commands.evaluate import evaluate, evaluate_as
    from mobilenet_tf.commands.explain import explain
    from mobilenet_tf.commands.export import export
    from mobilenet_tf.commands.gate import Gate
    from mobilenet_tf.commands.identify import identify
    from mobilenet_tf.commands.inspect import inspect
    from mobilenet_tf.commands.other_images import choose_by, evaluate_other
    from mobilenet_tf.commands.post_training import ModelData
    from mobilenet_tf.commands.predict import predict
    from mobilenet_tf.commands.published_model import Pretrained
    from mobilenet_tf.commands.quantize import quantize
    from mobilenet_tf.commands.run import run
    from mobilenet_tf.commands.search import search
    from mobilenet_tf.commands.summary import summary
    from mobilenet_tf.commands.suspects import suspects
    from mobilenet_tf.commands.train import train
    from mobilenet_tf.commands.trials import Trials
    from mobilenet_tf.commands.tune import tune
    from mobilenet_tf.commands.verify import verify
    from mobilenet_tf.commands.web import web
    from mobilenet_tf.compression.settings import Int8Settings
    from mobilenet_tf.core.errors import UserError
    from mobilenet_tf.core.front_ends import find_front_end
    from mobilenet_tf.core.inputs import InputSpec
    from mobilenet_tf.networks.keras_model import build
    from mobilenet_tf.networks.published.weights import load_weights
    from mobilenet_tf.networks.rows import Network
    from mobilenet_tf.networks.zoo import make_network
    from mobilenet_tf.runs.run import Run
    from mobilenet_tf.runs.settings import RunSettings, read_settings
    from mobilenet_tf.selection.architecture import ArchitectureSettings
    from mobilenet_tf.selection.comparison import ComparisonSettings
    from mobilenet_tf.selection.cost import Budget
    from mobilenet_tf.selection.netadapt_settings import AdaptSettings
    from mobilenet_tf.selection.search_settings import SearchSettings
    from mobilenet_tf.tasks.registry import make_task
    from mobilenet_tf.training.recipe import load_recipe

__version__ = "0.2.0"
__all__ = [
    "AdaptSettings",
    "ArchitectureSettings",
    "Budget",
    "ComparisonSettings",
    "Gate",
    "InputSpec",
    "Int8Settings",
    "ModelData",
    "Network",
    "Pretrained",
    "Purpose",
    "Run",
    "RunSettings",
    "SearchSettings",
    "Trials",
    "UserError",
    "adapt",
    "android",
    "benchmark",
    "build",
    "choose",
    "choose_by",
    "compare",
    "data",
    "doctor",
    "dry_run",
    "enroll",
    "evaluate",
    "evaluate_as",
    "evaluate_other",
    "explain",
    "export",
    "find_front_end",
    "identify",
    "inspect",
    "load_recipe",
    "load_weights",
    "make_network",
    "make_task",
    "predict",
    "quantize",
    "read_settings",
    "run",
    "search",
    "summary",
    "suspects",
    "train",
    "tune",
    "verify",
    "web",
]

_COMMANDS = (
    *("adapt", "android", "benchmark", "choose", "compare", "data", "doctor", "enroll"),
    *("evaluate", "export", "identify", "inspect", "predict", "quantize", "run", "search"),
    *("summary", "suspects", "train", "tune", "verify", "web"),
)
_MODULES = {
    **{name: f"commands.{name}" for name in _COMMANDS},
    "AdaptSettings": "selection.netadapt_settings",
    "ArchitectureSettings": "selection.architecture",
    "Budget": "selection.cost",
    "ComparisonSettings": "selection.comparison",
    "Gate": "commands.gate",
    "InputSpec": "core.inputs",
    "Int8Settings": "compression.settings",
    "ModelData": "commands.post_training",
    "Network": "networks.rows",
    "Pretrained": "commands.published_model",
    "Purpose": "commands.choose",
    "Run": "runs.run",
    "RunSettings": "runs.settings",
    "SearchSettings": "selection.search_settings",
    "Trials": "commands.trials",
    "UserError": "core.errors",
    "choose_by": "commands.other_images",
    "dry_run": "commands.dry_run",
    "evaluate_other": "commands.other_images",
    "explain": "commands.explain",
    "build": "networks.keras_model",
    "evaluate_as": "commands.evaluate",
    "find_front_end": "core.front_ends",
    "load_recipe": "training.recipe",
    "load_weights": "networks.published.weights",
    "make_task": "tasks.registry",
    "make_network": "networks.zoo",
    "read_settings": "runs.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
