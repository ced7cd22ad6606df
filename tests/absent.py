"""Programs that run the command line without packages."""

from mobilenet_tf.core.packages import PACKAGES

_MAIN = "from mobilenet_tf.__main__ import main; main()"


def without(*modules: str) -> str:
    """Return a program that runs the command line as if modules were not installed."""
    return f"import sys; sys.modules.update(dict.fromkeys({modules}, None)); {_MAIN}"


WITHOUT_EXTRAS = without(*(package.module for package in PACKAGES if package.extra))
# TensorFlow is there, but importing it fails: nothing before training may need it.
NOT_IMPORTED = f"""
import sys
from importlib.machinery import ModuleSpec

class Refusal:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, None) if name in ("tensorflow", "tf_keras") else None

sys.meta_path.insert(0, Refusal())
{_MAIN}
"""
