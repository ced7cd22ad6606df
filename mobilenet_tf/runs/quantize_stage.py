"""Stage 2: a float network -> the same network, trained to be integer."""

import time

import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.qat import quantize_aware
from mobilenet_tf.compression.quantized_layer import custom_objects
from mobilenet_tf.core.files import write_atomically
from mobilenet_tf.datasets.pipeline import calibration_images
from mobilenet_tf.networks.keras_model import OWN_LAYERS
from mobilenet_tf.runs.run import Job
from mobilenet_tf.runs.teacher import load_teacher
from mobilenet_tf.training.distillation import as_teacher
from mobilenet_tf.training.fit import fit
from mobilenet_tf.training.strategy import training_scope
from mobilenet_tf.training.transfer import Phase


def load_float(job: Job) -> keras.Model:
    """The network that `train` left."""
    return keras.models.load_model(job.run.float_model, custom_objects=OWN_LAYERS, compile=False)


def load_qat(job: Job) -> keras.Model:
    """The network that `quantize` left."""
    return keras.models.load_model(
        job.run.qat_model, custom_objects=custom_objects(), compile=False
    )


def quantize(job: Job) -> keras.Model:
    """Fine-tune the deploy form of `float.keras` with int8 rounding; keep it as `qat.keras`.

    Goes on from the last finished epoch where there is one. Ranges come from real training
    pictures of all classes.
    """
    started = time.monotonic()
    pictures = calibration_images(job.data.train, job.spec, job.recipe.calibration, job.seed)
    history, earlier = {}, 0.0
    with training_scope(job.strategy, job.seed, job.recipe.deterministic):
        original = load_float(job)
        teacher = load_teacher(job.teacher, job.spec)
        if teacher is None and job.recipe.self_distillation:
            teacher = as_teacher(original, job.spec, job.spec.input, "float.keras")
        deployed = deploy_form(original)
        model = quantize_aware(
            deployed, pictures, job.spec.input, per_channel=not job.int8.per_tensor
        )
        if job.recipe.qat.epochs:
            phase = Phase("qat", "Quantizing", job.recipe.qat)
            history, earlier = fit(model, phase, job.session(), teacher=teacher, keep_initial=True)
    write_atomically(job.run.qat_model, model.save)
    job.run.update_result(
        history={"qat": history},
        seconds={"quantize": round(time.monotonic() - started + earlier, 1)},
    )
    return model
