"""The stages from a float network to the int8 one: pruning, weight sharing, rounding."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.pruning import prune, prune_n_of_m
from mobilenet_tf.compression.qat import settled, with_bits
from mobilenet_tf.compression.quantized_layer import QuantizedLayer
from mobilenet_tf.compression.scheme import kernel_name
from mobilenet_tf.compression.sharing import share_by_hash, share_vectors, share_weights
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.training.checkpoint import History
from mobilenet_tf.training.compression_settings import (
    CLUSTER,
    EVERY,
    HASH,
    INT4,
    PQ,
    PRUNE,
    QAT,
    Prune,
    Setting,
    Weights,
)
from mobilenet_tf.training.constraint import Constraint
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.fit import Session, fit
from mobilenet_tf.training.float_training import prepare_norms
from mobilenet_tf.training.hashing import Hashing, make_scales_positive
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.sparsity import Pruning, Sparsity
from mobilenet_tf.training.transfer import Phase, freeze, unfreeze

# A deploy form -> its quantization-aware model.
ToInt8 = Callable[[keras.Model], keras.Model]


@dataclass(frozen=True)
class Compressed:
    """What `compress` returns.

    Attributes:
        model: The quantization-aware network.
        history: Stage -> its curves; that of `qat` is always there.
        earlier: Seconds spent on epochs before this call.
    """

    model: keras.Model
    history: Mapping[str, History]
    earlier: float


def compress(
    model: keras.Model,
    recipe: Recipe,
    session: Session,
    to_int8: ToInt8,
    *,
    teacher: Teacher | None = None,
    choice: Mapping[str, Setting] | None = None,
) -> Compressed:
    """Take a float network through the stages of a recipe.

    Every stage continues after its last finished epoch if it has a checkpoint. What an earlier
    stage made zero stays zero, and shared weights stay shared. Call it inside `training_scope`,
    where the network was built.

    Args:
        model: Float network in canonical form. It is not changed.
        recipe: Settings; `Recipe.compress` is the order of the stages.
        session: Dataset, batch size, seed and folders.
        to_int8: Makes the quantization-aware model of a deploy form.
        teacher: Network whose outputs are learned in addition to the labels.
        choice: Layer -> what is done to its kernel; by default the recipe says it for all.

    Raises:
        UserError: As `fit`.
    """
    history: dict[str, History] = {QAT: {}}
    earlier, work = 0.0, _Work(model, recipe, session, to_int8, choice)
    for name in recipe.stages:
        stage = _STAGES[name]
        constraint = stage.begin(work)
        settings = recipe.stage(name)
        if settings.epochs:
            origin = recipe.made_by(name) + (str(choice) if choice else "")
            phase = Phase(name, stage.title, settings, origin=origin, constraint=constraint)
            curves, seconds = fit(
                work.model, phase, session, teacher=teacher, keep_initial=stage.keep_initial
            )
            history[name] = curves
            earlier += seconds
    work.round()
    return Compressed(settled(work.model), history, earlier)


@dataclass
class _Work:
    """The network between two stages, first in canonical form, then quantization-aware."""

    model: keras.Model
    recipe: Recipe
    session: Session
    to_int8: ToInt8
    choice: Mapping[str, Setting] | None = None

    def round(self) -> None:
        """Make the quantization-aware model, if that was not done."""
        if not isinstance(self.model.layers[-1], QuantizedLayer):
            unfreeze(self.model)
            self.model = self.to_int8(deploy_form(self.model))
            if HASH in self.recipe.stages:
                names, ratio = kernels(self.model, self.recipe.hash), self.recipe.hash.ratio
                self.model = share_by_hash(self.model, names, ratio)

    def shares(self) -> dict[str, float]:
        """Return layer -> share of zeros of the kernels that are pruned."""
        if PRUNE not in self.recipe.stages:
            return {}
        settings = self.recipe.prune
        if self.choice is None:
            return dict.fromkeys(kernels(self.model, settings), settings.sparsity)
        return {name: one.sparsity for name, one in self.choice.items() if one.sparsity}

    def counts(self) -> dict[str, int]:
        """Return layer -> number of values of the kernels that share their weights."""
        settings = self.recipe.cluster
        if self.choice is None:
            return dict.fromkeys(kernels(self.model, settings), settings.values)
        return {name: one.values for name, one in self.choice.items() if one.values}

    def bits(self) -> dict[str, int]:
        """Return layer -> bits of the kernels that have fewer than 8."""
        if self.choice is None:
            return dict.fromkeys(kernels(self.model, self.recipe.int4), 4)
        return {name: one.bits for name, one in self.choice.items() if one.bits < 8}


def _trainable_copy(work: _Work) -> None:
    """Replace the float network, which may be the teacher of its own changes, by a copy."""
    copy = keras.models.clone_model(work.model)
    copy.set_weights(work.model.get_weights())
    work.model = copy
    prepare_norms(copy, work.recipe)
    freeze(copy, work.session.network, 1.0, work.recipe.transfer)


def _prune(work: _Work) -> Sparsity:
    _trainable_copy(work)
    settings, found, shares = work.recipe.prune, kernels(work.model), work.shares()
    return Sparsity(
        [found[name] for name in shares],
        pruning_of(settings),
        tuple(shares.values()),
        settings.end,
        settings.every,
    )


def _hash(work: _Work) -> Hashing:
    _trainable_copy(work)
    found = kernels(work.model, work.recipe.hash)
    make_scales_positive(work.model, found)
    hashing = Hashing(tuple(found.values()), work.recipe.hash.ratio)
    for weight in hashing.weights:
        weight.assign(hashing.hashed(weight))
    return hashing


def _cluster(work: _Work) -> Sparsity | None:
    work.round()
    settings = work.recipe.cluster
    work.model = share_weights(
        work.model,
        work.counts(),
        settings.start,
        per_channel=settings.per_channel,
        sparse=work.shares().keys(),
        seed=work.session.seed,
    )
    return _same_zeros(work)


def _narrow(work: _Work) -> Sparsity | None:
    work.round()
    work.model = with_bits(work.model, work.bits())
    return _same_zeros(work)


def _vectors(work: _Work) -> None:
    work.round()
    settings, session = work.recipe.pq, work.session
    found = kernels(work.model, settings)
    images = calibration_images(
        session.dataset.train, session.network, work.recipe.calibration, session.seed
    )
    work.model = share_vectors(
        work.model,
        [name for name, one in found.items() if one.shape[-2] % settings.length == 0],
        settings.vectors,
        settings.length,
        images,
        seed=session.seed,
    )


def _quantize(work: _Work) -> Sparsity | None:
    work.round()
    return _same_zeros(work)


def _same_zeros(work: _Work) -> Sparsity | None:
    """Return the zeros of a pruned network, with those in the tables of its kernels."""
    shares, found = work.shares(), kernels(work.model)
    if not shares:
        return None
    tables = [
        one.weight_quantizer.table
        for one in work.model.layers[1:]
        if one.quantize_config.sharing.values
    ]
    return Sparsity([*(found[name] for name in shares), *tables])


@dataclass(frozen=True)
class _Stage:
    """A stage of compression.

    Attributes:
        title: Text in front of the progress bar.
        begin: Prepares the network; returns what weights have to be.
        keep_initial: Whether the weights after `begin` may turn out to be the best.
    """

    title: str
    begin: Callable[[_Work], Constraint | None]
    keep_initial: bool = True


_STAGES = {
    PRUNE: _Stage("Pruning", _prune, keep_initial=False),
    CLUSTER: _Stage("Clustering", _cluster),
    INT4: _Stage("Quantizing to 4 bits", _narrow),
    PQ: _Stage("Quantizing vectors", _vectors),
    HASH: _Stage("Hashing", _hash, keep_initial=False),
    QAT: _Stage("Quantizing", _quantize),
}


def kernels(model: keras.Model, settings: Weights = EVERY) -> dict[str, tf.Variable]:
    """Return the kernels that a stage changes: layer name -> variable.

    Args:
        model: Canonical or quantization-aware network.
        settings: Says which kernels are left out; none by default.
    """
    found = {}
    for outer in model.layers:
        layer = getattr(outer, "layer", outer)
        name = kernel_name(layer)
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        if name is None or (depthwise and not settings.depthwise):
            continue
        if settings.pointwise and getattr(layer, "kernel_size", (1, 1)) != (1, 1):
            continue
        # A wrapper puts the rounded kernel in the kernel's place.
        weight = outer.weight if isinstance(outer, QuantizedLayer) else getattr(layer, name)
        assert weight is not None  # a layer with a kernel
        if int(np.prod(weight.shape)) >= settings.smallest:
            found[outer.name] = weight
    return found


def pruning_of(settings: Prune) -> Pruning:
    """Return the function that sets a share of a kernel's weights to zero."""
    if settings.group:
        return partial(_prune_groups, group=settings.group)
    return partial(prune, block=(settings.block_rows, settings.block_columns))


def _prune_groups(kernel: np.ndarray, share: float, group: int) -> np.ndarray:
    return prune_n_of_m(kernel, round(share * group), group, axis=-2)
