"""Probabilities of pictures from networks that were not trained on them, in k folds."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import tf_keras as keras

from mobilenet_tf.core.progress import overall, picture_progress
from mobilenet_tf.core.terminal import announce
from mobilenet_tf.datasets.batch_plan import check_batch_fits
from mobilenet_tf.datasets.dataset import Split
from mobilenet_tf.datasets.set_aside import set_aside
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.published.weights import load_weights
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.training.fit import Session
from mobilenet_tf.training.float_training import train_float
from mobilenet_tf.training.recipe import Recipe
from mobilenet_tf.training.strategy import training_scope

_BATCH = 64
_ASIDE = 0.1  # of the other folds' pictures, which choose the epoch
_ITERATIONS = 1000  # of the logistic regression at most
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)  # C of scikit-learn: the smaller, the stronger regularized


@dataclass(frozen=True, kw_only=True)
class Folds:
    """Pictures in folds that have about the same share of each class.

    Those of a group stay in one fold, with `StratifiedGroupKFold`.

    Attributes:
        pictures: The pictures at the size of the network's input, labelled with classes.
        together: Group of each picture (N,).
        count: Number of folds, at most the number of groups with pictures of any one class.
        seed: Decides which picture is in which fold.
    """

    pictures: Split
    together: np.ndarray
    count: int
    seed: int

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the indices of the pictures outside and in each fold."""
        from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

        labels = self.pictures.labels
        alone = len(np.unique(self.together)) == len(labels)
        # Where each picture stands alone, the folds have exactly the same share of each class.
        kind = StratifiedKFold if alone else StratifiedGroupKFold
        splitter = kind(self.count, shuffle=True, random_state=self.seed)
        return iter(splitter.split(labels, labels, None if alone else self.together))


def by_features(folds: Folds, network: Network, weights: str) -> np.ndarray:
    """Classify the features of a backbone by logistic regression, trained without each fold.

    The other folds choose the strength of regularization too, by log loss on their halves: with
    little of it, wrong labels of the other folds are learned by heart.

    Args:
        folds: The pictures.
        network: The network.
        weights: Weights of a backbone that was never trained on the pictures, as for
            `load_weights`.

    Returns:
        float (N, classes).

    Raises:
        UserError: See `load_weights`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = build_network(network, include_top=False, pooling="avg")
    load_weights(model, weights, network)
    features = _outputs(model, folds.pictures.images, network)
    classifier = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=_ITERATIONS)),
        {"logisticregression__C": _STRENGTHS},
        scoring="neg_log_loss",
        cv=2,
    )
    found: np.ndarray = cross_val_predict(
        classifier, features, folds.pictures.labels, cv=list(folds), method="predict_proba"
    )
    return found


def by_training(folds: Folds, recipe: Recipe, session: Session) -> np.ndarray:
    """Train the network from random weights, once without each fold.

    A tenth of the other folds' pictures chooses the epoch. What has been trained already, by the
    checkpoints, is not trained again.

    Args:
        folds: The pictures.
        recipe: Settings of the trainings.
        session: Task, network, batch size and seed; its folders get one for each fold, and its
            dataset gives the classes.

    Returns:
        float (N, classes).

    Raises:
        UserError: As `fit`; or there are too few pictures for a batch.
    """
    pictures, network, data = folds.pictures, session.network, session.dataset
    found = np.zeros((len(pictures), len(data.classes)))
    started = time.monotonic()
    for done, (learned, held) in enumerate(folds):
        seconds = (time.monotonic() - started) / max(done, 1) if done else 0.0
        announce(overall(done, folds.count, seconds, f"fold {done + 1}"))
        rest, aside = set_aside(pictures.subset(learned), _ASIDE, session.seed, network.input)
        check_batch_fits(session.batch, len(rest), network.input)
        keras.backend.clear_session()
        with training_scope("none", session.seed, recipe.deterministic):
            model = build_network(network, dropout=recipe.dropout)
            place = f"fold_{done + 1}"
            train_float(
                model,
                recipe,
                replace(
                    session,
                    dataset=replace(data, train=rest, validation=aside, test=aside, fingerprint=""),
                    checkpoints=session.checkpoints / place,
                    logs=session.logs / place,
                ),
            )
        found[held] = _outputs(model, pictures.images[held], network)
    return found


def _outputs(model: keras.Model, images: np.ndarray, network: Network) -> np.ndarray:
    """Return the outputs of a model for uint8 pictures (N, height, width, channels)."""
    found = []
    with picture_progress("Predicting") as progress:
        for start in range(0, len(images), _BATCH):
            batch = network.input.normalise(images[start : start + _BATCH])
            found.append(model.predict_on_batch(batch))
            progress(min(start + _BATCH, len(images)), len(images))
    return np.concatenate(found)
