"""The command line with all its commands.

Commands import what they need when they run, because importing TensorFlow takes ten seconds.
"""

import typer

from mobilenet_tf.cli import comparison, device, files, new_run, stages, tuning

app = typer.Typer(
    help="From a folder of images to an int8 MobileNet that runs, verified, on the device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    new_run.run,
    new_run.train,
    stages.quantize,
    stages.export,
    stages.verify,
    files.predict,
    files.inspect,
    files.summary,
    files.evaluate,
    tuning.tune,
    comparison.compare,
    device.choose,
    device.benchmark,
    device.android,
):
    app.command()(command)
