"""Places of pictures: from a table and from EXIF, which is hostile until it is parsed."""

import struct
from fractions import Fraction

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.datasets.sources.exif_position import NoPosition, position, read_positions
from mobilenet_tf.datasets.sources.places import list_places
from mobilenet_tf.tasks.geolocation.task import Geolocation

TAGS = ExifTags.GPS
MUNICH = {
    TAGS.GPSLatitudeRef: "N",
    TAGS.GPSLatitude: (48.0, 8.0, 15.0),
    TAGS.GPSLongitudeRef: "E",
    TAGS.GPSLongitude: (11.0, 34.0, 30.0),
}


def rational(numerator, denominator):
    return TiffImagePlugin.IFDRational(numerator, denominator)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (48.1375, 11.575)),
        ({TAGS.GPSLatitudeRef: "S", TAGS.GPSLongitudeRef: b"W\0"}, (-48.1375, -11.575)),
        ({TAGS.GPSLatitude: (48.1375,)}, (48.1375, 11.575)),
        ({TAGS.GPSLatitude: 48.1375}, (48.1375, 11.575)),
        ({TAGS.GPSLatitude: "48.1375"}, (48.1375, 11.575)),
        ({TAGS.GPSLatitude: (48, Fraction(33, 4))}, (48.1375, 11.575)),
        ({TAGS.GPSLatitude: (rational(96, 2), rational(8, 1), rational(1500, 100))}, None),
        ({TAGS.GPSLatitude: (47, 60, 60), TAGS.GPSStatus: "A"}, (48.016667, 11.575)),
        ({TAGS.GPSLatitude: (90, 0, 0), TAGS.GPSLongitude: (180, 0, 0)}, (90, 180)),
    ],
)
def test_positions(changes, expected):
    assert position(MUNICH | changes) == pytest.approx(expected or (48.1375, 11.575), abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({TAGS.GPSLatitude: (rational(48, 0), 8, 15)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (rational(0, 0), 8, 15)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (float("nan"), 8, 15)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (float("inf"), 8, 15)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (48, 61, 0)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (48, 8, -1)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (91, 0, 0)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (90, 0, 1)}, "its latitude is 90.0003, which is not from -90 to 90"),
        ({TAGS.GPSLongitude: (180, 0, 1)}, "its longitude is 180, which is not from -180 to 180"),
        ({TAGS.GPSLatitude: (2**4000, 0, 0)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: ()}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: (1, 2, 3, 4)}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: ("48", None, b"x")}, "its latitude is damaged"),
        ({TAGS.GPSLatitude: None}, "its latitude is damaged"),
        ({TAGS.GPSLatitudeRef: "E"}, "its latitude does not say whether it is N or S"),
        ({TAGS.GPSLongitudeRef: None}, "its longitude does not say whether it is E or W"),
        ({TAGS.GPSStatus: "V"}, "its GPS position was written without a fix"),
        (
            {TAGS.GPSLatitude: (0, 0, 0), TAGS.GPSLongitude: (0, 0, 0)},
            "its position is 0, 0, which cameras write without a fix",
        ),
    ],
)
def test_hostile_positions_are_refused(changes, reason):
    with pytest.raises(NoPosition, match=reason):
        position(MUNICH | changes)


def photograph(path, gps, colour=(90, 120, 200)):
    """Write a photo with GPS entries."""
    image = Image.new("RGB", (24, 20), colour)
    image.putpixel((3, 3), (0, 0, 0))
    exif = Image.Exif()
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, exif=exif.tobytes())


def at(latitude, longitude):
    return {
        TAGS.GPSLatitudeRef: "N" if latitude >= 0 else "S",
        TAGS.GPSLatitude: (abs(latitude), 0.0, 0.0),
        TAGS.GPSLongitudeRef: "E" if longitude >= 0 else "W",
        TAGS.GPSLongitude: (abs(longitude), 0.0, 0.0),
    }


def test_positions_of_files(tmp_path):
    photograph(tmp_path / "good.jpg", MUNICH)
    photograph(tmp_path / "good.png", MUNICH)
    photograph(tmp_path / "good.tif", MUNICH)
    photograph(tmp_path / "none.jpg", {})
    (tmp_path / "text.jpg").write_text("no picture")
    content = (tmp_path / "good.jpg").read_bytes()
    start = content.index(b"Exif\0\0")
    rationals = content.index(struct.pack(">II", 48, 1), start)
    zero = struct.pack(">II", 48, 0)
    (tmp_path / "zero.jpg").write_bytes(content[:rationals] + zero + content[rationals + 8 :])
    (tmp_path / "noise.jpg").write_bytes(
        content[: start + 14] + bytes(range(200, 256)) * 2 + content[start + 14 + 112 :]
    )
    names = ["good.jpg", "good.png", "good.tif", "none.jpg", "text.jpg", "zero.jpg", "missing.jpg"]
    found = read_positions([tmp_path / name for name in [*names, "noise.jpg"]])
    for place in found[:3]:
        assert place == pytest.approx((48.1375, 11.575), abs=1e-5)
    assert found[3] == "it has no GPS position"
    assert found[4] == "its EXIF data cannot be read"
    assert found[5] == "its latitude is damaged"
    assert found[6] == "its EXIF data cannot be read"
    assert isinstance(found[7], str)


def test_damaged_exif_gives_a_place_on_earth_or_a_reason(tmp_path):
    photograph(tmp_path / "good.jpg", MUNICH)
    content = (tmp_path / "good.jpg").read_bytes()
    start = content.index(b"Exif\0\0")
    end = start + int.from_bytes(content[start - 2 : start], "big") - 2
    paths = []
    for number in range(192):
        random = np.random.default_rng(number)
        damaged = bytearray(content)
        for place in random.integers(start + 6, end, random.integers(1, 9)):
            damaged[place] = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.integers(256)])
        paths.append(tmp_path / f"{number:03d}.jpg")
        paths[-1].write_bytes(damaged)
    found = read_positions(paths)
    places = [one for one in found if not isinstance(one, str)]
    assert len(found) == len(paths) > len(places) > 0
    assert all(abs(latitude) <= 90 and abs(longitude) <= 180 for latitude, longitude in places)


@pytest.fixture
def survey(tmp_path):
    """40 photos around two towns, whose colours differ, and three without a place."""
    random = np.random.default_rng(0)
    folder = tmp_path / "survey"
    for number in range(40):
        home, colour = [((48, 11), (200, 80, 80)), ((-33, -70), (60, 90, 210))][number % 2]
        photograph(folder / f"{number:02d}.jpg", at(*random.normal(home, 0.1)), colour)
    for number in range(3):
        photograph(folder / f"without {number}.jpg", {})
    return folder


def test_a_folder_of_photos(survey):
    task = Geolocation(most=30, least=5)
    data = task.load(str(survey), InputSpec(16), 0, None, True)
    assert len(data.classes) >= 2
    assert [entry["file"] for entry in data.skipped] == [f"without {n}.jpg" for n in range(3)]
    assert {entry["reason"] for entry in data.skipped} == {"it has no GPS position"}
    assert len(data.train) + len(data.validation) + len(data.test) == 40
    north = data.train.labels[:, 0] > 0
    assert (data.train.images[north][:, 0, 0, 0] > 150).all()
    tested = task.load_test(str(survey), data.classes, InputSpec(16), 0, None)
    assert len(tested.images) == 40  # a folder without splits is evaluated whole
    with pytest.raises(UserError, match=r"survey has \d cells with at least 30 training pictures"):
        Geolocation(most=30, least=30).load(str(survey), InputSpec(16), 0, None, True)


def test_sources_that_do_not_exist(tmp_path):
    with pytest.raises(UserError, match="nowhere does not exist; the data is a folder of photos"):
        list_places(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"nowhere.csv cannot be read: No such file"):
        list_places(str(tmp_path / "nowhere.csv"))
    (tmp_path / "photo").touch()
    with pytest.raises(UserError, match="photo is a file; the data is a folder of photos"):
        list_places(str(tmp_path / "photo"))


def test_splits_of_a_folder(tmp_path):
    for split, count in (("train", 8), ("val", 2), ("test", 2), ("more", 1)):
        for number in range(count):
            home = [(48, 11), (-33, -70)][number % 2]
            photograph(tmp_path / split / f"{number}.jpg", at(*home))
    data = Geolocation(most=4, least=2).load(str(tmp_path), InputSpec(16), 0, None, True)
    assert [len(one) for one in (data.train, data.validation, data.test)] == [8, 2, 2]
    assert data.skipped == [{"file": "more/0.jpg", "reason": "it lies beside the splits"}]


def test_a_table_of_coordinates(survey):
    rows = ["file;lat;lon;split"]
    for number in range(40):
        home = [("48,1", "11,5"), ("-33,4", "-70,6")][number % 2]
        split = "train" if number < 30 else "val" if number < 34 else "test"
        rows.append(";".join([f"{number:02d}.jpg", *home, split]))
    rows += [
        "00.jpg;1;1;train",
        "without 0.jpg;91;0;train",
        "without 1.jpg;;5;train",
        "without 2.jpg;nan;5;train",
        "gone.jpg;48;11;train",
    ]
    source = survey / "places.csv"
    source.write_text("\n".join(rows), encoding="utf-8-sig")
    places = list_places(str(source))
    assert len(places.positions) == 40
    assert places.positions[0].tolist() == [48.1, 11.5]
    assert [entry["reason"] for entry in places.labelled.skipped] == [
        "it is in several places, of which the first counts",
        "its latitude is 91, which is not from -90 to 90",
        "its place is '', which is no number of degrees",
        "its latitude is nan, which is not from -90 to 90",
        "there is no such file",
    ]
    data = Geolocation(most=30, least=5).load(str(source), InputSpec(16), 0, None, True)
    assert [len(one) for one in (data.train, data.validation, data.test)] == [30, 4, 6]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,lat\n00.jpg,1\n", "needs the columns file, latitude and longitude; its header is"),
        ("00.jpg,1\n", "line 1 has 2 cells; 3 are needed without a header"),
        ("00.jpg,91,0\n", "has no pictures with a place, for example because its latitude is 91"),
        ("gone.jpg,1,1\n", "has no pictures with a place, for example because there is no such"),
    ],
)
def test_tables_that_are_refused(survey, content, message):
    (survey / "places.csv").write_text(content)
    with pytest.raises(UserError, match=message):
        list_places(str(survey / "places.csv"))
