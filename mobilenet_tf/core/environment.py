"""What TensorFlow reads from the environment when it is imported."""

import os


def quieten() -> None:
    """No report of CPU features and absent GPUs on every start, unless the user wants it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ABSL_MIN_LOG_LEVEL", "3")


def prepare() -> None:
    """Set all of it, where the user has not."""
    quieten()
    # In training two operations are ready most of the time, such as a layer's two gradients. Each
    # takes half of the processors: MobileNets' operations are too small to gain from more, and
    # lose by waiting for each other's threads.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
