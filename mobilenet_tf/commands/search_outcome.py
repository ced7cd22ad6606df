"""What a search leaves: the winner as a recipe, the command that trains it, a plot, a result."""

from collections.abc import Mapping, Sequence
from typing import Any

import tomli_w

from mobilenet_tf.commands.outcomes.searches import Tuning
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_json, write_text
from mobilenet_tf.core.front_ends import input_options
from mobilenet_tf.core.terminal import run_command
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.runs.folder import RunFolder
from mobilenet_tf.selection.affordable import Affordable, restore
from mobilenet_tf.selection.search_settings import SearchSettings

_DAMAGED = "{} is damaged; restore it, or use --overwrite to search again."


def write_outcome(
    settings: SearchSettings,
    networks: Sequence[Affordable],
    rows: Sequence[Mapping[str, Any]],
    folder: RunFolder,
) -> Tuning:
    """Write `best.toml`, `trials.png` and `result.json`, and return what `tune` returns.

    Raises:
        UserError: There is no finished trial, or a file cannot be written.
    """
    from mobilenet_tf.selection.tradeoff import draw_trials

    if not rows:
        raise UserError(f"{folder.path} has no finished trial; --resume continues the search.")
    # Among equally accurate trials, the cheapest.
    best = max(rows, key=lambda row: (row["validation_accuracy"], -row["macs"]))
    if best["validation_accuracy"] <= 0:
        raise UserError(
            f"None of the {len(rows)} trials of {folder.path} learned anything, so there is no "
            "best one; training diverged, or the space needs lower learning rates."
        )
    recipe, plot = folder.path / "best.toml", folder.path / "trials.png"
    write_text(recipe, recipe_text(settings, best))
    costs = {one.label: one.cost for one in networks}
    draw_trials(
        [(row["model"], costs[row["network"]], row["validation_accuracy"]) for row in rows],
        (costs[best["network"]], best["validation_accuracy"]),
        settings.budget,
        plot,
    )
    write_json(folder.result_file, read_result(folder) | {"trials": list(rows), "best": dict(best)})
    return Tuning(
        algorithm=settings.algorithm,
        limits=settings.budget.limits,
        networks=len(networks),
        trials=list(rows),
        best=dict(best),
        recipe=str(recipe),
        command=run_command(
            data=settings.data,
            model=best["model"],
            alpha=best["alpha"],
            size=best["size"],
            channels=settings.input.channels,
            **input_options(settings.input),
            recipe=recipe,
            weights=None if settings.weights == "none" else settings.weights,
            seed=settings.seed or None,
        ),
        plot=str(plot),
    )


def recipe_text(settings: SearchSettings, best: Mapping[str, Any]) -> str:
    """Return the winner's recipe as TOML, with its origin as a comment.

    Everything that was not varied is as in the search's recipe, including the number of epochs.
    """
    recipe = settings.recipe.with_fields({"name": "best"} | best["fields"])
    return (
        f"# Best of a {settings.algorithm} search: trial {best['trial']}, {best['network']},\n"
        f"# validation accuracy {best['validation_accuracy']:.2%} after {best['epochs']} epochs.\n"
        f"{tomli_w.dumps(recipe.to_dict())}"
    )


def read_result(folder: RunFolder) -> dict[str, Any]:
    """Return the `result.json` of a search; empty if there is none.

    Raises:
        UserError: The file is damaged.
    """
    if not folder.result_file.is_file():
        return {}
    try:
        values = read_json(folder.result_file)
    except UserError as error:
        raise UserError(_DAMAGED.format(folder.result_file)) from error
    if not isinstance(values, dict):
        raise UserError(_DAMAGED.format(folder.result_file))
    return values


def require_same_images(folder: RunFolder, images: str, source: str) -> None:
    """Check that a search continues with the images that it began with.

    Args:
        folder: The folder of the search.
        images: Fingerprint of the images now.
        source: What errors call them.

    Raises:
        UserError: They have changed, or a worker has others than its chief.
    """
    if read_result(folder).get("fingerprint", images) != images:
        raise UserError(
            f"The images of {source} are not those that the search in {folder.path} began with; "
            "start a new search for them."
        )


def read_networks(folder: RunFolder, networks: Sequence[Network]) -> list[Affordable]:
    """Return the networks within the budget as a search has stored them.

    Args:
        folder: The folder of the search.
        networks: All networks of the space.

    Raises:
        UserError: The file is damaged.
    """
    try:
        fitting = restore(networks, read_result(folder).get("networks"))
    except UserError as error:
        raise UserError(_DAMAGED.format(folder.result_file)) from error
    if not fitting:
        raise UserError(_DAMAGED.format(folder.result_file))
    return fitting
