"""Training on several devices or machines, through `tf.distribute`.

Each replica takes its part of every batch, batch normalization its statistics from the whole
batch, and gradients are averaged, so the numbers are those of one device with the same batch, up
to rounding (and to Bessel's correction in the moving variance, which only one device makes).

Of several machines the first, the chief, has the run folder. The others do the same work on a
temporary one, and are given the chief's checkpoint, so they need no shared disk.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.core.errors import UserError, WorkerLost
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.training.cluster import is_chief
from mobilenet_tf.training.determinism import set_seed


@cache
def make_strategy(name: str) -> tf.distribute.Strategy:
    """One of `STRATEGIES`; of several workers it returns when all of them are there.

    Raises:
        UserError: there is no TPU.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        try:
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(
                os.environ.get("TPU_NAME", "local")
            )
        except (ValueError, tf.errors.OpError) as error:
            raise UserError(f"--strategy tpu finds no TPU: {str(error).splitlines()[0]}") from error
        return tf.distribute.TPUStrategy(resolver)
    return tf.distribute.get_strategy()


def distribute(
    batches: Callable[[int, range], tf.data.Dataset], strategy: tf.distribute.Strategy
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Training batches, each replica's part to each replica.

    Args:
        batches: (replicas in all, those that this process feeds) -> their parts in turn.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches(1, range(1))

    def feed(context):
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local
        return batches(replicas, range(first, first + local))

    return strategy.distribute_datasets_from_function(feed)


def synchronize_norms(model: keras.Model) -> None:
    """Let batch normalization see the whole batch and not a replica's part of it."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized, layer.fused = True, False


def share_checkpoint(path: Path, fingerprint: str, strategy: tf.distribute.Strategy) -> None:
    """Give the chief's checkpoint, if it has one, to all workers, as their file `path`.

    Args:
        path: the same name on all workers, in their own folders.
        fingerprint: of pictures and settings.

    Raises:
        UserError: the workers' fingerprints are not the same.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return
    own = np.frombuffer(hashlib.sha256(fingerprint.encode()).digest(), np.int64)
    chiefs = _from_chief(own)
    if _total(np.array([not np.array_equal(own, chiefs)], np.int64)).any():
        raise UserError(
            "The workers have different pictures or settings; start all of them with the same "
            "command on the same pictures."
        )
    chief = is_chief("multiworker")
    content = path.read_bytes() if chief and path.exists() else b""
    (length,) = _from_chief(np.array([len(content)], np.int64))
    if not length:
        return
    padded = (content if chief else bytes(length)).ljust(-(-length // 8) * 8, b"\0")
    content = _from_chief(np.frombuffer(padded, np.int64)).tobytes()[:length]
    if not chief:
        write_atomically(path, lambda partial: partial.write_bytes(content))


def _from_chief(values: np.ndarray) -> np.ndarray:
    """The chief's int64 values (N,), on all workers."""
    context = tf.distribute.get_replica_context
    return _total(values, lambda: tf.cast(context().replica_id_in_sync_group, tf.int64) == 0)


def _total(values: np.ndarray, counts: Callable[[], tf.Tensor] = lambda: True) -> np.ndarray:
    """int64 values (N,), summed over the replicas that count."""
    strategy = tf.distribute.get_strategy()

    def reduce(values):
        # A product, so that it is on the replica's device.
        values *= tf.cast(counts(), tf.int64)
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def total(values):
        return strategy.run(reduce, (values,))

    return strategy.experimental_local_results(total(values))[0].numpy()


@contextmanager
def training_scope(strategy: str, seed: int, deterministic: bool) -> Iterator[None]:
    """Within, networks are built and trained where `strategy` says, from `seed`.

    Raises:
        UserError: as `make_strategy`.
        WorkerLost: another worker has gone.
    """
    scope = make_strategy(strategy).scope()  # first: several workers must meet before any work
    set_seed(seed, deterministic)
    try:
        with scope:
            yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if strategy != "multiworker":
            raise
        raise WorkerLost(
            "Another worker has gone. Start all of them again with --resume to go on from the "
            "last epoch."
        ) from error
