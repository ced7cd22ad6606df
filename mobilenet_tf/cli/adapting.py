"""The command `adapt`; `app` registers it."""

from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import options as opt
from mobilenet_tf.cli.budget import (
    MaxFlash,
    MaxInstructions,
    MaxLatency,
    MaxMacs,
    MaxRam,
    parse_budget,
)
from mobilenet_tf.cli.output import show


def adapt(
    run: Annotated[Path, typer.Argument(help="Run folder with a trained network.")],
    to: Annotated[
        str | None, typer.Option(help="Share of the run's latency on the device, such as 60%.")
    ] = None,
    max_latency: MaxLatency = None,
    max_flash: MaxFlash = None,
    max_ram: MaxRam = None,
    max_macs: MaxMacs = None,
    max_instructions: MaxInstructions = None,
    device: opt.Device = "cpu",
    steps: Annotated[int, typer.Option(help="Number of steps in which to reach the budget.")] = 20,
    decay: Annotated[
        float, typer.Option(help="Ratio of what a step saves to what the step before saves.")
    ] = 0.96,
    criterion: Annotated[
        str,
        typer.Option(
            help="What a step's best proposal has: the least accuracy lost per cost saved (ratio), "
            "or the highest accuracy (accuracy).",
        ),
    ] = "ratio",
    batches: Annotated[
        int, typer.Option(help="Number of batches each proposal is trained on.")
    ] = 10,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Highest learning rate of these trainings; by default a quarter of that of the "
            "training at the end."
        ),
    ] = None,
    aside: Annotated[
        float, typer.Option(help="Share of the training images set aside to judge proposals.")
    ] = 0.2,
    divisor: Annotated[int, typer.Option(help="Widths become multiples of this.")] = 8,
    depth: Annotated[
        bool, typer.Option("--depth", help="Propose leaving out whole blocks too.")
    ] = False,
    recipe: Annotated[
        str | None,
        typer.Option(help=f"{opt.RECIPE_HELP} For the final training.", show_default="the run's"),
    ] = None,
    fields: opt.Set = None,
    epochs: opt.Epochs = None,
    from_scratch: Annotated[
        bool,
        typer.Option("--from-scratch", help="Train the result from random weights too."),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Seed of the images set aside and of the brief trainings.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder.", show_default="RUN_adapted")] = None,
    overwrite: opt.Overwrite = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an earlier adaptation.")
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Narrow a trained network, layer by layer, until it is within a budget (NetAdapt)."""
    from mobilenet_tf.commands.adapt import adapt as command
    from mobilenet_tf.core.units import parse_share
    from mobilenet_tf.runs.folder import RunFolder
    from mobilenet_tf.selection.netadapt_settings import AdaptSettings
    from mobilenet_tf.training.recipe import load_recipe, parse_settings

    settings = AdaptSettings(
        budget=parse_budget(
            max_latency=max_latency,
            max_flash=max_flash,
            max_ram=max_ram,
            max_macs=max_macs,
            max_instructions=max_instructions,
        ),
        to=parse_share(to, "--to"),
        device=device,
        steps=steps,
        decay=decay,
        criterion=criterion,
        batches=batches,
        learning_rate=learning_rate,
        aside=aside,
        divisor=divisor,
        depth=depth,
        seed=seed,
    )
    base = RunFolder.open(run).settings().recipe if recipe is None else load_recipe(recipe)
    changed = base.with_fields(parse_settings(fields or []) | {"train.epochs": epochs})
    result = command(
        run,
        settings,
        recipe=changed,
        from_scratch=from_scratch,
        out=out,
        overwrite=overwrite,
        resume=resume,
    )
    show(result, as_json)
