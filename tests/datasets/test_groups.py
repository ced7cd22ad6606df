"""What belongs together stays in one split; everything else stays where it was."""

import shutil
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.arrangement import Arrangement, groups_of
from mobilenet_tf.datasets.load import load_data
from mobilenet_tf.datasets.splitting import Listing, assign_splits

CLASSES = tuple("abc")


def people(count, pictures):
    """Every person in every class, with some pictures in each."""
    names = [f"{c}/p{p}_{k}" for c in CLASSES for p in range(count) for k in range(pictures)]
    labels = [CLASSES.index(name[0]) for name in names]
    return names, labels, [int(name[3:].split("_")[0]) for name in names]


@pytest.mark.parametrize(("count", "pictures"), [(3, 1), (3, 40), (20, 1), (20, 7), (200, 2)])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", ["together", "alike"])
def test_nobody_is_in_two_splits(count, pictures, seed, kind):
    names, labels, person = people(count, pictures)
    found = assign_splits(Listing(CLASSES, names, labels, **{kind: person}), seed)
    assert sorted(row for rows in found.values() for row in rows) == list(range(len(names)))
    where = {split: {person[row] for row in rows} for split, rows in found.items()}
    assert sum(map(len, where.values())) == count
    for rows in found.values():
        assert {labels[row] for row in rows} == {0, 1, 2}
    if count >= 20:
        assert len(where["test"]) == len(where["validation"]) == round(0.15 * count)


def test_groups_of_one_change_nothing():
    names, labels, _ = people(30, 1)
    plain = Listing(CLASSES, names, labels)
    alone = Listing(CLASSES, names, labels, together=range(90), alike=range(90))
    for seed in range(5):
        one, other = assign_splits(plain, seed), assign_splits(alone, seed)
        assert {k: v.tolist() for k, v in one.items()} == {k: v.tolist() for k, v in other.items()}


def test_too_few_groups():
    names, labels, person = people(2, 30)
    with pytest.raises(UserError, match=r"The 60 training images of Class 'a' belong to too few"):
        assign_splits(Listing(CLASSES, names, labels, together=person), 0)
    # Near duplicates are no reason to refuse a dataset.
    found = assign_splits(Listing(CLASSES, names, labels, alike=person), 0)
    assert {split: len(rows) for split, rows in found.items()} == {
        "train": 126, "validation": 27, "test": 27
    }  # fmt: skip


def test_an_uneven_class_keeps_all_splits():
    names = [f"x{k}" for k in range(102)] + [f"y{k}" for k in range(40)]
    together = [0] * 100 + [1, 2] + list(range(3, 43))
    found = assign_splits(Listing(("x", "y"), names, [0] * 102 + [1] * 40, together=together), 0)
    assert Counter(row >= 100 for row in range(102) if row in found["train"]) == {False: 100}


@pytest.fixture
def photos(tmp_path):
    """Two classes of noise, ten pictures each; of three of them there are altered copies."""
    random = np.random.default_rng(2)
    for label in "ab":
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for number in range(10):
            coarse = random.integers(0, 256, (16, 16, 3), np.uint8)
            image = Image.fromarray(coarse).resize((120, 96), Image.Resampling.BICUBIC)
            image.save(folder / f"{number}.png")
            if number < 3:
                image.resize((60, 48)).save(folder / f"{number}_small.jpg", quality=95)
                image.filter(ImageFilter.GaussianBlur(1)).save(folder / f"{number}_soft.png")
    return tmp_path / "photos"


def split_of(data):
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: split for split, one in splits.items() for name in one.names}


def test_near_duplicates_stay_together(photos):
    seed = 2
    where = split_of(load_data(photos, InputSpec(16), seed))
    for label in "ab":
        for number in range(3):
            kinds = (f"{label}/{number}{end}" for end in (".png", "_small.jpg", "_soft.png"))
            assert len({where[name] for name in kinds}) == 1
    unsought = Arrangement(find_duplicates=False)
    apart = split_of(load_data(photos, InputSpec(16), seed, arrangement=unsought))
    names = [*apart]
    expected = assign_splits(Listing(("a", "b"), names, [n[0] == "b" for n in names]), seed)
    assert apart == {names[row]: split for split, rows in expected.items() for row in rows}


def test_a_run_says_which_pictures_are_the_same(photos):
    shutil.copy(photos / "a/5.png", photos / "b/other.png")
    notes = " ".join(load_data(photos, InputSpec(16)).notes)
    assert "2 images are the same in several classes (a/5.png, b/other.png)" in notes
    assert "18 images have near duplicates" in notes


def test_groups_by_expression_and_by_table(photos):
    names = sorted(p.relative_to(photos).as_posix() for p in photos.rglob("*.*"))
    assert groups_of(r"/(\d)", names, photos) == [name[2] for name in names]
    assert groups_of(r"\d_soft", ["a/1.png", "a/1_soft.png"], photos) == ["", "1_soft"]
    table = photos.parent / "person.csv"
    table.write_text("file;person\n" + "\n".join(f"{name};P{name[2]}" for name in names))
    assert groups_of(str(table), names, photos) == [f"P{name[2]}" for name in names]
    where = split_of(load_data(photos, InputSpec(16), arrangement=Arrangement(str(table))))
    for number in range(10):
        assert len({split for name, split in where.items() if name[2] == str(number)}) == 1


@pytest.mark.parametrize(
    ("group_by", "said"),
    [
        ("(", r"--group-by '\(' is neither a table \(.csv\) nor a regular expression: "),
        ("person", "gives no group to any file of .*, such as 'a/1.png'"),
        ("gone.csv", r"gone.csv cannot be read"),
        ("wrong.csv", "wrong.csv needs a column of files and one called group; its header is"),
    ],
)
def test_wrong_groups(tmp_path, monkeypatch, group_by, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.csv").write_text("file,age,person\n1.png,3,Ann\n")
    with pytest.raises(UserError, match=said):
        groups_of(group_by, ["a/1.png"], tmp_path)


def test_order_of_classes(photos):
    data = load_data(photos, InputSpec(16), arrangement=Arrangement(classes=("b", "a")))
    assert data.classes == ("b", "a")
    assert {(name[0], int(label)) for name, label in zip(data.test.names, data.test.labels,
            strict=True)} == {("b", 0), ("a", 1)}  # fmt: skip
    with pytest.raises(UserError, match="--class-order must name each of them once"):
        load_data(photos, InputSpec(16), arrangement=Arrangement(classes=("b", "c")))


def test_sources_without_images_to_train_on_are_refused():
    for listing in (Listing(("a", "b"), [], []), Listing(("a", "b"), ["x"], [0], splits=["test"])):
        with pytest.raises(UserError, match="Class 'a' has 0 training images"):
            assign_splits(listing, 0)
