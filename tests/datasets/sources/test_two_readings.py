"""Folders that can be read in two ways are refused, and those with one clear way are not."""

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.datasets.load import load_data, load_test


def total(data) -> int:
    return len(data.train) + len(data.validation) + len(data.test)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            {"bus": 4, "car": 4, "train/steam": 4, "train/diesel": 4},
            r"two ways: as the classes bus/, car/, train/, or as the split train/ with the classes "
            r"diesel/, steam/",
        ),
        ({"train": 4, "val/a": 4, "val/b": 4}, "two ways: as the classes train/, val/, or as spl"),
        ({"val/a": 4, "val/b": 4, "test/a": 4, "test/b": 4}, "has val/ and test/, but no train/"),
        (
            {f"{split}/{name}": 4 for split in ("train", "Training_Set") for name in "ab"},
            "Training_Set/ and train/; only one of them",
        ),
        ({"seg_train/a": 4, "seg_test/a": 4}, "seg_train has 1 class folder"),
        (
            {f"{name}/{split}": 4 for split in ("train", "test") for name in "ab"},
            "a holds the splits test/, train/; splits are read above the classes",
        ),
        (
            {f"data/{split}/{name}": 4 for split in ("train", "test") for name in "ab"},
            r"data holds the splits test/, train/; did you mean .*data\?",
        ),
        (
            {f"{fold}/{name}": 4 for fold in ("fold1", "fold2") for name in "ab"},
            r"two ways: as the classes fold1/, fold2/, or as the classes a/, b/ with pictures "
            r"in fold1/, fold2/; put the pictures of each class directly into one folder",
        ),
        (  # a class that a fold lacks, another case, pictures deeper inside
            {"1/A": 3, "1/b/x": 3, "2/a": 3, "2/b": 3, "2/c": 3, "3/b": 3, "3/a": 3},
            "two ways: as the classes 1/, 2/, 3/, or as the classes a/, b/, c/ with pictures in 1/",
        ),
        (
            {f"train/{site}/{name}": 4 for site in ("north", "south") for name in "ab"}
            | {"test/north": 4, "test/south": 4},
            "train can be read in two ways: as the classes north/, south/, or as the classes a/, b",
        ),
        (
            {"a": 4, "b": 4, "c": 4, "backup/a": 4, "backup/b": 4},
            "classes a/, b/, backup/, c/, or as the classes a/, b/ with pictures in backup/; put",
        ),
        (
            {f"{kind}/{name}": 4 for kind in ("images", "masks") for name in "ab"},
            "two ways: as the classes images/, masks/, or as the classes a/, b/",
        ),
        (
            {f"images/{name}": 4 for name in "ab"} | {f"labels/{name}": 0 for name in "ab"},
            "has images in one of its folders only; .* did you mean .*images",
        ),
    ],
)
def test_more_than_one_way_to_read(make_folder, make_spec, tree, message):
    with pytest.raises(UserError, match=message):
        load_data(make_folder(tree), make_spec())


@pytest.mark.parametrize(
    "tree",
    [
        {"cat/images": 4, "dog/images": 4},  # one inner name cannot be two classes
        {"cat/tabby": 4, "cat/tiger": 4, "dog/boxer": 4, "dog/pug": 4},
        {"cat": 1, "cat/day": 4, "cat/night": 4, "dog": 1, "dog/day": 4, "dog/night": 4},
        {"cat": 4, "dog": 4, "cow": 4, "bikes/red": 4, "bikes/blue": 4, "cars/red": 2}
        | {"cars/blue": 2},
        {"cat": 4, "cat/more": 4, "dog": 4},
    ],
)
def test_folders_inside_classes_with_one_way_to_read(make_folder, make_spec, tree):
    root = make_folder(tree)
    data = load_data(root, make_spec())
    assert data.classes == tuple(sorted({path.split("/")[0] for path in tree}))
    assert total(data) == sum(tree.values())


def test_a_model_knows_which_folders_are_its_classes(make_folder, make_spec):
    root = make_folder({f"{name}/{time}": 4 for name in ("cat", "dog") for time in ("am", "pm")})
    with pytest.raises(UserError, match="two ways"):
        load_data(root, make_spec())
    assert len(load_test(str(root), ["dog", "cat", "cow"], make_spec()).images) == 16
    with pytest.raises(UserError, match="two ways"):
        load_test(str(root), ["am", "pm"], make_spec())
