"""`doctor`, which looks at the installation; `app` registers it."""

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.output import show


def doctor(as_json: opt.Json = False) -> None:
    """Show what is installed, and what each missing part would add."""
    from mobilenet_tf.commands.doctor import doctor as start

    show(start(), as_json)
