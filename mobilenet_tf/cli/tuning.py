"""The command `tune`; `app` registers it."""

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
    MaxSize,
    parse_budget,
)
from mobilenet_tf.cli.network_input import input_of
from mobilenet_tf.cli.output import show


def tune(
    data: opt.Data = "digits",
    algorithm: Annotated[str, typer.Option(help="hyperband, bayesian or random.")] = "hyperband",
    trials: Annotated[
        int, typer.Option(help="Number of trials, including those before --resume.")
    ] = 15,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Number of epochs of a trial; with hyperband, of the longest.",
            show_default="the recipe's",
        ),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="What to vary, as TOML.", show_default="tuning_space.toml"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Networks, such as v1,v2.", show_default="the space's")
    ] = None,
    alpha: Annotated[
        str | None, typer.Option(help="Alphas, such as 0.25,0.5.", show_default="the space's")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Sizes, such as 64,96.", show_default="the space's; 32 for digits"),
    ] = None,
    channels: opt.Channels = None,
    fit: opt.Fit = None,
    front_end: opt.For = None,
    recipe: Annotated[
        str, typer.Option(help="All values that are not varied: a name or a .toml file.")
    ] = "small_data",
    fields: opt.Set = None,
    max_flash: MaxFlash = None,
    max_ram: MaxRam = None,
    max_latency: MaxLatency = None,
    max_macs: MaxMacs = None,
    max_instructions: MaxInstructions = None,
    device: opt.Device = "cpu",
    weights: opt.Weights = "none",
    seed: Annotated[int, typer.Option(help="Seed of the search and of every trial.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the search.", show_default="runs/tune_DATA")
    ] = None,
    overwrite: opt.Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an earlier search.")] = False,
    as_json: opt.Json = False,
    max_size: MaxSize = None,
) -> None:
    """Search recipe, network, alpha and size for the best accuracy within a budget."""
    from mobilenet_tf.commands.tune import tune as command
    from mobilenet_tf.selection.search_settings import SearchSettings
    from mobilenet_tf.selection.tuning_space import DEFAULT_SPACE, load_space
    from mobilenet_tf.tasks.registry import DEFAULT

    digits = data == "digits"
    base = opt.changed_recipe(recipe, fields)
    sizes = opt.listed("size", size, int, "64,96")
    narrowed = load_space(DEFAULT_SPACE if space is None else space, base).narrowed(
        model=opt.listed("model", model, str, "v1,v2"),
        alpha=opt.listed("alpha", alpha, float, "0.25,0.5"),
        size=sizes or ((32,) if digits and space is None else None),
    )
    search = SearchSettings(
        data=data,
        input=input_of(DEFAULT, data, channels=channels, fit=fit, front_end=front_end),
        recipe=base,
        space=narrowed,
        algorithm=algorithm,
        epochs=epochs,
        budget=parse_budget(
            max_flash=max_flash,
            max_ram=max_ram,
            max_latency=max_latency,
            max_macs=max_macs,
            max_instructions=max_instructions,
            max_size=max_size,
        ),
        device=device,
        weights=weights,
        seed=seed,
    )
    result = command(search, trials=trials, out=out, overwrite=overwrite, resume=resume)
    if result is not None:
        show(result, as_json)
