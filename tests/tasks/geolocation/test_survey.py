"""From photos with GPS positions to an int8 file that knows where they were taken."""

import numpy as np
import pytest
from PIL import ExifTags, Image

import mobilenet_tf as mn
from mobilenet_tf.core.earth import great_circle_km
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.runs.settings import RunSettings
from mobilenet_tf.tasks.geolocation.task import Geolocation
from tests.short import shallow

# Six towns, and the colour of the ground in each.
TOWNS = {
    (48.14, 11.58): (200, 60, 60),
    (52.52, 13.41): (60, 200, 60),
    (-33.45, -70.67): (60, 60, 200),
    (35.68, 139.69): (200, 200, 60),
    (-1.29, 36.82): (60, 200, 200),
    (61.22, -149.90): (200, 60, 200),
}


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """30 photos per town, within 2 km of it; name -> its true place."""
    folder, random = tmp_path_factory.mktemp("survey"), np.random.default_rng(0)
    places = {}
    for number, (town, colour) in enumerate(list(TOWNS.items()) * 30):
        place = np.array(town) + random.uniform(-0.009, 0.009, 2)
        pixels = np.clip(random.normal(colour, 25, (32, 32, 3)), 0, 255).astype(np.uint8)
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "NS"[int(place[0] < 0)],
                ExifTags.GPS.GPSLatitude: (abs(place[0]), 0.0, 0.0),
                ExifTags.GPS.GPSLongitudeRef: "EW"[int(place[1] < 0)],
                ExifTags.GPS.GPSLongitude: (abs(place[1]), 0.0, 0.0),
            }
        )
        name = f"{number:03d}.jpg"
        Image.fromarray(pixels).save(folder / name, exif=exif.tobytes())
        places[name] = place
    return folder, places


@pytest.mark.slow
def test_a_survey_of_six_towns(survey, tmp_path):
    folder, places = survey
    recipe = mn.load_recipe("geolocation").with_fields(
        {
            "train.epochs": 20,
            "train.label_smoothing": 0.0,
            "qat.epochs": 1,
            "batch": 8,
            "bn_momentum": 0.9,
            "calibration": 32,
        }
    )
    settings = RunSettings(
        data=str(folder),
        network=shallow(make_network("v1", 0.25, 32)),
        task=Geolocation(most=10, least=3, finest=4),
        recipe=recipe,
    )
    run = mn.run(settings, out=tmp_path / "run")
    metrics = run.result().metrics
    assert metrics["within_200"].int8 > 0.8
    assert metrics["within_25"].int8 > 0.8
    assert metrics["within_1"].int8 < 0.5  # the cells are larger
    found = mn.predict(run.folder.tflite, [folder / name for name in places], top=1)
    distances = []
    for one, place in zip(found["predictions"], places.values(), strict=True):
        (answer,) = one["classes"]
        centre = np.array([answer["latitude"], answer["longitude"]])
        distances.append(float(great_circle_km(centre, place)))
        if distances[-1] < 200:
            assert distances[-1] < answer["radius_km"] * 1.3  # cells do not nest exactly
    assert np.mean(np.array(distances) < 30) > 0.8
    assert "must not be used to find out where people live" in run.folder.card.read_text()
