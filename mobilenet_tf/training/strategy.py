"""Training on several devices or machines with `tf.distribute`.

Each replica computes its share of every batch, batch normalization takes its statistics from the
whole batch, and gradients are averaged. The result is therefore that of one device with the same
batch size, up to rounding, and up to Bessel's correction of the moving variance, which only a
single device applies.

With several machines, the first worker, the chief, owns the run folder. The others work in a
temporary folder and receive the chief's checkpoint, so they need no shared disk.
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
from mobilenet_tf.core.files import write_bytes
from mobilenet_tf.training.cluster import is_chief
from mobilenet_tf.training.determinism import set_seed


@cache
def make_strategy(name: str) -> tf.distribute.Strategy:
    """Return the strategy with a name of `STRATEGIES`; `multiworker` waits for all workers.

    Raises:
        UserError: There is no TPU.
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
            raise UserError(f"--strategy tpu found no TPU: {str(error).splitlines()[0]}") from error
        return tf.distribute.TPUStrategy(resolver)
    return tf.distribute.get_strategy()


def distribute(
    batches: Callable[[int, range], tf.data.Dataset], strategy: tf.distribute.Strategy
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Distribute training batches over the replicas of a strategy.

    Args:
        batches: Function of the number of replicas and of the range of those that one process
            feeds; it returns their shares of each batch in turn.
        strategy: Strategy that the model was built in.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches(1, range(1))

    def feed(context: tf.distribute.InputContext) -> tf.data.Dataset:
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local
        return batches(replicas, range(first, first + local))

    return strategy.distribute_datasets_from_function(feed)


def synchronize_norms(model: keras.Model) -> None:
    """Let batch normalization use the whole batch instead of the share of one replica."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized, layer.fused = True, False


def share_checkpoint(path: Path, fingerprint: str, strategy: tf.distribute.Strategy) -> None:
    """Copy the chief's checkpoint, if there is one, to all other workers.

    Args:
        path: Checkpoint of this worker; each worker has its own folder.
        fingerprint: Fingerprint of this worker's data and settings.
        strategy: Strategy of training; nothing happens unless it is `multiworker`.

    Raises:
        UserError: The workers have different fingerprints.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return
    own = np.frombuffer(hashlib.sha256(fingerprint.encode()).digest(), np.int64)
    chiefs = _from_chief(own)
    if _total(np.array([not np.array_equal(own, chiefs)], np.int64)).any():
        raise UserError(
            "The workers have different images or settings; start all of them with the same "
            "command on the same images."
        )
    chief = is_chief("multiworker")
    content = path.read_bytes() if chief and path.exists() else b""
    (length,) = _from_chief(np.array([len(content)], np.int64))
    if not length:
        return
    padded = (content if chief else bytes(length)).ljust(-(-length // 8) * 8, b"\0")
    content = _from_chief(np.frombuffer(padded, np.int64)).tobytes()[:length]
    if not chief:
        write_bytes(path, content)


def _from_chief(values: np.ndarray) -> np.ndarray:
    """Return the chief's int64 values (N,) on all workers."""
    return _total(values, only_chief=True)


def _total(values: np.ndarray, only_chief: bool = False) -> np.ndarray:
    """Return int64 values (N,) summed over all replicas, or the values of the chief's first one."""
    strategy = tf.distribute.get_strategy()

    def reduce(values: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        counts = context.replica_id_in_sync_group == 0 if only_chief else True
        # The product puts the values on the replica's device.
        values *= tf.cast(counts, tf.int64)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, values)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def total(values: tf.Tensor) -> tf.Tensor:
        return strategy.run(reduce, (values,))

    return strategy.experimental_local_results(total(values))[0].numpy()


@contextmanager
def training_scope(strategy: str, seed: int, deterministic: bool) -> Iterator[None]:
    """Build and train networks on the devices of a strategy, with seeded random numbers.

    Args:
        strategy: Name of the strategy, one of `STRATEGIES`.
        seed: At least 0.
        deterministic: See `set_seed`.

    Raises:
        UserError: As `make_strategy`.
        WorkerLost: The connection to another worker was lost.
    """
    scope = make_strategy(strategy).scope()  # first: workers must connect before any operation
    set_seed(seed, deterministic)
    try:
        with scope:
            yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if strategy != "multiworker":
            raise
        raise WorkerLost(
            "The connection to another worker was lost. Start all workers again with --resume to "
            "continue after the last finished epoch."
        ) from error
