"""`data`: what is wrong with pictures, on the terminal, as JSON and as a page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

import mobilenet_tf as mn
from mobilenet_tf.cli.app import app

CLOTHES = Path(__file__).parents[2].parent / "shared/data/clothing/train"


@pytest.fixture
def messy(tmp_path):
    """Two classes of eight good pictures, and one picture of every kind that is not."""
    random = np.random.default_rng(5)
    folder = tmp_path / "photos"
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for number in range(8):
            cells = random.integers(0, 256, (48, 48, 3), np.uint8)
            image = Image.fromarray(cells).resize((120, 96), Image.Resampling.BICUBIC)
            image.save(folder / label / f"{number}.png")
    first, second, third = (Image.open(folder / f"a/{n}.png") for n in (0, 3, 2))
    exif = Image.Exif()
    exif[0x0112] = 3
    (folder / "b/copy.png").write_bytes((folder / "a/0.png").read_bytes())
    (folder / "a/again.png").write_bytes((folder / "a/1.png").read_bytes())
    second.save(folder / "a/low.jpg", quality=30)
    first.filter(ImageFilter.GaussianBlur(9)).save(folder / "a/soft.png")
    third.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(folder / "a/turned.jpg", exif=exif)
    noise = random.integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(noise // 5).save(folder / "b/night.png")
    Image.fromarray(noise[..., 1]).save(folder / "b/grey.png")
    Image.fromarray(noise[:15]).save(folder / "b/long <i>.png")
    Image.new("RGB", (60, 60), (200, 0, 0)).save(folder / "b/flat.png")
    Image.fromarray(noise[::-1]).save(folder / "b/wrong.jpg", "PNG")
    (folder / "b/torn.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return folder


EXPECTED = {
    "classes": [["a/0.png", "b/copy.png"]],
    "exact": [["a/1.png", "a/again.png"]],
    "near": [["a/3.png", "a/low.jpg"]],
    "unreadable": [["b/torn.jpg"]],
    "plain": [["b/flat.png"]],
    "dark": [["b/night.png"]],
    "blurred": [["a/soft.png"]],
    "aspect": [["b/long <i>.png"]],
    "grey": [["b/grey.png"]],
    "rotated": [["a/turned.jpg"]],
    "extension": [["b/wrong.jpg"]],
}


def test_every_kind_is_found(messy, tmp_path, capsys):
    page = tmp_path / "data.html"
    found = mn.data(messy, html=page)
    assert {one["kind"]: one["groups"] for one in found["findings"]} == EXPECTED
    assert [one["kind"] for one in found["findings"]] == list(EXPECTED)  # the worst first
    assert found["images"] == 26
    assert found["problem"] == ""
    assert sum(sum(counts.values()) for counts in found["classes"].values()) == 26
    text = page.read_text()
    assert "<i>.png" not in text
    assert not re.search(r'(src|href)="(?!data:image/jpeg|#)', text)  # opens offline
    assert text.count("<img") == sum(one["kind"] != "unreadable" for one in found["findings"]) + 3
    with pytest.raises(mn.UserError, match=r"data.html exists; use --overwrite"):
        mn.data(messy, html=page)
    app(["data", str(messy), "--json"], standalone_mode=False)
    printed = json.loads(capsys.readouterr().out)
    assert printed | {"seconds": 0} == json.loads(json.dumps(found)) | {"seconds": 0}
    app(["data", str(messy), "--html", str(page), "--overwrite"], standalone_mode=False)
    terminal = capsys.readouterr().out
    assert "2 images are the same in several classes: a/0.png, b/copy.png (the same file" in (
        terminal
    )
    balance = "The largest class has 1.2 times the pictures of the smallest."
    assert balance in terminal
    assert balance in text
    assert (
        "Most frequent: sizes 120x96 (21), 80x60 (3), 60x60 (1); formats PNG (24), JPEG (2); "
        "modes RGB (25), L (1)."
    ) in terminal


def test_splits_of_the_user_that_share_a_picture(messy):
    for split in ("train", "test"):
        (messy / split).mkdir()
    for label in "ab":
        (messy / label).rename(messy / "train" / label)
        (messy / "test" / label).mkdir()
        for number in range(2):
            name = f"{label}/{number}.png"
            (messy / "test" / name).write_bytes((messy / "train" / name).read_bytes())
    (found,) = (one for one in mn.data(messy)["findings"] if one["kind"] == "splits")
    assert sorted(map(sorted, found["groups"]))[0] == [
        "test/a/0.png", "train/a/0.png", "train/b/copy.png"
    ]  # fmt: skip


def test_groups_that_the_users_splits_separate(tmp_path):
    random = np.random.default_rng(0)
    for split in ("train", "validation", "test"):
        for label in "ab":
            (tmp_path / split / label).mkdir(parents=True)
            for person in range(3 if split == "train" else 2):
                pixels = random.integers(0, 256, (40, 40, 3), np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / label / f"p{person}.png")
    (found,) = (
        one for one in mn.data(tmp_path, group_by=r"p(\d)")["findings"] if one["kind"] == "groups"
    )
    assert found["title"] == "belong to groups that are in several splits"
    assert [len(group) for group in found["groups"]] == [6, 6]  # p2 is in train alone
    assert found["details"] == ["2 in train, 2 in validation, 2 in test"] * 2
    assert not any(one["kind"] == "groups" for one in mn.data(tmp_path)["findings"])


def test_what_cannot_be_trained_is_looked_at_all_the_same(messy):
    for number in range(8):
        (messy / f"b/{number}.png").unlink()
    for name in ("copy", "night", "grey", "long <i>", "flat"):
        (messy / f"b/{name}.png").unlink()
    found = mn.data(messy)
    assert found["problem"].startswith("Class 'b' has 1 training images; at least 3 are needed")
    assert found["classes"] == {"a": {"all": 12}, "b": {"all": 1}}  # without the torn one


@pytest.fixture
def scenes(tmp_path):
    """Twelve pictures with a bright square of one of two classes."""
    random = np.random.default_rng(1)
    folder = tmp_path / "scenes"
    (folder / "images").mkdir(parents=True)
    for number in range(12):
        cells = random.integers(0, 200, (30, 40, 3), np.uint8)
        image = Image.fromarray(cells).resize((80, 60), Image.Resampling.BICUBIC)
        image.save(folder / f"images/{number}.png")
    return folder


def labels_found(folder, task):
    found = mn.data(folder, task=mn.make_task(task), html=folder.parent / f"{task}.html")
    kinds = ("labels", "repaired")
    shown = {
        one["kind"]: dict(zip((group[0] for group in one["groups"]), one["details"], strict=True))
        for one in found["findings"]
        if one["kind"] in kinds
    }
    page = (folder.parent / f"{task}.html").read_text()
    assert all(detail in page for details in shown.values() for detail in details.values())
    return found, shown


def test_boxes_that_are_refused_or_repaired(scenes):
    rows = [f"images/{n}.png,{'ab'[n % 2]},10,10,30,30" for n in range(12)]
    rows[0] = "images/0.png,a,30,10,10,30"
    rows[1] = "images/1.png,b,60,40,120,60"
    rows += ["images/2.png,b,20,20,20,40", "images/2.png,b,200,200,220,220"]
    header = "file,class,xmin,ymin,xmax,ymax"
    (scenes / "boxes.csv").write_text("\n".join([header, *rows]))
    found, shown = labels_found(scenes, "detection")
    assert shown == {
        "repaired": {
            "images/0.png": "a box with exchanged edges was turned around",
            "images/1.png": "a box that reaches outside the picture was cut",
            "images/2.png": "a box of less than a pixel was dropped; "
            "a box outside the picture was dropped",
        }
    }
    assert {name: sum(splits.values()) for name, splits in found["classes"].items()} == {
        "a": 6,
        "b": 6,
    }


def test_masks_that_are_refused_or_repaired(scenes):
    (scenes / "masks").mkdir()
    for number in range(12):
        mask = np.zeros((60, 80), np.uint8)
        mask[10:30, 10:30] = 1 + number % 2
        size = {0: (160, 120), 1: (80, 80)}.get(number, (80, 60))
        Image.fromarray(mask).resize(size, 0).save(scenes / f"masks/{number}.png")
    found, shown = labels_found(scenes, "segmentation")
    assert list(shown["labels"]) == ["images/1.png"]
    assert shown["labels"]["images/1.png"].endswith("another shape")
    assert list(shown["repaired"]) == ["images/0.png"]
    assert shown["repaired"]["images/0.png"].endswith("it was resized")
    assert [sum(splits.values()) for splits in found["classes"].values()] == [11, 6, 5]


def test_several_labels_are_counted_each(scenes):
    rows = [f"images/{n}.png,{'red' if n % 2 else 'red;round'}" for n in range(12)]
    (scenes / "labels.csv").write_text("\n".join(["file,labels", *rows]))
    found, shown = labels_found(scenes, "multilabel")
    assert shown == {}
    counts = {name: sum(splits.values()) for name, splits in found["classes"].items()}
    assert counts == {"red": 12, "round": 6}
    with pytest.raises(mn.UserError, match="does not look at the sources of geolocation"):
        mn.data(scenes, task=mn.make_task("geolocation"))


@pytest.mark.skipif(not CLOTHES.is_dir(), reason="clothing is absent")
def test_a_real_dataset_has_the_same_picture_in_two_classes(tmp_path):
    for label in ("shorts", "skirt"):
        (tmp_path / label).mkdir()
        for path in (CLOTHES / label).glob("6*"):
            (tmp_path / label / path.name).symlink_to(path)
    found = {one["kind"]: one["groups"] for one in mn.data(tmp_path)["findings"]}
    assert found["classes"] == [
        [
            "shorts/6075b4a5-5b1a-4ce0-aea0-9dbfbca7c35c.jpg",
            "skirt/637a56e4-7fa6-4f75-8859-0f8902461554.jpg",
        ]
    ]


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("digits", {}, "`data` looks at files; 'digits' is a library's"),
        ("", {}, "The data source is empty"),
        ("gone", {}, "gone does not exist; the data is a folder with a folder of images per class"),
        ("gone.csv", {}, "gone.csv cannot be read"),
        ("gone.zip", {}, "gone.zip cannot be read"),
        ("gone", {"html": "."}, r"\. is a folder; html is the name of a page"),
        ("gone", {"overwrite": True}, "--overwrite applies only to --html"),
        ("gone", {"seed": -1}, "seed is -1"),
    ],
)
def test_wrong_uses(source, options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(mn.UserError, match=said):
        mn.data(source, **options)
    assert not list(tmp_path.iterdir())
