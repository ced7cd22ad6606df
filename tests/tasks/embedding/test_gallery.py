"""Enrolling and identifying with a file, and galleries that come from elsewhere."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import mobilenet_tf as mn
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.tables import parts
from mobilenet_tf.deployment.tflite.from_graph import int8_file
from mobilenet_tf.deployment.tflite.metadata import add_metadata
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.tasks.embedding.gallery import Gallery, read_gallery, write_gallery
from mobilenet_tf.tasks.embedding.task import Embedding
from mobilenet_tf.tasks.registry import metadata_of

HASH = "0" * 64


def embedder(dimension, threshold):
    task = Embedding(dimension=dimension, threshold=threshold)
    network = task.with_head(make_network("v1", 0.25, 32), 10)
    return add_metadata(
        int8_file(network),
        name="embedder",
        description="For tests.",
        labels=(),
        input_spec=network.input,
        extra=metadata_of(task),
    )


@pytest.fixture
def place(tmp_path, monkeypatch, pictures):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.tflite").write_bytes(embedder(16, 0.9))
    (tmp_path / "other.tflite").write_bytes(embedder(8, None))
    for index, pixels in enumerate(pictures[:6]):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    return tmp_path


def test_enroll_and_identify(place):
    found = mn.enroll("one.tflite", "Ann", ["0.png", "1.png"])
    assert (found["images"], found["names"]) == (["0.png", "1.png"], ["Ann"])
    mn.enroll("one.tflite", "Ben", ["2.png", "gone.png"])
    again = mn.enroll("one.tflite", "Ann", ["0.png"])
    assert again["images"] == ["1.png", "0.png"]  # replaced, not added
    assert again["names"] == ["Ann", "Ben"]
    found = mn.identify("one.tflite", ["0.png", "2.png", "3.png"], threshold=0.9999, top=1)
    assert [one["name"] for one in found["predictions"][:2]] == ["Ann", "Ben"]
    assert found["predictions"][0]["names"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    strict = mn.identify("one.tflite", ["3.png"], threshold=1.0)
    assert strict["predictions"][0]["name"] is None
    assert len(strict["predictions"][0]["names"]) == 2
    assert mn.identify("one.tflite", ["3.png"])["threshold"] == 0.9


def test_predict_compares_images(place):
    found = mn.predict("one.tflite", ["0.png", "1.png", "0.png"])
    vectors = np.array([one["vector"] for one in found["predictions"]])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    similarities = np.array([one["similarities"] for one in found["predictions"]])
    np.testing.assert_allclose(similarities, vectors @ vectors.T, atol=1e-3)
    assert similarities[0, 2] == pytest.approx(1)


def test_one_image_has_nothing_to_be_compared_with(place):
    def shown(*images):
        return [getattr(part, "plain", part) for part in parts(mn.predict("one.tflite", images))]

    (said,) = shown("0.png")
    assert said.startswith("There is nothing to compare: give two or more images, or use enroll")
    (compared,) = shown("0.png", "1.png")
    assert compared.row_count == 1


def test_a_gallery_belongs_to_the_file_that_made_it(place):
    mn.enroll("one.tflite", "Ann", ["0.png"])
    before = (place / "gallery.json").read_bytes()
    for call in (
        lambda: mn.enroll("other.tflite", "Ben", ["1.png"]),
        lambda: mn.identify("other.tflite", ["1.png"]),
    ):
        with pytest.raises(UserError, match=r"gallery\.json was made by another model than other"):
            call()
    assert (place / "gallery.json").read_bytes() == before


def test_wrong_uses(place):
    classifier = add_metadata(
        int8_file(make_network("v1", 0.25, 32, 3)),
        name="classifier",
        description="For tests.",
        labels=("a", "b", "c"),
        input_spec=make_network("v1", 0.25, 32).input,
    )
    (place / "classifier.tflite").write_bytes(classifier)
    for call, said in (
        (lambda: mn.enroll("classifier.tflite", "Ann", ["0.png"]), "gives no vectors to compare"),
        (lambda: mn.enroll("one.tflite", "", ["0.png"]), "The name is ''"),
        (lambda: mn.enroll("one.tflite", "Ann", ["gone.png"]), "gone.png"),
        (lambda: mn.enroll("gone.tflite", "Ann", ["0.png"]), "gone.tflite"),
        (lambda: mn.identify("one.tflite", ["0.png"]), "gallery.json"),
        (lambda: mn.identify("one.tflite", ["0.png"], threshold=1.5), "threshold"),
    ):
        with pytest.raises(UserError, match=said):
            call()
    assert not (place / "gallery.json").exists()
    mn.enroll("other.tflite", "Ann", ["0.png"])
    with pytest.raises(UserError, match=r"other\.tflite has no threshold"):
        mn.identify("other.tflite", ["0.png"])


@pytest.fixture
def gallery():
    return Gallery(model=HASH, dimension=2).with_images("Ann", ["a.png"], [[0.6, 0.8]])


def test_the_most_similar_image_of_each_name_counts(gallery):
    gallery = gallery.with_images("Ben", ["b.png", "c.png"], [[1, 0], [0, 1]])
    found = gallery.similarities([0, 1])
    assert list(found) == ["Ben", "Ann"]
    assert found == pytest.approx({"Ben": 1.0, "Ann": 0.8})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": "1" * 64}, "another model"),
        ({"model": "hash"}, "SHA-256"),
        ({"kind": "album"}, "kind is 'album'"),
        ({"dimension": 3}, "it must have 3 and length 1"),
        ({"dimension": 10**9}, "dimension is 1000000000"),
        ({"entries": [{"name": "A\n", "image": "a", "vector": [1, 0]}]}, "without control"),
        ({"entries": [{"name": "A", "image": "a", "vector": [3, 0]}]}, "length 3"),
        ({"entries": [{"name": "A", "image": "a", "vector": ["x", 0]}]}, "must be a number"),
        ({"entries": [{"name": "A", "image": "a", "vector": [1, 0]}] * 10_001}, "10,001 entries"),
        ({"more": 1}, "unknown field 'more'"),
        ({"entries": {}}, "must be a list"),
    ],
)
def test_hostile_galleries(tmp_path, gallery, change, said):
    path = tmp_path / "gallery.json"
    write_gallery(path, gallery)
    assert read_gallery(path, HASH, "a.tflite") == gallery
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=said) as error:
        read_gallery(path, HASH, "a.tflite")
    assert str(error.value).startswith(str(path))


def test_no_gallery(tmp_path, gallery):
    path = tmp_path / "gallery.json"
    for content in (b"", b"[]", b"{", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"gallery\.json"):
            read_gallery(path, HASH, "a.tflite")
    with pytest.raises(UserError, match="10,001"):
        replace(gallery, entries=gallery.entries * 10_001)
