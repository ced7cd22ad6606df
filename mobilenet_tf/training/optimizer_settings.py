"""Settings of the optimizer and of the decay of the learning rate."""

from dataclasses import dataclass

from mobilenet_tf.core.settings import Checked, choice, number


@dataclass(frozen=True)
class Optimizer(Checked):
    """Optimizer.

    Attributes:
        name: `adamw`, `rmsprop` or `sgd`.
        momentum: Momentum of rmsprop and sgd. AdamW uses the customary 0.9 and 0.999.
        rho: Decay per step of rmsprop's average of squared gradients.
        epsilon: Constant in the denominator next to the average of squared gradients. With
            rmsprop it is under the root as in TensorFlow 1, for which the papers' 1.0 and 0.001
            were chosen.
    """

    name: str = choice("adamw", "rmsprop", "sgd")
    momentum: float = number(0.9, least=0, below=1)
    rho: float = number(0.9, least=0, below=1)
    epsilon: float = number(1e-7, above=0)


@dataclass(frozen=True)
class Decay(Checked):
    """Decay of the learning rate after the warm-up.

    Attributes:
        kind: `cosine` falls to 0 at the last step; `exponential` multiplies by `rate` per period,
            a little with each step; `step` multiplies by `rate` at once after each period, as in
            the papers' code.
        rate: Factor per period of `exponential` and `step`.
        epochs: Number of epochs per period, counted from the first step.
    """

    kind: str = choice("cosine", "exponential", "step")
    rate: float = number(0.94, above=0, most=1)
    epochs: float = number(2.5, above=0)
