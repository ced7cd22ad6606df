"""The setting of each kernel by its sensitivity, kept beside the checkpoints of a run."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.qat import with_stored_scales
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.files import read_json, write_json
from mobilenet_tf.core.records import from_plain
from mobilenet_tf.runs.own_files import TRIALS
from mobilenet_tf.runs.run import Run
from mobilenet_tf.training.compression_settings import Setting, Trial
from mobilenet_tf.training.sensitivity import at_settings, changed, choose, measure
from mobilenet_tf.training.transfer import Phase

# By what share of their bytes kernels are made smaller at least after a file that is too large, so
# that few are built.
_LEAST_STEP = 0.02


@dataclass(frozen=True)
class Storage:
    """How large a device stores a network.

    Attributes:
        file: Returns the bytes of the file of a quantization-aware model, with plain kernels.
        encoded_file: Returns the bytes with kernels encoded where that helps, or as many as a
            limit in bytes needs.
        kernel: Returns the bytes of an int8 kernel, whose first axis are the output channels,
            encoded if that is smaller.
    """

    file: Callable[[keras.Model], int]
    encoded_file: Callable[[keras.Model, float], int]
    kernel: Callable[[np.ndarray], int]


@dataclass(frozen=True)
class Choice:
    """What was chosen for each kernel, and by what.

    Attributes:
        trials: Every kernel alone at every setting.
        settings: Layer -> setting of its kernel.
        bytes: Bytes that the file has with them before training.
    """

    trials: tuple[Trial, ...]
    settings: Mapping[str, Setting]
    bytes: int


@dataclass(frozen=True, kw_only=True)
class _Kept:
    fingerprint: str
    trials: tuple[Trial, ...]


def chosen_settings(run: Run, model: keras.Model, storage: Storage) -> Choice:
    """Choose the setting of each kernel within `Recipe.max_flash`.

    Trials that an interrupted run, or one with another limit, has made are not made again. The
    file is built with what was chosen, because it may be larger than the sum of its kernels: some
    find no room in the arena once decoded. Then smaller settings are chosen.

    Args:
        run: The run.
        model: Its network, quantization-aware but not trained.
        storage: See above.

    Raises:
        UserError: The kernels take more than that at their smallest settings.
    """
    recipe, session = run.settings.recipe, run.session()
    path = run.folder.checkpoints / TRIALS
    # Trials serve every limit.
    origin = replace(recipe, max_flash=0).made_by(recipe.stages[-1])
    fingerprint = session.fingerprint(Phase("sensitivity", "", recipe.qat, origin=origin))
    known = _kept(path, fingerprint)
    trials: tuple[Trial, ...] = ()
    path.parent.mkdir(exist_ok=True)
    kernels = changed(model, recipe)
    model = with_stored_scales(model, list(kernels))
    for one in measure(model, recipe, session, storage.kernel, known):
        trials = (*trials, one)
        if len(trials) > len(known):
            write_json(path, asdict(_Kept(fingerprint=fingerprint, trials=trials)))
    most = int(recipe.max_flash)
    plain = sum(int(np.prod(kernel.shape)) for kernel in kernels.values())
    room = most - (storage.file(model) - plain)
    while True:
        settings = choose(trials, room)
        with at_settings(model, settings, recipe):
            built = storage.encoded_file(model, most)
        if built <= most:
            return Choice(trials, settings, built)
        chosen = sum(one.bytes for one in trials if settings[one.kernel] == one.setting)
        room = chosen - max(built - most, int(_LEAST_STEP * chosen))


def _kept(path: Path, fingerprint: str) -> tuple[Trial, ...]:
    try:
        kept: _Kept = from_plain(_Kept, read_json(path), path.name)
    except UserError:  # absent or damaged: they are made again
        return ()
    return kept.trials if kept.fingerprint == fingerprint else ()
