"""The command `search`; `app` registers it."""

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
from mobilenet_tf.cli.network_input import input_of
from mobilenet_tf.cli.output import show
from mobilenet_tf.core.units import parse_milliseconds


def search(
    data: opt.Data = "digits",
    algorithm: Annotated[
        str, typer.Option(help="evolution, bayesian, random or hyperband.")
    ] = "evolution",
    judge: Annotated[
        str,
        typer.Option(help="How candidates are judged: training (a short one), supernet or macs."),
    ] = "training",
    trials: Annotated[
        int | None,
        typer.Option(
            help="Number of candidates, including those before --resume.",
            show_default="30 without --hours",
        ),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(help="Hours during which candidates are started.", show_default="no limit"),
    ] = None,
    judge_epochs: Annotated[
        int, typer.Option(help="Epochs of a short training, or of the supernet.")
    ] = 5,
    judge_size: Annotated[
        int | None,
        typer.Option(help="Input side at which candidates are judged.", show_default="their own"),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="Search space, a .toml file.", show_default="architecture_space.toml"),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="Input sides to choose from, such as 64,96.",
            show_default="the space's; 32 for digits",
        ),
    ] = None,
    channels: opt.Channels = None,
    fit: opt.Fit = None,
    front_end: opt.For = None,
    recipe: opt.Recipe = "small_data",
    fields: opt.Set = None,
    epochs: opt.Epochs = None,
    qat_epochs: opt.QatEpochs = None,
    finalists: Annotated[
        int,
        typer.Option(
            help="Number of the best candidates to train again, for half of the epochs, before the "
            "winners are chosen.",
        ),
    ] = 0,
    winners: Annotated[int, typer.Option(help="Number of networks to train in full.")] = 2,
    seeds: Annotated[int, typer.Option(help="Number of full trainings of each network.")] = 1,
    reward: Annotated[
        str,
        typer.Option(
            help="Exponents of latency / target within and beyond it: hard (0,-1), "
            "soft (-0.07,-0.07) or two numbers."
        ),
    ] = "hard",
    target_latency: Annotated[
        str | None,
        typer.Option(help="Latency of the reward, such as 2ms.", show_default="--max-latency"),
    ] = None,
    max_flash: MaxFlash = None,
    max_ram: MaxRam = None,
    max_latency: MaxLatency = None,
    max_macs: MaxMacs = None,
    max_instructions: MaxInstructions = None,
    device: opt.Device = "cpu",
    seed: Annotated[int, typer.Option(help="Seed of the search and of every candidate.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the search.", show_default="runs/search_DATA")
    ] = None,
    overwrite: opt.Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an earlier search.")] = False,
    as_json: opt.Json = False,
) -> None:
    """Search for networks that suit data and device, and compare the best with published ones."""
    from dataclasses import replace

    from mobilenet_tf.commands.search import search as command
    from mobilenet_tf.selection.architecture import ArchitectureSettings, Judge, Reward
    from mobilenet_tf.selection.architecture_space import DEFAULT_SPACE, load_architectures
    from mobilenet_tf.tasks.registry import DEFAULT

    digits = data == "digits"
    known = load_architectures(DEFAULT_SPACE if space is None else space)
    sizes = opt.listed("size", size, int, "64,96") or ((32,) if digits and space is None else None)
    changes = {"train.epochs": epochs, "qat.epochs": qat_epochs}
    settings = ArchitectureSettings(
        data=data,
        input=input_of(DEFAULT, data, channels=channels, fit=fit, front_end=front_end),
        recipe=opt.changed_recipe(recipe, fields, changes),
        space=replace(known, size=sizes or known.size),
        algorithm=algorithm,
        judge=Judge(kind=judge, epochs=judge_epochs, size=judge_size),
        budget=parse_budget(
            max_flash=max_flash,
            max_ram=max_ram,
            max_latency=max_latency,
            max_macs=max_macs,
            max_instructions=max_instructions,
        ),
        device=device,
        reward=Reward.parse(reward, parse_milliseconds(target_latency, "--target-latency")),
        finalists=finalists,
        winners=winners,
        seeds=seeds,
        seed=seed,
    )
    result = command(
        settings, trials=trials, hours=hours, out=out, overwrite=overwrite, resume=resume
    )
    if result is not None:
        show(result, as_json)
