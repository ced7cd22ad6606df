"""Networks as text, and the settings of a comparison."""

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.comparison import ComparisonSettings, parse_networks


def test_networks_as_text():
    found = parse_networks(["v1:0.25@64", " v2:0.5 ", "v3_small@32x48", make_network("v1")])
    expected = [
        make_network("v1", 0.25, 64),
        make_network("v2", 0.5, 96),
        make_network("v3_small", 1.0, (32, 48)),
        make_network("v1", 1.0, 224),
    ]
    assert found == expected
    (grey,) = parse_networks(["v1"], InputSpec(32, 1))
    assert grey == make_network("v1", 1.0, 32, channels=1)


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ([], "There is nothing to compare"),
        ([""], "The network is ''; it must be a name, alpha and size such as v1:0.25@96"),
        (["v1:0.25@"], "The network is 'v1:0.25@'"),
        (["v1:1.2.3"], "The network is 'v1:1.2.3'"),
        (["v9"], "There is no model named 'v9'"),
        (["v1:99"], "alpha is 99.0; it must be"),
        (["v1@8"], "size is 8; it must be"),
        (["v1@32", "v1:1.0@32"], "Two networks are called v1 1.0 32"),
    ],
)
def test_what_is_no_network(networks, said):
    with pytest.raises(UserError) as error:
        parse_networks(networks)
    assert said in str(error.value)


def test_settings():
    with pytest.raises(UserError, match="seeds is 0"):
        ComparisonSettings(seeds=0)
    with pytest.raises(UserError, match="reference is 'worst'; it must be one of best, first"):
        ComparisonSettings(reference="worst")
    assert ComparisonSettings(seeds=5).identity() == ComparisonSettings().identity()
    assert ComparisonSettings(int8=False).identity() != ComparisonSettings().identity()
