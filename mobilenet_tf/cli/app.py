"""The command line with all its commands.

Commands import what they need when they run, because importing TensorFlow takes ten seconds.
"""

from typing import Any

import typer
from typer.core import TyperCommand

from mobilenet_tf.cli import (
    adapting,
    architecture,
    comparison,
    device,
    files,
    gallery,
    installation,
    new_run,
    stages,
    survey,
    tuning,
)

app = typer.Typer(
    help="From a folder of images to an int8 MobileNet that runs, verified, on the device.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# What the command line raises: Typer brings its own Click, or uses the one that is installed.
Abort = typer.Abort
UsageError: Any = typer.BadParameter.__base__


class Command(TyperCommand):
    """A command that refuses options which it would ignore, and names packages that it lacks."""

    def invoke(self, ctx: Any) -> Any:
        """Check the options that were given, then run the command; see `check_use`."""
        from mobilenet_tf.commands.applicable import check_use

        sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
        given = [name for name, source in sources.items() if source and source.name != "DEFAULT"]
        check_use(self.name or "", given, ctx.params)
        return super().invoke(ctx)


for command in (
    survey.data,
    new_run.run,
    new_run.train,
    stages.quantize,
    stages.export,
    stages.verify,
    survey.suspects,
    files.predict,
    files.inspect,
    files.summary,
    files.evaluate,
    gallery.enroll,
    gallery.identify,
    tuning.tune,
    adapting.adapt,
    comparison.compare,
    architecture.search,
    device.choose,
    device.benchmark,
    device.android,
    device.web,
    installation.doctor,
):
    app.command(cls=Command)(command)
