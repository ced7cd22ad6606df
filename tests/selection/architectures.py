"""A tiny space of networks, for tests."""

from pathlib import Path

from mobilenet_tf.selection.architecture_space import ArchitectureSpace, load_architectures

TINY = """
size = [32]
dropout = 0.0
stem = { width = [8], activation = ["relu"] }
features = { width = [16, 24], activation = ["hard_swish"] }
[[stage]]
stride = 2
kernel = [3, 5]
expansion = [1, 3]
width = [8, 16]
repeats = [1, 2]
se = [false, true]
activation = ["relu", "hard_swish"]
skip = [true, false]
"""


def tiny(folder: Path, text: str = TINY) -> ArchitectureSpace:
    """Read a space from text."""
    file = folder / "space.toml"
    file.write_text(text)
    return load_architectures(file)
