"""Names of classes are compared as people read them."""

import pytest

from mobilenet_tf.core.labels import matched


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("b", "cafe\u0301", "a"), ("b", "caf\xe9", "a")),
        (("a", "b"), None),
        (("a", "b", "b"), None),
        (("a", "b", "caf\xe9", "c"), None),
        (("a", "b", "cafe"), None),
    ],
)
def test_names_are_put_into_the_spelling_of_the_data(names, found):
    assert matched(names, ("a", "b", "caf\xe9")) == found
