"""Environment variables that TensorFlow reads when it is imported."""

import os


def quieten() -> None:
    """Silence the report of CPU features and absent GPUs, unless the user has set its level."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")


def prepare() -> None:
    """Set every variable that the user has not set."""
    quieten()
    # In training two operations are usually ready at once, such as the two gradients of a layer.
    # Each gets half of the processors: MobileNets' operations are too small to gain from more
    # threads, and lose by waiting for each other's.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
