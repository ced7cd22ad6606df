"""A short training that only measures the validation accuracy that a network reaches."""

from mobilenet_tf.runs.run import Run


def trial_accuracy(run: Run, until: int | None = None) -> float:
    """Train the float network of a run and return the validation accuracy of its best weights.

    Continues from the checkpoint if there is one; writes `float.keras` and `result.json` as
    `train` does.

    Args:
        run: The run.
        until: Number of epochs after which to stop, while the learning rate follows the schedule
            of all the recipe's epochs; None trains them all.

    Returns:
        The share of the validation images classified correctly at the epoch with the lowest loss.

    Raises:
        Diverged: The loss is NaN or infinite.
    """
    from mobilenet_tf.runs.train import train

    train(run, until)
    curves = run.result().history.float
    losses = curves["val_loss"]
    return curves["val_accuracy"][losses.index(min(losses))]
