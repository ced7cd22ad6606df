"""Which batches a training run consists of, and which part of them a process makes."""

import math
from dataclasses import dataclass

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec

# A batch with more images than the dataset may have this many images, or as many as fit into so
# many bytes, up to the largest batch of a recipe.
_SMALL_BATCH, _LARGEST_REPEATED = 256, 4096
_REPEATED_BYTES = 2**29


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


def check_batch_fits(batch: int, images: int, input_spec: InputSpec) -> None:
    """Reject a batch that repeats the training images until the memory is full.

    A batch may repeat the images of a small dataset, as those of the recipes do.

    Args:
        batch: Number of images per step.
        images: Number of training images.
        input_spec: Input of the network.

    Raises:
        UserError: The batch has more images than there are, and more than may be repeated.
    """
    fitting = _REPEATED_BYTES // (4 * math.prod(input_spec.shape))
    most = max(images, _SMALL_BATCH, min(fitting, _LARGEST_REPEATED))
    if batch > most:
        raise UserError(
            f"batch is {batch:,}, but there are {images:,} training images; it must be at most "
            f"{most:,}."
        )


def check_batch(batch: int) -> None:
    """Reject a batch of no images.

    Raises:
        UserError: The batch is smaller than 1.
    """
    if batch < 1:
        raise UserError(f"batch is {batch}; it must be at least 1.")
