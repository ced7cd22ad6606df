"""What a search leaves: the winner as a recipe, the command that trains it, a plot."""

from pathlib import Path

import tomli_w

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import write_text
from mobilenet_tf.core.plotting import trade_off
from mobilenet_tf.core.terminal import run_command
from mobilenet_tf.selection.plan import Plan, Search
from mobilenet_tf.training.recipe import Recipe

# Cost -> what the axis says, and its unit. The last that is limited is drawn.
_AXES = {
    "macs": ("million multiply-adds", 1e6),
    "bytes": ("file, KB", 1e3),
    "ram": ("activations, KB", 1e3),
    "latency": ("latency, ms", 1.0),
}


def write_outcome(search: Search, rows: list[dict], base: Recipe) -> dict:
    """Write `best.toml`, `trials.png` and `result.json`.

    Args:
        rows: as from `run_search`.
        base: the winner's recipe in all that was not varied, its length included.

    Returns:
        {"algorithm", "limits", "networks", "trials", "best", "recipe", "command", "plot"}.

    Raises:
        UserError: there is no trial, or a file cannot be written.
    """
    run, plan = search.run, search.plan
    if not rows:
        raise UserError(f"{run.path} has no finished trial; --resume goes on with the search.")
    # Of equals the cheapest.
    best = max(rows, key=lambda row: (row["validation_accuracy"], -row["macs"]))
    recipe, plot = run.path / "best.toml", run.path / "trials.png"
    write_text(recipe, recipe_text(plan, base, best))
    axis = next((name for name in reversed(_AXES) if name in plan.limits), "macs")
    title, unit = _AXES[axis]
    points = [(row[axis] / unit, 100 * row["validation_accuracy"]) for row in rows]
    groups: dict[str, list] = {}
    for row, point in zip(rows, points, strict=True):
        groups.setdefault(row["model"], []).append(point)
    trade_off(
        plot,
        groups,
        points[rows.index(best)],
        plan.limits[axis] / unit if axis in plan.limits else None,
        (title, "validation accuracy, %"),
    )
    run.update_result(trials=rows, best=best)
    return {
        "algorithm": plan.algorithm,
        "limits": dict(plan.limits),
        "networks": len(search.networks),
        "trials": rows,
        "best": best,
        "recipe": str(recipe),
        "command": _command(plan, best, recipe),
        "plot": str(plot),
    }


def recipe_text(plan: Plan, base: Recipe, best: dict) -> str:
    """The winner as a recipe's file, with where it comes from."""
    recipe = base.with_fields({"name": "best"} | best["fields"])
    return (
        f"# The best of a search by {plan.algorithm}: trial {best['trial']}, {best['network']},\n"
        f"# validation accuracy {best['validation_accuracy']:.2%} after {best['epochs']} epochs.\n"
        f"{tomli_w.dumps(recipe.to_dict())}"
    )


def _command(plan: Plan, best: dict, recipe: Path) -> str:
    return run_command(
        data=plan.source,
        model=best["model"],
        alpha=best["alpha"],
        size=best["size"],
        channels=plan.channels,
        recipe=recipe,
        weights=None if plan.weights == "none" else plan.weights,
        seed=plan.seed or None,
    )
