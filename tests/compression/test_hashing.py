"""Hashed kernels stay hashed as integers, and error correction lowers the responses' errors."""

import numpy as np
import tf_keras as keras

from mobilenet_tf.compression.deploy import deploy_form
from mobilenet_tf.compression.product_quantization import correct_errors, product_quantize
from mobilenet_tf.compression.qat import quantize_aware, settled
from mobilenet_tf.compression.sharing import share_by_hash
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.deployment.tflite.compressed import hashed
from mobilenet_tf.deployment.tflite.compressed.layout import Layout
from mobilenet_tf.training.hashing import Hashing, make_scales_positive


def test_integers_are_hashed_after_folding_batch_normalization():
    random = np.random.default_rng(0)
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    model = keras.Model(inputs, keras.layers.ReLU()(x))
    norm, layer = model.get_layer("norm"), model.get_layer("conv")
    norm.gamma.assign(random.uniform(0.3, 2, 16) * random.choice([-1, 1], 16))
    norm.moving_mean.assign(random.normal(size=16))
    images = random.uniform(-1, 1, (4, 4, 4, 3)).astype(np.float32)
    before = model(images).numpy()
    make_scales_positive(model, ["conv"])
    np.testing.assert_allclose(model(images).numpy(), before, rtol=1e-4, atol=1e-5)
    assert (norm.gamma.numpy() > 0).all()

    hashing = Hashing([layer.kernel], 2)
    layer.kernel.assign(hashing.hashed(layer.kernel))
    np.testing.assert_allclose(hashing.hashed(layer.kernel), layer.kernel, rtol=1e-5)
    assert len(np.unique(np.abs(layer.kernel.numpy()).round(6))) <= 216
    plain = quantize_aware(deploy_form(model), images, InputSpec(4, 3))
    small = settled(share_by_hash(plain, ["conv"], 2)).get_layer("conv")
    limit = small.weight_quantizer.limits(small.weight).numpy()
    integers = np.moveaxis(np.rint(small.weight.numpy() / (limit / 127)), -1, 0).astype(np.int8)
    assert hashed.encode_parts([(integers, Layout(integers.shape))])[0].bytes == 216 + 24
    exact = plain.get_layer("conv").weight.numpy()
    np.testing.assert_allclose(small.weight.numpy(), exact, atol=0.006 * np.abs(exact).max())


def test_error_correction_changes_responses_less_than_nearest_vectors():
    random = np.random.default_rng(1)
    rows = random.normal(size=(32, 16)) / 4
    exact = random.normal(size=(500, 4)) @ random.normal(size=(4, 16))  # correlated channels
    read = exact + 0.3 * random.normal(size=exact.shape)
    ranges = random.uniform(0.5, 2, 32)
    start = product_quantize(rows, 16, 4)
    moments, cross = read.T @ read / len(read), exact.T @ read / len(read)
    corrected = correct_errors(start, rows, moments, cross, ranges)

    def error(found: np.ndarray) -> float:
        return float((((exact @ rows.T - read @ found.T) * ranges) ** 2).mean())

    assert error(corrected.rows) < 0.7 * error(start.rows)
    assert len(np.unique(corrected.rows.reshape(-1, 4), axis=0)) <= 16
    np.testing.assert_allclose(product_quantize(rows, 200, 4).rows, rows)
