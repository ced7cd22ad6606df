"""Tables of costs: everything is measured once, cached, and the same as without the table."""

import json
from dataclasses import replace

import pytest

from mobilenet_tf import __version__
from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.devices.arm.cores import CORES
from mobilenet_tf.deployment.devices.c.emulator import BOARDS
from mobilenet_tf.deployment.devices.c.table import CortexMTable, CTable
from mobilenet_tf.deployment.devices.cpu import Cpu, runner
from mobilenet_tf.deployment.devices.ethos_u import NPUS, EthosUTable
from mobilenet_tf.deployment.devices.fitting import largest_that_fits, require_fit
from mobilenet_tf.deployment.devices.mcu.table import McuTable
from mobilenet_tf.deployment.devices.parts_table import CALL, PartsTable
from mobilenet_tf.deployment.devices.tables import DEVICES, cost_table
from mobilenet_tf.networks.count import count
from mobilenet_tf.networks.lower import lower
from mobilenet_tf.networks.zoo import make_network
from mobilenet_tf.selection.cost import COUNTED, Budget, check_budget


def test_latencies_are_measured_once_and_cached(tmp_path):
    networks = [make_network("v1", 0.25, 32, 10), make_network("v1", 0.25, 64, 10)]
    table = PartsTable(Cpu(1), path=tmp_path / "latency.json")
    # V1 repeats a block, whose time is measured once; one more is for the call itself.
    distinct = {part.key for network in networks for part in lower(network).parts()}
    assert len(distinct) < 2 * len(lower(networks[0]).parts())
    assert table.measure(networks) == len(distinct) + 1
    again = PartsTable(Cpu(1), path=tmp_path / "latency.json")
    assert again.measure(networks) == 0
    assert again.total(networks[1]) == table.total(networks[1]) > 0
    assert PartsTable(Cpu(2), path=tmp_path / "latency.json").measure(networks[:1]) > 0
    (tmp_path / "latency.json").write_text("{ damaged")
    assert PartsTable(Cpu(1), path=tmp_path / "latency.json").measure(networks[:1]) > 0


def test_a_table_adds_up_parts_without_their_calls(tmp_path):
    class TwoEach:
        name, lasting, quantity = "two each", True, "latency"

        def measure(self, files):
            return {name: 0.5 if name == CALL.key else 2.0 for name in files}

    network = make_network("v1", 0.25, 32, 10)
    table = PartsTable(TwoEach(), path=tmp_path / "latency.json")
    table.measure([network])
    assert len(lower(network).parts()) == 15
    assert table.total(network) == 0.5 + 15 * 1.5
    saved = json.loads((tmp_path / "latency.json").read_text())
    assert list(saved) == [f"two each, mobilenet_tf {__version__}"]
    TwoEach.lasting = False
    (tmp_path / "latency.json").unlink()
    assert PartsTable(TwoEach(), path=tmp_path / "latency.json").measure([network]) > 0
    assert not (tmp_path / "latency.json").exists()


def test_without_a_timer_nothing_is_measured(tmp_path):
    network = make_network("v1", 0.25, 32, 10)
    table = PartsTable(None, path=tmp_path / "cache.json")
    assert table.measure([network]) == 0
    assert table.cost(network).latency is None
    assert not (tmp_path / "cache.json").exists()


@pytest.mark.parametrize("device", ["mcu", "ethos-u55-64"])
def test_devices_measure_once(tmp_path, device, monkeypatch):
    kind = McuTable if device == "mcu" else EthosUTable
    networks = [make_network("v1", 0.25, size, 2) for size in (32, 64)]
    table = kind(device, tmp_path / "cache.json")
    seen = []
    assert table.measure(networks, lambda *done: seen.append(done)) == 2
    assert seen == [(f"Measuring for {device}", done, 2) for done in (1, 2)]
    again = kind(device, tmp_path / "cache.json")
    assert again.measure(networks) == 0
    assert again.cost(networks[1]) == table.cost(networks[1])
    assert table.cost(networks[0]) == table.measure_network(networks[0])
    assert table.cost(networks[0]).macs == count(networks[0]).macs
    bound = table.lower_bound(networks[0])
    assert bound.latency is None
    assert bound.flash <= table.cost(networks[0]).flash
    assert bound.ram <= table.cost(networks[0]).ram
    # Another version of this package writes other files.
    monkeypatch.setattr("mobilenet_tf.deployment.devices.network_table.__version__", "0.0.0")
    assert kind(device, tmp_path / "cache.json").measure(networks[:1]) == 1


class Instructions:
    """A `Meter` that counts 1,000 instructions for a call, and 5,000 for a part."""

    name, lasting, quantity = "a core", True, "instructions"

    def __init__(self, core="a core"):
        self.core = core

    def measure(self, files):
        return {name: 1000 if name == CALL.key else 5000 for name in files}

    def lower_bound(self, macs):
        return macs // 100


def test_instructions_of_parts_add_up_and_are_limited(tmp_path):
    network = make_network("v1", 0.25, 32, 10)
    table = PartsTable(Instructions(), "cortex-a53", tmp_path / "cache.json")
    table.measure([network])
    cost = table.cost(network)
    assert (cost.latency, cost.instructions) == (None, 1000 + 15 * 4000)
    assert table.lower_bound(network).instructions == cost.macs // 100
    assert Budget(instructions=60_000).exceeded(cost) == ("instructions",)
    assert Budget(instructions=61_000).exceeded(cost) == ()
    check_budget(Budget(instructions=1), table)
    with pytest.raises(UserError, match=r"Latency on the device cortex-a53 cannot be measured"):
        check_budget(Budget(latency=1), table)
    with pytest.raises(UserError, match=r"mcu are not counted; leave out --max-instructions, or "):
        check_budget(Budget(instructions=1), McuTable("mcu", tmp_path / "cache.json"))


class Slowing:
    """A `Meter` of a processor that becomes slower with each measurement."""

    name, lasting, quantity = "a hot processor", True, "latency"

    def __init__(self):
        self.pace = 1.0

    def measure(self, files):
        self.pace *= 1.5
        return {name: self.pace * len(content) for name, content in files.items()}

    def lower_bound(self, macs):
        return None


def test_times_are_scaled_to_the_pace_of_the_first(tmp_path):
    networks = [make_network("v1", 0.25, 32, 10), make_network("v2", 0.35, 32, 10)]
    steady, slowing = Slowing(), Slowing()
    steady.measure = lambda files: {name: 1.5 * len(held) for name, held in files.items()}
    tables = [
        PartsTable(meter, path=tmp_path / f"{number}.json")
        for number, meter in enumerate((steady, slowing))
    ]
    for network in networks:
        for table in tables:
            table.measure([network])
        latencies = [table.cost(network).latency for table in tables]
        assert latencies[0] == pytest.approx(latencies[1])
    assert slowing.pace > 1.5**2


def test_a_cortex_m_has_the_sizes_of_plain_c(tmp_path):
    network = make_network("v1", 0.25, 32, 2)
    table = CortexMTable(Instructions(), "cortex-m4", tmp_path / "cache.json")
    assert table.measure([network]) > 10
    plain = CTable("cortex-m4", tmp_path / "cache.json")
    assert plain.measure([network]) == 0
    assert table.cost(network) == replace(plain.cost(network), instructions=61_000)
    assert table.measure([network]) == 0


def test_every_device_has_its_table(monkeypatch):
    monkeypatch.setattr("mobilenet_tf.deployment.devices.tables.Phone", Cpu)
    for meter in ("Counter", "Emulator"):
        monkeypatch.setattr(f"mobilenet_tf.deployment.devices.tables.{meter}", Instructions)
    for device in DEVICES:
        table = cost_table(device)
        assert table.device == device
        assert ("latency" in table.known) == (device in ("cpu", "phone", *NPUS))
        assert ("instructions" in table.known) == (device in (*CORES, *BOARDS))
    assert cost_table("cpu", threads=2).measured_on.endswith("2 threads")
    assert cost_table("phone", speed=False).known == COUNTED
    with pytest.raises(
        UserError, match="device is 'mcus'; it must be one of cpu, phone, cortex-a53, "
    ):
        cost_table("mcus")


def test_the_error_has_the_largest_network_that_fits():
    network = make_network("v1", 0.5, 96, 2)
    table = McuTable("mcu")
    cost = table.measure_network(network)
    require_fit(network, Budget(ram=cost.ram, flash=cost.flash), cost)
    budget = Budget(ram=100_000, flash=300_000)
    message = (
        rf"fit: flash {cost.flash:,} of 300,000 bytes and RAM {cost.ram:,} of 100,000 bytes\. "
        r"The largest that fits is --model v1 --alpha 0\.25 --size 96: RAM [\d,]+, flash [\d,]+ b"
    )
    with pytest.raises(UserError, match=message):
        require_fit(network, budget, cost)
    with pytest.raises(UserError, match="No network fits at any alpha and size"):
        require_fit(network, Budget(ram=100), cost)
    best, found = largest_that_fits(network, budget)
    assert budget.exceeded(found) == ()
    bigger = make_network("v1", best.alpha, best.input.side + 32, 2)
    assert budget.exceeded(table.measure_network(bigger))


def test_a_runner_takes_any_input(files):
    for path in (files.float32, files.uint8, files.int8):
        runner(path.read_bytes())()
