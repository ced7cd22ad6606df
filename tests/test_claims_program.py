"""benchmarks/claims: its networks are what the papers compare, and its verdicts follow the rule."""

from dataclasses import replace

import pytest
from PIL import Image

from benchmarks.claims import agrees, render, rows
from benchmarks.claims_networks import (
    CLAIMS,
    EQUAL,
    WORSE,
    expanded,
    shallow_v1,
    swish_from,
    wide_shortcuts,
)
from benchmarks.resplit import resplit
from mobilenet_tf.core.inputs import InputSpec
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.keras_model import build_network
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.rows import Network
from mobilenet_tf.networks.zoo import ZOO, make_network
from mobilenet_tf.selection.affordable import label

ALL = {label(network): network for claim in CLAIMS for network in claim.networks}
VARIANTS = {name: network for name, network in ALL.items() if network.name not in ZOO}


def of(claim):
    return next(one for one in CLAIMS if one.name == claim)


def test_every_claim_has_networks_of_names_of_their_own():
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        labels = [label(network) for network in claim.networks]
        assert len(set(labels)) == len(labels) >= 2
        assert all(other.expected in (WORSE, EQUAL) for other in claim.others)
        assert len({network.input.channels for network in claim.networks}) == 1


@pytest.mark.parametrize("name", VARIANTS)
def test_networks_that_no_zoo_has_can_be_kept_and_counted(name):
    network = VARIANTS[name]
    assert Network.from_dict(network.to_dict()) == network
    assert count(network).macs > 1e6


def test_the_row_that_only_a_claim_has_is_built():
    network = wide_shortcuts()
    assert build_network(network).count_params() == count(network).parameters


def test_the_shallow_network_costs_what_the_paper_says():
    """V1, Table 5: 307 million multiply-adds and 2.9 million parameters."""
    whole = replace(shallow_v1(1.0), input=InputSpec(224)).with_classes(1000)
    assert count(whole).macs / 1e6 == pytest.approx(307.3, abs=1.1)
    assert count(whole).parameters / 1e6 == pytest.approx(2.9, abs=0.05)
    narrow, shallow = (count(network).macs for network in of("narrow").networks)
    assert narrow == pytest.approx(shallow, rel=0.05)


def adds(network):
    return [op for op in lower(network) if op.kind == "add"]


def test_shortcuts():
    base, wide, none = of("shortcuts").networks
    assert len(adds(base)) == 10
    assert adds(none) == []
    assert count(base).macs == count(wide).macs == count(none).macs
    assert count(base).parameters == count(wide).parameters == count(none).parameters
    graph = lower(wide_shortcuts())
    widths = {op.name: op.shape[2] for op in graph}
    # Each of V2's repeated stages has one less, because its first two blocks differ in width.
    assert len(adds(wide)) > 5
    assert all(widths[op.inputs[0]] == 6 * graph_input(graph, op) for op in adds(wide))


def graph_input(graph, add):
    """Channels of the bottleneck that a wide shortcut's second input expands."""
    ops = {op.name: op for op in graph}
    return ops[ops[add.inputs[1]].inputs[0]].shape[2]


def test_expansion_factors():
    assert expanded(6) == replace(
        make_network("v2", 0.35, 64), name="v2_factor_6", layer_names="plain"
    )
    few, many = (count(expanded(factor)).macs for factor in (5, 10))
    assert few < count(make_network("v2", 0.35, 64)).macs < many


def test_where_hard_swish_begins():
    base = make_network("v3_large", 0.35, 64)
    assert swish_from(80).backbone == base.backbone
    swish = {
        channels: sum(row.activation == "hard_swish" for row in swish_from(channels).backbone)
        for channels in (None, 112, 80, 16)
    }
    assert swish == {None: 0, 112: 7, 80: 11, 16: 17}
    assert all(getattr(row, "activation", "") != "hard_swish" for row in swish_from(None).head)


def interval(mean, low, high):
    return {"mean": mean / 100, "low": low / 100, "high": high / 100}


@pytest.mark.parametrize(
    ("expected", "low", "high", "answer"),
    [
        (WORSE, -3, -1, True),
        (WORSE, -3, 1, None),
        (WORSE, 1, 3, False),
        (EQUAL, -1, 1, True),
        (EQUAL, -3, 1, None),
        (EQUAL, -5, -3, False),
        (EQUAL, 3, 5, False),
    ],
)
def test_verdicts(expected, low, high, answer):
    assert agrees(expected, interval((low + high) / 2, low, high)) is answer


def test_table():
    claim = of("separable")
    base, other = (
        {
            "network": label(network),
            "parameters": 1,
            "macs": macs,
            "float": interval(mean, mean - 1, mean + 1),
            "difference": difference,
            "diverged": 0,
        }
        for network, macs, mean, difference in (
            (claim.reference, 25_000_000, 71.0, None),
            (claim.others[0].network, 3_300_000, 69.0, interval(-2, -3, -1)),
        )
    )
    entry = {
        "data": "clothing",
        "classes": 10,
        "test_images": 945,
        "recipe": "small_data",
        "epochs": 20,
        "seeds": 1,
        "machine": {"cpu": "a CPU", "cores": 2},
        "networks": [base, other],
    }
    (row,) = rows({"separable": entry})
    assert row[1:] == (
        "V1, Table 4",
        "`v1 0.25 64` (3.3 M) against `v1_full 0.25 64` (25.0 M)",
        "70.6 against 71.7: -1.1",
        "69.0% against 71.0%",
        "-2.0 [-3.0, -1.0]",
        "agrees",
    )
    text = render({"separable": entry})
    assert "1 agrees, 0 disagrees, 0 open" in text
    assert "Not measured yet: narrow, alpha, size" in text


def test_resplit_is_stratified_and_repeatable(tmp_path):
    """Pictures of all splits of the source are drawn, with the same shares of each class."""
    for split, names in (("train", range(30)), ("test", range(10))):
        for label_name, count_of in (("cat", 1), ("dog", 2)):
            for number in range(count_of * len(names)):
                file = tmp_path / "data" / split / label_name / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (4, 4), number).save(file)
    out = resplit(tmp_path / "data", tmp_path / "out")
    found = {
        (split, name): len(list((out / split / name).iterdir()))
        for split in ("train", "validation", "test")
        for name in ("cat", "dog")
    }
    assert list(found.values()) == [24, 48, 6, 12, 10, 20]
    targets = [link.resolve() for link in out.rglob("*.png")]
    assert len(set(targets)) == len(targets) == 120
    before = sorted(path.relative_to(out) for path in out.rglob("*.png"))
    resplit(tmp_path / "data", out)
    assert sorted(path.relative_to(out) for path in out.rglob("*.png")) == before
