"""What each setting of each kernel costs in validation loss, and the choice within a size.

Han et al., "Learning both Weights and Connections" (2015), section 3.1 and figure 6, choose the
share of zeros per layer by such a scan. Nothing is trained here, so that a network which is trained
afterwards loses less than the sum.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.clustering import cluster
from mobilenet_tf.compression.weight_quantizers import largest_integer
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.progress import bar
from mobilenet_tf.datasets.pipeline import evaluation_batches
from mobilenet_tf.training.compress import kernels, pruning_of
from mobilenet_tf.training.compression_settings import CLUSTER, INT4, PRUNE, Setting, Trial
from mobilenet_tf.training.fit import Session
from mobilenet_tf.training.learner import make_learner
from mobilenet_tf.training.recipe import Recipe

_BATCH = 64
_VALUES = (0, 64, 32, 16, 8)
_SPARSITY = (0.0, 0.5, 0.75, 0.9)
_BITS = (8, 4)


def measure(
    model: keras.Model,
    recipe: Recipe,
    session: Session,
    size: Callable[[np.ndarray], int],
    known: Sequence[Trial] = (),
) -> Iterator[Trial]:
    """Measure every kernel that the stages of a recipe change at every setting.

    All others have 8 bits, any values and no zeros meanwhile.

    Args:
        model: Quantization-aware model, in which these kernels have stored scales; it has its
            weights again at the end.
        recipe: Says which stages there are, and which kernels they leave as they are.
        session: Dataset and task.
        size: Returns the bytes that a device stores an int8 kernel in, whose first axis are the
            output channels.
        known: Trials that were made before; they are not made again.

    Yields:
        The trials, those that are known too, each as soon as it is made.
    """
    earlier = {(one.kernel, one.setting): one for one in known}
    names, narrow = list(changed(model, recipe)), kernels(model, recipe.int4)
    objective = session.task.objective(session.network)
    learner = make_learner(model, objective, recipe.qat, 1)
    images = evaluation_batches(
        session.dataset.validation, session.network.input, objective, _BATCH
    )

    def judged() -> tuple[float, float]:
        found = learner.evaluate(images, return_dict=True, verbose=0)
        return float(found["loss"]), float(found[session.task.curve])

    loss, score = judged()
    work = [
        (name, one)
        for name in names
        for one in settings(recipe)
        if one.bits == _BITS[0] or name in narrow
    ]
    with bar() as shown:
        task = shown.add_task("Measuring kernels", total=len(work), note="")
        for name, setting in work:
            shown.update(task, advance=1, note=name)
            if (name, setting) in earlier:
                yield earlier[name, setting]
                continue
            with at_settings(model, {name: setting}, recipe) as kernel:
                found = judged()
            yield Trial(
                kernel=name,
                setting=setting,
                bytes=size(kernel[name]),
                loss=found[0] - loss,
                score=found[1] - score,
            )


@contextmanager
def at_settings(
    model: keras.Model, chosen: Mapping[str, Setting], recipe: Recipe
) -> Iterator[dict[str, np.ndarray]]:
    """Give kernels these settings until the context ends.

    Args:
        model: Quantization-aware model, in which these kernels have stored scales.
        chosen: Layer -> setting of its kernel.
        recipe: Everything else about the stages.

    Yields:
        Layer -> its kernel as int8, of which the first axis are the output channels.
    """
    integers, before = {}, []
    for name, setting in chosen.items():
        layer = model.get_layer(name)
        kernel, quantizer = layer.weight.numpy(), layer.weight_quantizer
        unit, limit = (value.numpy() for value in quantizer.in_range(layer.weight))
        whole = _compressed(unit, kernel.shape, setting, recipe)
        largest = largest_integer(setting.bits)
        layer.weight.assign((whole / largest * limit).reshape(kernel.shape))
        quantizer.limit.assign(limit * 127 / largest)
        integers[name] = np.moveaxis(whole, -1, 0).astype(np.int8)
        before += [(layer.weight, kernel), (quantizer.limit, limit)]
    try:
        yield integers
    finally:
        for variable, value in before:
            variable.assign(value)


def changed(model: keras.Model, recipe: Recipe) -> dict[str, tf.Variable]:
    """Return the kernels that the stages of a recipe change: layer name -> variable."""
    own = {PRUNE: recipe.prune, CLUSTER: recipe.cluster, INT4: recipe.int4}
    found: dict[str, tf.Variable] = {}
    for stage in recipe.stages:
        found |= kernels(model, own[stage]) if stage in own else {}
    return found


def settings(recipe: Recipe) -> Iterator[Setting]:
    """Yield the settings that a kernel can be given, the plain one first."""
    for sparsity in _SPARSITY if PRUNE in recipe.stages else _SPARSITY[:1]:
        for values in _VALUES if CLUSTER in recipe.stages else _VALUES[:1]:
            for bits in _BITS if INT4 in recipe.stages else _BITS[:1]:
                yield Setting(values=values, sparsity=sparsity, bits=bits)


def _compressed(
    unit: np.ndarray, shape: tuple[int, ...], setting: Setting, recipe: Recipe
) -> np.ndarray:
    """Return the integers of a kernel at a setting.

    Args:
        unit: The kernel in shares of its range, output channels last.
        shape: What is pruned has this shape.
        setting: The setting.
        recipe: Everything else about the stages.
    """
    if setting.sparsity:
        unit = pruning_of(recipe.prune)(unit.reshape(shape), setting.sparsity).reshape(unit.shape)
    if setting.values:
        own, zeros = recipe.cluster, setting.sparsity > 0
        unit = cluster(
            unit, setting.values, own.start, per_channel=own.per_channel, keep_zeros=zeros
        ).kernel
    largest = largest_integer(setting.bits)
    return np.clip(np.rint(largest * unit), -largest, largest)


def choose(trials: Sequence[Trial], most: int) -> Mapping[str, Setting]:
    """Return the setting of each kernel with which all of them take at most so many bytes.

    The sum of the losses is what is kept small: of the steps to a smaller setting of a kernel,
    those come first that lose least per byte, along the lower convex hull of each kernel's trials.

    Raises:
        UserError: They take more at their smallest settings.
    """
    steps, chosen, total = [], {}, 0
    for name in dict.fromkeys(trial.kernel for trial in trials):
        hull = _hull([trial for trial in trials if trial.kernel == name])
        chosen[name], total = hull[0].setting, total + hull[0].bytes
        for left, right in pairwise(hull):
            saved = left.bytes - right.bytes
            steps.append(((_lost(right) - _lost(left)) / saved, saved, right))
    # Along a hull the loss per byte rises, so that each kernel's steps stay in their order.
    for _, saved, trial in sorted(steps, key=lambda step: step[0]):
        if total <= most:
            break
        chosen[trial.kernel], total = trial.setting, total - saved
    if total > most:
        raise UserError(
            f"max_flash leaves {max(most, 0):,} bytes for kernels, which take {total:,} bytes at "
            "their smallest settings; it must be larger, or the network smaller."
        )
    return chosen


def _lost(trial: Trial) -> float:
    """Return what a trial lost; gains are chance and count as 0."""
    return max(trial.loss, 0.0)


def _hull(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials of a kernel that lose least for their bytes, the largest first."""
    plain = max(trials, key=lambda trial: trial.bytes)
    hull = [plain]
    while True:
        smaller = [trial for trial in trials if trial.bytes < hull[-1].bytes]
        if not smaller:
            return hull
        last = hull[-1]
        hull.append(
            min(
                smaller,
                key=lambda one: ((_lost(one) - _lost(last)) / (last.bytes - one.bytes), one.bytes),
            )
        )
