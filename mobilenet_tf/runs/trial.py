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
    curves = run.result().history.float or {}
    epochs = zip(curves["val_loss"], curves["val_accuracy"], strict=True)
    known = [(loss, accuracy) for loss, accuracy in epochs if loss is not None]
    _, accuracy = min(known, key=lambda epoch: epoch[0])
    return 0.0 if accuracy is None else accuracy
