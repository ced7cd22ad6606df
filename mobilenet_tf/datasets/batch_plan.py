"""Which batches a training run consists of, and which part of them a process makes."""

from dataclasses import dataclass

from mobilenet_tf.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """The batches of a run. Batch number k is a function of (seed, k) alone.

    Attributes:
        batch: Number of images per step, over all replicas.
        seed: Seed of the order of the images and of all random changes.
        steps: Number of steps of the whole run.
        start_step: Number of steps that an earlier process has done.

    Raises:
        UserError: The batch is smaller than 1, or the seed is negative.
    """

    batch: int
    seed: int
    steps: int
    start_step: int = 0

    def __post_init__(self) -> None:
        check_batch(self.batch)
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}; it must be at least 0.")


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """The replicas that share each batch, and those of them that this process feeds.

    Attributes:
        count: Number of replicas.
        mine: Indices of the replicas that this process feeds, one after the other.
    """

    count: int = 1
    mine: range = range(1)

    def share(self, batch: int) -> int:
        """Return the number of images of a batch that each replica receives.

        Raises:
            UserError: The replicas cannot share the batch equally.
        """
        if batch % self.count:
            raise UserError(
                f"batch is {batch}; it must be a multiple of the {self.count} replicas."
            )
        return batch // self.count

    def part(self, batch: int, turn: int) -> slice:
        """Return the part of a batch that replica `mine[turn]` receives."""
        share = self.share(batch)
        return slice(self.mine[turn] * share, (self.mine[turn] + 1) * share)


ONE_REPLICA = Replicas()


def check_batch(batch: int) -> None:
    """Reject a batch of no images.

    Raises:
        UserError: The batch is smaller than 1.
    """
    if batch < 1:
        raise UserError(f"batch is {batch}; it must be at least 1.")
