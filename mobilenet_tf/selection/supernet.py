"""All networks of a space in one network with shared weights.

A candidate uses the first channels of every kernel, the centre of every depthwise kernel, and the
first blocks of every stage (Yu and Huang 2019, US-Nets; Cai et al. 2020, OFA). It is chosen by a
tensor, its plan, so that one traced graph computes them all, each at its own cost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.networks.graph import BN_EPSILON
from mobilenet_tf.networks.rows import squeeze_width
from mobilenet_tf.selection.architecture_space import ArchitectureSpace, Stage, Values, expanded

# Columns of a plan: one row for the stem, for each block of the largest network, and the features.
_ACTIVE, _KERNEL, _EXPANSION, _WIDTH, _SE, _SQUEEZE, _ACTIVATION, _SHORTCUT = range(8)
_SAMPLED = 2  # random candidates per step, as in US-Nets
_DRAWN = 4096  # candidates, made in advance, from which these are drawn

_ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "hard_swish": lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6),
}


@dataclass(frozen=True)
class _Block:
    """A block of the largest network.

    Attributes:
        name: Prefix of its weights, such as `stage_2/0`.
        stage: Its stage.
        copy: Its number in the stage; 0 has the stride.
        row: Its row in a plan.
        before: Most channels of its input.
    """

    name: str
    stage: Stage
    copy: int
    row: int
    before: int

    @property
    def inside(self) -> int:
        """Most channels inside the block."""
        return expanded(self.before, max(self.stage.expansion))


def _blocks(space: ArchitectureSpace) -> list[_Block]:
    found: list[_Block] = []
    before = max(space.stem.width)
    for index, stage in enumerate(space.stage, start=1):
        for copy in range(max(stage.repeats)):
            found.append(_Block(f"stage_{index}/{copy}", stage, copy, len(found) + 1, before))
            before = max(stage.width)
    return found


class SharedNetwork(keras.__internal__.layers.BaseRandomLayer):
    """Images (N, height, width, channels), normalised -> logits (N, classes).

    In inference, it is the largest network. In training, the largest network learns the labels;
    the smallest and some random ones learn its probabilities, by losses that are added (the
    sandwich rule and in-place distillation of US-Nets).

    Args:
        space: All networks.
        classes: Number of classes.
        momentum: Decay per step of the largest network's running statistics.
        seed: Seed of the random candidates.
    """

    def __init__(self, space: ArchitectureSpace, classes: int, momentum: float, seed: int):
        super().__init__(rng_type="stateful", name="shared")
        self.space, self.classes, self.momentum = space, classes, momentum
        self.blocks = _blocks(space)
        self._held: dict[str, Any] = {}
        self._least, self._most = (self.plan(space.extreme(pick)) for pick in (min, max))
        random = np.random.default_rng(seed)
        self._candidates = np.stack([self.plan(space.drawn(random)) for _ in range(_DRAWN)])
        # Traced once for all candidates: tracing takes longer than many steps.
        self.observed = tf.function(self.logits, reduce_retracing=True)

    def plan(self, values: Values) -> np.ndarray:
        """Return the plan of a choice: int32 (blocks + 2, 8)."""
        chosen = {path: only[0] for path, only in self.space.choices.items()} | dict(values)
        plan = np.zeros((len(self.blocks) + 2, 8), np.int32)
        for row, part in ((0, "stem"), (-1, "features")):
            plan[row, _WIDTH] = chosen[f"{part}.width"]
            plan[row, _ACTIVATION] = self._activation(part, chosen)
        before = chosen["stem.width"]
        for block in self.blocks:
            part = block.name.split("/")[0]
            own = {name: chosen[f"{part}.{name}"] for name in block.stage.choices}
            inside = expanded(before, own["expansion"])
            plan[block.row] = (
                *(block.copy < own["repeats"], own["kernel"], inside, own["width"], own["se"]),
                *(squeeze_width(inside), self._activation(part, chosen), own["skip"]),
            )
            before = own["width"]
        return plan

    def _activation(self, part: str, chosen: Mapping[str, Any]) -> int:
        path = f"{part}.activation"
        return self.space.choices[path].index(chosen[path])

    def build(self, input_shape: Any) -> None:
        """Make the weights of the largest network."""
        super().build(input_shape)
        stem, features = max(self.space.stem.width), max(self.space.features.width)
        self._convolution("stem", (3, 3, input_shape[-1], stem))
        for block in self.blocks:
            side, inside = max(block.stage.kernel), block.inside
            if max(block.stage.expansion) > 1:
                self._convolution(f"{block.name}/expand", (1, 1, block.before, inside))
            self._convolution(f"{block.name}/depthwise", (side, side, inside, 1))
            if any(block.stage.se):
                width = squeeze_width(inside)
                self._dense(f"{block.name}/se/reduce", inside, width)
                self._dense(f"{block.name}/se/expand", width, inside)
            self._convolution(f"{block.name}/project", (1, 1, inside, max(block.stage.width)))
        self._convolution("features", (1, 1, max(self.space.stage[-1].width), features))
        self._dense("classifier", features, self.classes)

    def _convolution(self, name: str, shape: tuple[int, int, int, int]) -> None:
        """Add a kernel and its normalization."""
        channels = (shape[2] if shape[3] == 1 else shape[3],)
        self._add(f"{name}/kernel", shape, "glorot_uniform")
        self._add(f"{name}/gamma", channels, "ones")
        self._add(f"{name}/beta", channels, "zeros")
        self._add(f"{name}/mean", channels, "zeros", trainable=False)
        self._add(f"{name}/variance", channels, "ones", trainable=False)

    def _dense(self, name: str, before: int, out: int) -> None:
        self._add(f"{name}/kernel", (before, out), "glorot_uniform")
        self._add(f"{name}/bias", (out,), "zeros")

    def _add(self, name: str, shape: tuple, initializer: str, **options: Any) -> None:
        self._held[name] = self.add_weight(name, shape, initializer=initializer, **options)

    def call(self, images: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Return the logits of the largest network; see the class for what training adds."""
        if training is not True:
            return self.logits(images, tf.constant(self._most))
        logits = self.observed(images, tf.constant(self._most), tf.constant(self.momentum))
        taught = tf.stop_gradient(tf.nn.softmax(logits))
        generator = self._random_generator._generator
        places = generator.uniform((_SAMPLED,), 0, _DRAWN, tf.int32)
        drawn = tf.gather(self._candidates, places)
        for plan in (tf.constant(self._least), *tf.unstack(drawn)):
            # A decay of 1 keeps the running statistics, which are the largest network's.
            found = self.observed(images, plan, tf.constant(1.0))
            losses = tf.nn.softmax_cross_entropy_with_logits(taught, found)
            self.add_loss(tf.reduce_mean(losses))
        return logits

    def logits(
        self, images: tf.Tensor, plan: tf.Tensor, momentum: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Return the logits of a candidate, float32 (N, classes).

        Args:
            images: (N, height, width, channels), normalised.
            plan: See `plan`.
            momentum: Decay of the running statistics, which are updated by those of this batch.
                Then it is training: the batch's are used, and dropout applies. None uses the
                running ones.
        """
        stem, features = self.space.stem, self.space.features
        x = self._convolved(images, "stem", plan[0, _WIDTH], 2)
        x = _activated(self._normalised(x, "stem", momentum), stem.activation, plan[0])
        for block in self.blocks:
            x = self._block(x, block, plan[block.row], momentum)
        x = self._convolved(x, "features", plan[-1, _WIDTH])
        x = _activated(self._normalised(x, "features", momentum), features.activation, plan[-1])
        x = tf.reduce_mean(x, (1, 2))
        if momentum is not None and self.space.dropout:
            x = self._random_generator.dropout(x, self.space.dropout)
        return self._multiplied(x, "classifier", self.classes)

    def _block(
        self, x: tf.Tensor, block: _Block, plan: tf.Tensor, momentum: tf.Tensor | None
    ) -> tf.Tensor:
        """Append a block; one that the candidate does not have returns its input."""
        stage = block.stage

        def computed() -> tf.Tensor:
            y = x
            if max(stage.expansion) > 1:
                expands = plan[_EXPANSION] != tf.shape(x)[-1]
                y = _either(min(stage.expansion) > 1 or expands, lambda: expand(), x)
            y = self._depthwise(y, f"{block.name}/depthwise", plan[_KERNEL], block)
            y = activated(self._normalised(y, f"{block.name}/depthwise", momentum))
            if any(stage.se):
                known = y
                excited = all(stage.se) or plan[_SE] > 0
                y = _either(excited, lambda: self._excited(known, block, plan), known)
            y = self._convolved(y, f"{block.name}/project", plan[_WIDTH])
            y = self._normalised(y, f"{block.name}/project", momentum)
            if block.copy and any(stage.skip):
                y += tf.cast(plan[_SHORTCUT], y.dtype) * x
            return y

        def expand() -> tf.Tensor:
            y = self._convolved(x, f"{block.name}/expand", plan[_EXPANSION])
            return activated(self._normalised(y, f"{block.name}/expand", momentum))

        def activated(y: tf.Tensor) -> tf.Tensor:
            return _activated(y, stage.activation, plan)

        return _either(block.copy < min(stage.repeats) or plan[_ACTIVE] > 0, computed, x)

    def _convolved(self, x: tf.Tensor, name: str, width: tf.Tensor, stride: int = 1) -> tf.Tensor:
        kernel = self._held[f"{name}/kernel"][:, :, : tf.shape(x)[-1], :width]
        return tf.nn.conv2d(x, kernel, stride, "SAME")

    def _depthwise(self, x: tf.Tensor, name: str, side: tf.Tensor, block: _Block) -> tf.Tensor:
        start = (max(block.stage.kernel) - side) // 2
        kernel = self._held[f"{name}/kernel"]
        kernel = kernel[start : start + side, start : start + side, : tf.shape(x)[-1]]
        stride = 1 if block.copy else block.stage.stride
        return tf.raw_ops.DepthwiseConv2dNative(
            input=x, filter=kernel, strides=(1, stride, stride, 1), padding="SAME"
        )

    def _excited(self, x: tf.Tensor, block: _Block, plan: tf.Tensor) -> tf.Tensor:
        """Squeeze and excite (V3, 5.3)."""
        gate = tf.reduce_mean(x, (1, 2))
        gate = tf.nn.relu(self._multiplied(gate, f"{block.name}/se/reduce", plan[_SQUEEZE]))
        gate = self._multiplied(gate, f"{block.name}/se/expand", plan[_EXPANSION])
        return x * (tf.nn.relu6(gate + 3.0) * (1 / 6))[:, None, None]

    def _multiplied(self, x: tf.Tensor, name: str, width: tf.Tensor | int) -> tf.Tensor:
        kernel = self._held[f"{name}/kernel"][: tf.shape(x)[-1], :width]
        return x @ kernel + self._held[f"{name}/bias"][:width]

    def _normalised(self, x: tf.Tensor, name: str, momentum: tf.Tensor | None) -> tf.Tensor:
        count = tf.shape(x)[-1]
        gamma, beta, mean, variance = (
            self._held[f"{name}/{part}"][:count] for part in ("gamma", "beta", "mean", "variance")
        )
        if momentum is None:
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, BN_EPSILON)
        y, *found = tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=BN_EPSILON)
        for part, known, new in zip(("mean", "variance"), (mean, variance), found, strict=True):
            running = self._held[f"{name}/{part}"]
            running[:count].assign(momentum * known + (1 - momentum) * new)
        return y


def _either(
    condition: tf.Tensor | bool, computed: Callable[[], tf.Tensor], x: tf.Tensor
) -> tf.Tensor:
    """Return `computed()` if a condition holds, else x. One that is True adds no operation."""
    if condition is True:
        return computed()
    return tf.cond(condition, computed, lambda: tf.identity(x))


def _activated(x: tf.Tensor, options: tuple[str, ...], plan: tf.Tensor) -> tf.Tensor:
    if len(options) == 1:
        return _ACTIVATIONS[options[0]](x)
    branches = [lambda name=name: _ACTIVATIONS[name](x) for name in options]
    return tf.switch_case(plan[_ACTIVATION], branches)
