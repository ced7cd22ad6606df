"""Stage 2: a float network -> the same network with int8 rounding, with or without training."""

import time

import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.post_training.quantize import quantize_after_training
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.runs.models import load_float, saving
from mobilenet_tf.runs.provenance import write_model
from mobilenet_tf.runs.run import Run
from mobilenet_tf.runs.teaching import teacher_of
from mobilenet_tf.training.distillation import as_teacher
from mobilenet_tf.training.fit import fit
from mobilenet_tf.training.strategy import training_scope
from mobilenet_tf.training.transfer import Phase


def quantize(run: Run) -> keras.Model:
    """Quantize the deploy form of `float.keras` and write it to `qat.keras`.

    It is fine-tuned with int8 rounding, after the last finished epoch if there is a checkpoint. If
    `qat.epochs` is 0, rounding itself is done with more care instead (`Recipe.post_training`).
    Ranges are calibrated on training images of all classes.

    Raises:
        UserError: The loss is not finite, or teacher or checkpoint cannot be used.
    """
    started, settings, network = time.monotonic(), run.settings, run.network
    recipe = settings.recipe
    images = calibration_images(run.data.train, network, recipe.calibration, settings.seed)
    history: dict[str, list[float]] = {}
    earlier = 0.0
    with training_scope(run.strategy, settings.seed, recipe.deterministic):
        original = load_float(run.folder)
        teacher = teacher_of(run)
        if teacher is None and recipe.self_distillation:
            teacher = as_teacher(
                original, network, run.task.objective(network), network.input, "float.keras"
            )
        per_channel = not settings.int8.per_tensor
        deployed = deploy_form(original)
        if not recipe.qat.epochs:
            model = quantize_after_training(
                deployed, images, network.input, per_channel, recipe.post_training
            )
        else:
            model = quantize_aware(deployed, images, network.input, per_channel=per_channel)
            phase = Phase("qat", "Quantizing", recipe.qat)
            history, earlier = fit(model, phase, run.session(), teacher=teacher, keep_initial=True)
    write_model(run.folder, "qat.keras", saving(model, run.classes), settings)
    run.folder.update_result(
        history={"qat": history},
        seconds={"quantize": round(time.monotonic() - started + earlier, 1)},
    )
    return model
