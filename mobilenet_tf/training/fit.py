"""The training loop that float and quantization-aware training share."""

from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
import tf_keras as keras

from mobilenet_tf.datasets.batch_plan import BatchPlan, Replicas
from mobilenet_tf.datasets.dataset import Dataset
from mobilenet_tf.datasets.pipeline import evaluation_batches, steps_per_epoch, training_batches
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.tasks.objective import Objective
from mobilenet_tf.tasks.task import Task
from mobilenet_tf.training.callbacks import EpochProgress, SaveState
from mobilenet_tf.training.checkpoint import History, State, restore
from mobilenet_tf.training.determinism import SeedEpochs
from mobilenet_tf.training.distillation import Teacher
from mobilenet_tf.training.learner import Learner, make_learner
from mobilenet_tf.training.logs import Logs
from mobilenet_tf.training.rehearsal import Rehearsal
from mobilenet_tf.training.strategy import distribute, share_checkpoint
from mobilenet_tf.training.transfer import Phase

_EVALUATION_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Session:
    """What all phases of a training have in common.

    Attributes:
        dataset: Images for training and validation.
        task: What the network is for.
        network: Description of the network.
        batch: Images per step, over all replicas.
        seed: Seed of the images' order, of augmentation and of dropout; at least 0.
        checkpoints: Folder of the checkpoints, one file `NAME.npz` per phase.
        logs: Folder of the training curves, see `Logs`.
        rehearsal: Limits and times phases; None trains them whole.
    """

    dataset: Dataset
    task: Task
    network: Network
    batch: int
    seed: int
    checkpoints: Path
    logs: Path
    rehearsal: Rehearsal | None = None

    def checkpoint(self, phase: Phase) -> Path:
        """Return the path of a phase's checkpoint."""
        return self.checkpoints / f"{phase.name}.npz"

    def fingerprint(self, phase: Phase) -> str:
        """Return a text that changes with anything that the phase's result depends on."""
        return f"{self.dataset.fingerprint}-{self.batch}-{self.seed}-{phase.stage}{phase.origin}"


def fit(
    model: keras.Model,
    phase: Phase,
    session: Session,
    *,
    teacher: Teacher | None = None,
    until: int | None = None,
    keep_initial: bool = False,
) -> tuple[History, float]:
    """Train a network and leave it with the weights that had the lowest validation loss.

    Training continues from the phase's checkpoint if there is one. The checkpoint is written
    after each epoch.

    Args:
        model: Network of `session.task`, with the `trainable` flags already set.
        phase: Name, title and settings of this part of training.
        session: Dataset, batch size, seed and folders.
        teacher: Network whose outputs are learned in addition to the labels.
        until: Epoch after which to pause; the learning rate still follows the whole phase.
        keep_initial: Whether the initial weights are kept if no epoch improves on them.

    Returns:
        The history, and the seconds spent on epochs before this call.

    Raises:
        UserError: The loss is not finite, or the checkpoint belongs to other data or settings.
    """
    stage, train = phase.stage, session.dataset.train
    objective = session.task.objective(session.network)
    per_epoch = steps_per_epoch(train, session.batch)
    learner = make_learner(model, objective, stage, stage.epochs * per_epoch, teacher)
    if phase.constraint:
        learner.enforcer = phase.constraint.enforcer(learner, stage.epochs, per_epoch)
    if stage.class_weights:
        learner.class_weights = objective.class_weights(train.labels)
    if objective.samples:
        spec = session.network.input
        few = train.sample(objective.samples, session.seed, spec)
        objective.prepare(learner, spec.normalise(few.images), few.labels)
    checkpoint, fingerprint = session.checkpoint(phase), session.fingerprint(phase)
    share_checkpoint(checkpoint, fingerprint, tf.distribute.get_strategy())
    state = restore(checkpoint, learner, fingerprint)
    if learner.enforcer:
        state.rising = learner.enforcer.rising
    earlier = sum(state.history.get("seconds", []))
    validation = evaluation_batches(
        session.dataset.validation, session.network.input, objective, _EVALUATION_BATCH
    )
    if keep_initial and state.best is None:
        state.best_loss = learner.evaluate(validation, return_dict=True, verbose=0)["loss"]
        state.best = learner.get_weights()
    epochs, steps = stage.epochs if until is None else min(until, stage.epochs), per_epoch
    if session.rehearsal:
        epochs, steps = session.rehearsal.limits(epochs, steps)
    callbacks = _callbacks(learner, phase, session, state, epochs)
    if not state.ended(epochs, stage.patience):
        learner.fit(
            _batches(phase, session, objective, start_step=state.epoch * per_epoch),
            initial_epoch=state.epoch,
            epochs=epochs,
            steps_per_epoch=steps,
            validation_data=validation,
            callbacks=callbacks,
            verbose=0,
        )
    objective.trained(model).set_weights(state.best)
    return state.history, earlier


def _batches(
    phase: Phase, session: Session, objective: Objective, start_step: int
) -> tf.data.Dataset:
    """Return the batches of a phase from `start_step` on, distributed over the replicas."""
    train = session.dataset.train
    steps = phase.stage.epochs * steps_per_epoch(train, session.batch)
    plan = BatchPlan(batch=session.batch, seed=session.seed, steps=steps, start_step=start_step)

    def batches(count: int, mine: range) -> tf.data.Dataset:
        return training_batches(
            train,
            session.network.input,
            objective,
            plan,
            augmentation=phase.stage.augmentation,
            replicas=Replicas(count=count, mine=mine),
        )

    return distribute(batches, tf.distribute.get_strategy())


def _callbacks(
    learner: Learner, phase: Phase, session: Session, state: State, epochs: int
) -> list[keras.callbacks.Callback]:
    """Return the callbacks in the order in which they must run."""
    callbacks = [
        learner.average,  # first: it puts the trained weights back after validation
        learner.enforcer,
        SeedEpochs(session.seed),
        SaveState(
            state,
            session.checkpoint(phase),
            session.fingerprint(phase),
            phase.stage.patience,
            learner.average or learner,
        ),
        Logs(state, session.logs / phase.name),
        EpochProgress(phase.title, epochs, session.batch, session.task.curve),
        session.rehearsal,  # last: its clock includes what the others do after an epoch
    ]
    return [callback for callback in callbacks if callback]
