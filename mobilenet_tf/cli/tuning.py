"""The command `tune`; `cli` registers it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from mobilenet_tf.cli import tables
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.terminal import import_tensorflow


def tune(
    data: Annotated[
        str, typer.Option(help="Folder with a folder per class, `digits`, or `tfds:NAME`.")
    ] = "digits",
    algorithm: Annotated[str, typer.Option(help="hyperband, bayesian or random.")] = "hyperband",
    trials: Annotated[int, typer.Option(help="To train, with those of before --resume.")] = 15,
    epochs: Annotated[
        int | None,
        typer.Option(help="Of a trial; Hyperband's longest.", show_default="the recipe's"),
    ] = None,
    space: Annotated[
        Path | None, typer.Option(help="What to vary, as TOML.", show_default="tuning/space.toml")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Networks instead, such as v1,v2.")] = None,
    alpha: Annotated[str | None, typer.Option(help="Alphas instead, such as 0.25,0.5.")] = None,
    size: Annotated[
        str | None, typer.Option(help="Sizes instead, such as 64,96.", show_default="32 for digits")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="3 (RGB) or 1 (grey).", show_default="3; 1 for digits")
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="All other numbers: a name or a .toml.")
    ] = "small_data",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One of the recipe's fields, as FIELD=VALUE.")
    ] = None,
    max_macs: Annotated[str | None, typer.Option(help="Multiply-adds, such as 12M.")] = None,
    max_size: Annotated[str | None, typer.Option(help="Of the file, such as 500KB.")] = None,
    max_ram: Annotated[str | None, typer.Option(help="Of activations, such as 200KB.")] = None,
    max_latency: Annotated[str | None, typer.Option(help="On this CPU, such as 5ms.")] = None,
    weights: Annotated[
        str, typer.Option(help="Start: `none`, `imagenet` or a weights file.")
    ] = "none",
    seed: Annotated[int, typer.Option(help="Of the search and of every trial.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the search.", show_default="runs/tune_DATA")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier one.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an earlier one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Search recipe, network, alpha and size for the best accuracy within a budget."""
    from mobilenet_tf.core.units import parse_bytes, parse_count, parse_milliseconds
    from mobilenet_tf.datasets.load import source_name
    from mobilenet_tf.selection.plan import Plan, begin_search
    from mobilenet_tf.selection.space import DEFAULT, load_space
    from mobilenet_tf.training.recipe import load_recipe, parse_settings

    if trials < 1:
        raise UserError(f"trials is {trials}; it must be at least 1.")
    digits = data == "digits"
    base = load_recipe(recipe).with_fields(parse_settings(settings or []))
    sizes = _listed("size", size, int) or ([32] if digits and space is None else None)
    found = load_space(DEFAULT if space is None else space, base).narrowed(
        model=_listed("model", model, str), alpha=_listed("alpha", alpha, float), size=sizes
    )
    limits = {
        "macs": parse_count(max_macs, "--max-macs"),
        "bytes": parse_bytes(max_size, "--max-size"),
        "ram": parse_bytes(max_ram, "--max-ram"),
        "latency": parse_milliseconds(max_latency, "--max-latency"),
    }
    plan = Plan(
        data,
        channels if channels is not None else (1 if digits else 3),
        algorithm,
        base.with_fields({"train.epochs": epochs}),
        found,
        {name: most for name, most in limits.items() if most is not None},
        weights,
        seed,
    )
    out = out or Path("runs") / f"tune_{source_name(data)}"
    search = begin_search(plan, out, _measured(plan.limits), overwrite, resume)
    import_tensorflow()
    from mobilenet_tf.selection.outcome import write_outcome
    from mobilenet_tf.selection.tuner import run_search

    rows = run_search(search, trials)
    if rows is not None:
        tables.show(write_outcome(search, rows, base), as_json, tables.tuning_table)


def _listed(name: str, text: str | None, kind: type) -> list | None:
    """`v1,v2` as a list of that type."""
    try:
        return None if text is None else [kind(word.strip()) for word in text.split(",")]
    except ValueError:
        raise UserError(f"{name} is {text!r}; it must be values such as 64,96.") from None


def _measured(limits) -> Callable[[Sequence], list[dict[str, float]]]:
    """What networks cost: counted, and what is limited besides from files and on this CPU."""
    from mobilenet_tf.deployment.devices.cpu import LatencyTable, ThisMachine
    from mobilenet_tf.deployment.tflite.from_graph import phone_file_size
    from mobilenet_tf.selection.plan import counted

    def measure(specs: Sequence) -> list[dict[str, float]]:
        rows = counted(specs)
        if "latency" in limits:
            table = LatencyTable(ThisMachine())
            table.measure(specs)
        for row, spec in zip(rows, specs, strict=True):
            if "bytes" in limits:
                row["bytes"] = phone_file_size(spec)[0]
            if "latency" in limits:
                row["latency"] = table.milliseconds(spec)
        return rows

    return measure
