"""Stage 2: a float network -> the same network, made int8, sparse and clustered."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.post_training.quantize import quantize_after_training
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.runs.compression import Compression
from mobilenet_tf.runs.models import load_float, saving
from mobilenet_tf.runs.provenance import write_model
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.sensitivity import Storage, chosen_settings
from mobilenet_tf.runs.teaching import teacher_of
from mobilenet_tf.training.compress import compress
from mobilenet_tf.training.distillation import as_teacher
from mobilenet_tf.training.strategy import training_scope


def quantize(run: Run, storage: Storage | None = None) -> keras.Model:
    """Take `float.keras` through the stages of `Recipe.compress` and write it to `qat.keras`.

    By default it is fine-tuned with int8 rounding only; if `Recipe.rounds_only`, rounding itself is
    done with more care instead. Training continues after the last finished epoch if there is a
    checkpoint. Ranges are calibrated on training images of all classes.

    Args:
        run: The run.
        storage: How large a device stores it; needed for `Recipe.max_flash` only.

    Raises:
        UserError: The loss is not finite, teacher or checkpoint cannot be used, or the network is
            too large for `Recipe.max_flash`.
    """
    started, settings, network = time.monotonic(), run.settings, run.network
    recipe = settings.recipe
    images = calibration_images(run.data.train, network, recipe.calibration, settings.seed)
    with training_scope(run.strategy, settings.seed, recipe.deterministic):
        original = load_float(run.folder)
        teacher = teacher_of(run)
        if teacher is None and recipe.self_distillation:
            teacher = as_teacher(
                original, network, run.task.objective(network), network.input, "float.keras"
            )
        way: Callable[..., keras.Model] = quantize_aware
        if recipe.rounds_only:
            way = partial(quantize_after_training, settings=recipe.post_training)
        to_int8 = partial(
            way,
            images=images,
            input_spec=network.input,
            per_channel=not settings.int8.per_tensor,
        )
        choice = None
        if recipe.max_flash and storage:
            choice = chosen_settings(run, to_int8(deploy_form(original)), storage)
        compressed = compress(
            original,
            recipe,
            run.session(),
            to_int8,
            teacher=teacher,
            choice=choice.settings if choice else None,
        )
    write_model(run.folder, "qat.keras", saving(compressed.model, run.classes), settings)
    small = Compression(stages=recipe.stages if recipe.made_by(recipe.stages[-1]) else ())
    if choice and storage:
        small = replace(
            small,
            max_flash=recipe.max_flash,
            predicted_bytes=choice.bytes,
            built_bytes=storage.encoded_file(compressed.model, recipe.max_flash),
            trials=choice.trials,
            chosen=dict(choice.settings),
        )
    run.folder.update_result(
        history=compressed.history,
        compression=small,
        seconds={"quantize": round(time.monotonic() - started + compressed.earlier, 1)},
    )
    return compressed.model
