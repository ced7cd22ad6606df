"""Pictures without labels: any folder will do, and splits are kept."""

import numpy as np
import pytest
from PIL import Image

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.unlabelled import load_pictures

INPUT = InputSpec(16)


def save(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(level).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize("place", ["{}.png", "one/{}.png", "a/b/c/{}.png"])
def test_any_folder_of_pictures(place, tmp_path):
    for number in range(20):
        save(tmp_path / place.format(number), number)
    (tmp_path / "list.csv").write_text("0.png,cat")
    data = load_pictures(str(tmp_path), INPUT)
    assert data.classes == ()
    assert [len(one) for one in (data.train, data.validation, data.test)] == [14, 3, 3]
    assert not data.test.labelled
    assert data.test.labels.shape == (3, 0)
    assert [one["file"] for one in data.skipped] == ["list.csv"]
    assert load_pictures(str(tmp_path), INPUT).fingerprint == data.fingerprint


def test_splits_are_kept_and_classes_are_not(tmp_path):
    for split, count in (("train", 6), ("test", 2)):
        for number in range(count):
            for name in ("cat", "dog"):
                save(tmp_path / split / name / f"{number}.png", number)
    data = load_pictures(str(tmp_path), INPUT)
    assert sorted(data.test.names) == [f"test/{n}/{i}.png" for n in ("cat", "dog") for i in (0, 1)]
    assert len(data.train) + len(data.validation) == 12
    assert data.train.sample(100, 0, INPUT).labels.shape == (len(data.train), 0)


def test_sources_with_labels_lose_them():
    data = load_pictures("digits", INPUT)
    assert data.classes == ()
    assert not data.train.labelled


@pytest.mark.parametrize(("count", "said"), [(0, "has 0 training images"), (2, "at least 3")])
def test_too_few_pictures_are_one_sentence(count, said, tmp_path):
    for number in range(count):
        save(tmp_path / f"{number}.png", number)
    with pytest.raises(UserError, match=said):
        load_pictures(str(tmp_path), INPUT)
    with pytest.raises(UserError, match="does not exist"):
        load_pictures(str(tmp_path / "absent"), INPUT)
