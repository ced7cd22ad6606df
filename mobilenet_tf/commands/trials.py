"""Train the most promising options briefly and rank them by what they reach on the user's data."""

from pathlib import Path

from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.run import begin
from mobilenet_tf.runs.trial import trial_accuracy
from mobilenet_tf.training.recipe import load_recipe


def run_trials(
    options: list[dict], data: str, channels: int, epochs: int, out: Path, seed: int = 0
) -> list[dict]:
    """Train each option for a few epochs.

    Args:
        options: as `choose` gives them.
        data: the source, as for `run`.
        epochs: of float training.
        out: a folder; each trial is a run in it, replaced if it is there.

    Returns:
        The options with `validation_accuracy` and `run`, best first.

    Raises:
        UserError: the data cannot be learned from.
    """
    recipe = load_recipe("small_data").with_fields({"train.epochs": epochs, "qat.epochs": 0})
    found = []
    for option in options:
        spec = make_network(option["model"], option["alpha"], option["size"], channels=channels)
        folder = out / f"{spec.name}_{spec.alpha:g}_{spec.input.side}"
        job = begin(folder, data, spec, recipe, seed=seed, overwrite=True)
        found.append(option | {"validation_accuracy": trial_accuracy(job), "run": str(folder)})
    return sorted(found, key=lambda trial: -trial["validation_accuracy"])
