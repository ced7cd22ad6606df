"""A short training whose only result is how good the network becomes."""

from mobilenet_tf.runs.run import Job


def trial_accuracy(job: Job, until: int | None = None) -> float:
    """Train the float network of a run and judge the weights that are kept.

    Goes on where the run stands; `float.keras` and `result.json` are written as by `train`.

    Args:
        until: epochs after which to stop, while the learning rate falls as for all of the
            recipe's; None trains them all.

    Returns:
        The share of the validation pictures named right, at the epoch with the lowest loss.

    Raises:
        Diverged: the loss became infinite.
    """
    from mobilenet_tf.runs.train_stage import train

    train(job, until)
    history = job.run.result()["history"]["float"]
    losses = history["val_loss"]
    return history["val_accuracy"][losses.index(min(losses))]
