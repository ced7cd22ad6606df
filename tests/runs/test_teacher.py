from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from mobilenet_tf import build
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.runs.teacher import TeacherModel, check_teacher, load_teacher
from mobilenet_tf.tasks.classification.cross_entropy import CrossEntropy
from mobilenet_tf.training.distillation import as_teacher

STUDENT = make_network("v1", 0.25, 32, classes=3)
CLASSES = ("ant", "bee", "cow")
PICTURES = tf.constant(np.random.default_rng(1).uniform(-1, 1, (8, 32, 32, 3)), tf.float32)


def settings(teacher, **options):
    return RunSettings(data="", network=STUDENT, teacher=teacher, classes=CLASSES, **options)


@pytest.fixture(scope="module")
def larger():
    keras.utils.set_random_seed(2)
    return build("v1", 0.25, 64, classes=3)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_is_a_teacher(tmp_path, suffix, larger):
    file = tmp_path / f"teacher{suffix}"
    larger.save(file)
    check_teacher(settings(file))
    teach = load_teacher(settings(file))
    direct = as_teacher(larger, STUDENT, CrossEntropy(3), STUDENT.input, "larger")
    np.testing.assert_allclose(teach(PICTURES), direct(PICTURES), atol=1e-5)
    file.write_bytes(b"no model")
    with pytest.raises(UserError, match="cannot be read: it is neither an HDF5 file"):
        load_teacher(settings(file))


def test_no_teacher(tmp_path):
    assert load_teacher(settings("none")) is None
    for name, said in (("gone.keras", "teacher is 'gone.keras'"), (str(tmp_path), "config.toml")):
        with pytest.raises(UserError, match=said):
            check_teacher(settings(name))


def test_trust_and_labels_apply_to_files_only_and_trust_is_not_stored(tmp_path):
    for options, said in (
        ({"trust_code": True}, "--trust-code applies only to a teacher that is a model file"),
        ({"teacher_labels": CLASSES}, "--teacher-labels applies only to a teacher that is a"),
    ):
        with pytest.raises(UserError, match=said):
            check_teacher(settings("none", **options))
    image = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(lambda image: image * 2)(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    keras.Model(image, keras.layers.Dense(3)(x)).save(tmp_path / "teacher.h5")
    given = TeacherModel(tmp_path / "teacher.h5", trust_code=True).settings()
    trusted = replace(settings("none"), **given)
    check_teacher(trusted)
    assert load_teacher(trusted)(PICTURES).shape == (8, 3)
    stored = RunSettings.from_dict(trusted.to_dict())
    assert not stored.trust_code
    with pytest.raises(UserError, match=r"teacher\.h5 runs code .*Lambda.*; use --trust-code"):
        check_teacher(stored)
    with pytest.raises(UserError, match="unknown field 'trust_code'"):
        RunSettings.from_dict(trusted.to_dict() | {"trust_code": True})
