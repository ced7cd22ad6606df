"""Names of classes are compared as people read them."""

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.labels import by_number, matched


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


def test_numbers_are_sorted_as_numbers():
    assert by_number(("10", "2", "1", "-3", "2.5")) == ("-3", "1", "2", "2.5", "10")
    with pytest.raises(UserError, match=r"The classes are not all numbers: .*'two'"):
        by_number(("1", "two"))
