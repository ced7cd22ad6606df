"""Counters against published figures, and memory against a count by hand."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mobilenet_tf.networks.count import count, layers, summary, table
from mobilenet_tf.networks.zoo import ZOO, make_network, published_networks

# Counted from tf_keras.applications 2.21; multiply-adds of convolutions and dense layers.
PUBLISHED = json.loads(Path(__file__).with_name("published_costs.json").read_text())


@pytest.mark.parametrize(
    "row", PUBLISHED, ids=lambda row: f"{row['name']}-{row['alpha']}-{row['size']}"
)
def test_published_configurations(row):
    counted = count(make_network(row["name"], row["alpha"], row["size"]))
    for figure in ("parameters", "folded_parameters", "macs"):
        assert getattr(counted, figure) == row[figure]


def test_every_published_v1_and_v2_is_there():
    names = [row["name"] for row in PUBLISHED]
    assert (names.count("v1"), names.count("v2")) == (16, 22)
    assert set(names) == {name for name, entry in ZOO.items() if entry.alphas}


# Counted from the released code of each network; the papers print fewer digits. SqueezeNet's
# classifier is not padded here, as Caffe's is. V1's twin is V1's Table 4 with its classifier.
@pytest.mark.parametrize(
    ("name", "alpha", "size", "millions", "parameters"),
    [
        ("v4_conv_s", 1.0, 224, 186.0, 3.799e6),
        ("v4_conv_s", 0.5, 224, 52.1, 2.250e6),
        ("v4_conv_s", 0.35, 224, 35.1, 1.913e6),
        ("v4_conv_m", 1.0, 256, 1080.2, 9.783e6),
        ("v4_conv_m", 0.75, 256, 632.5, 6.377e6),
        ("v4_conv_l", 1.0, 384, 6376, 32.74e6),
        ("mnasnet_a1", 1.0, 224, 311.6, 3.92e6),
        ("squeezenet_1_0", 1.0, 224, 819, 1_248_424),
        ("squeezenet_1_1", 1.0, 224, 349, 1_235_496),
        ("squeezenet_1_1", 1.0, 227, 388, 1_235_496),
        ("xception", 1.0, 299, 8357, 22_910_480),
        ("v1_full", 1.0, 224, 4866.3 + 1.024, 29.3e6),
    ],
)
def test_networks_without_published_weights(name, alpha, size, millions, parameters):
    counted = count(make_network(name, alpha, size))
    assert counted.macs / 1e6 == pytest.approx(millions, rel=0.001)
    assert counted.parameters == pytest.approx(parameters, rel=0.001)


def test_peak_memory_of_v2_by_hand():
    # 1.0, 224: 96 channels at 112 x 112 go in, 96 at 56 x 56 come out of block 2's depthwise.
    counted = count(make_network("v2"))
    assert counted.peak_layer == "block_2/depthwise"
    assert counted.peak_activation_bytes == 112 * 112 * 96 + 56 * 56 * 96


def test_a_waiting_shortcut_is_counted_once():
    rows = {row.name: row for row in layers(make_network("v2"))}
    small, wide = 56 * 56 * 24, 56 * 56 * 144
    assert rows["block_3/expand"].live_bytes == small + wide
    assert rows["block_3/depthwise"].live_bytes == small + wide + wide
    assert rows["block_3/project"].live_bytes == small + wide + small
    assert rows["block_3/add"].live_bytes == 3 * small


def test_a_gated_tensor_waits_for_its_gate():
    rows = {row.name: row for row in layers(make_network("v3_small"))}
    full = 56 * 56 * 16
    assert rows["block_1/se/reduce"].live_bytes == full + 16 + 8
    assert rows["block_1/se/multiply"].live_bytes == full + 16 + full


def test_the_picture_counts():
    first = layers(make_network("v1", size=32))[0]
    assert first.live_bytes == 32 * 32 * 3 + 16 * 16 * 32


def test_weight_bytes_are_int8_kernels_and_int32_biases():
    spec = make_network("v3_small")
    biases = sum(row.channels for row in layers(spec) if row.parameters)
    counted = count(spec)
    assert counted.weight_bytes == counted.folded_parameters - biases + 4 * biases


def test_summary_and_table_are_plain():
    spec = make_network("v3_small", 0.75, 96, 10, 1)
    value = json.loads(json.dumps(summary(spec)))
    assert value["macs"] == sum(row["macs"] for row in value["layers"]) == count(spec).macs
    rows = json.loads(json.dumps(table(published_networks(96, 10))))
    assert len(rows) == sum(max(1, len(entry.alphas)) for entry in ZOO.values())
    assert {row["size"] for row in rows} == {96}


def test_changed_rows_are_counted():
    spec = make_network("v2", 0.5, 96)
    shallow = replace(spec, backbone=(*spec.backbone[:-4], spec.backbone[-1]))
    assert count(shallow).macs < count(spec).macs


def test_counting_needs_no_tensorflow():
    code = (
        "import sys; from mobilenet_tf.networks import count, zoo;"
        "count.table(zoo.published_networks());"
        "sys.exit(any(name.startswith(('tensorflow', 'tf_keras')) for name in sys.modules))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
