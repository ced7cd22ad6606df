"""The command `compare`; `app` registers it."""

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


def compare(
    models: Annotated[
        str,
        typer.Option(help="Networks, each as NAME:ALPHA@SIZE, such as v1:0.25@96,v3_small@96."),
    ] = "v1:0.25,v3_small:0.25",
    data: opt.Data = "digits",
    channels: opt.Channels = None,
    fit: opt.Fit = None,
    front_end: opt.For = None,
    recipe: opt.Recipe = "small_data",
    fields: opt.Set = None,
    epochs: opt.Epochs = None,
    qat_epochs: opt.QatEpochs = None,
    seeds: Annotated[int, typer.Option(help="Number of trainings of each network.")] = 3,
    float_only: Annotated[
        bool, typer.Option("--float-only", help="Compare float networks; write no int8 files.")
    ] = False,
    reference: Annotated[
        str, typer.Option(help="Network that the others are compared with: best or first.")
    ] = "best",
    max_flash: MaxFlash = None,
    max_ram: MaxRam = None,
    max_latency: MaxLatency = None,
    max_macs: MaxMacs = None,
    max_instructions: MaxInstructions = None,
    device: opt.Device = "cpu",
    weights: opt.Weights = "none",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the comparison.", show_default="runs/compare_DATA"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier comparison.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue a comparison, also with more networks or seeds."),
    ] = False,
    as_json: opt.Json = False,
) -> None:
    """Train networks in the same way, and compare accuracy with intervals, cost and speed."""
    from mobilenet_tf.commands.compare import compare as command
    from mobilenet_tf.selection.comparison import ComparisonSettings, parse_networks
    from mobilenet_tf.tasks.registry import DEFAULT

    changes = {"train.epochs": epochs, "qat.epochs": qat_epochs}
    settings = ComparisonSettings(
        recipe=opt.changed_recipe(recipe, fields, changes),
        seeds=seeds,
        int8=not float_only,
        budget=parse_budget(
            max_flash=max_flash,
            max_ram=max_ram,
            max_latency=max_latency,
            max_macs=max_macs,
            max_instructions=max_instructions,
        ),
        device=device,
        weights=weights,
        reference=reference,
    )
    networks = parse_networks(
        models.split(","),
        input_of(DEFAULT, data, channels=channels, fit=fit, front_end=front_end),
    )
    result = command(data, networks, settings=settings, out=out, overwrite=overwrite, resume=resume)
    show(result, as_json)
