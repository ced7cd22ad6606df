"""What shells complete: the names that an option accepts, which are read when a shell asks."""


def models(begun: str) -> list[str]:
    """Return the networks whose names begin as the text does."""
    from mobilenet_tf.networks.zoo import ZOO

    return [name for name in ZOO if name.startswith(begun)]


def tasks(begun: str) -> list[str]:
    """Return the tasks whose names begin as the text does."""
    from mobilenet_tf.tasks.registry import TASKS

    return [name for name in TASKS if name.startswith(begun)]
