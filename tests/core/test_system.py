"""The name of a processor tells it from others, whose measured times are not its own."""

from pathlib import Path

import pytest

from mobilenet_tf.core import system

PC = "processor\t: 0\ncpu family\t: 6\nmodel name\t: Xeon 2.5 GHz\ncpu cores\t: 2\n"
ARM = "processor\t: {}\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: {}\n\n"


@pytest.mark.parametrize(
    ("cpuinfo", "board", "known"),
    [
        (PC + PC, "", "Xeon 2.5 GHz"),
        (
            ARM.format(0, "0xd08") + ARM.format(1, "0xd03"),
            "Some Board Rev 1.1\0",
            "Some Board Rev 1.1, CPU implementer 0x41, CPU part 0xd08, CPU part 0xd03",
        ),
        (ARM.format(0, "0xd0b"), "", "CPU implementer 0x41, CPU part 0xd0b"),
        ("processor : 0\nuarch : sifive,u74-mc\n", "", "sifive,u74-mc"),
        ("processor : 0\n", "", ""),
    ],
)
def test_what_linux_says_of_a_processor(cpuinfo, board, known, monkeypatch):
    texts = {"/proc/cpuinfo": cpuinfo, "/proc/device-tree/model": board}
    monkeypatch.setattr(Path, "read_text", lambda path, **_: texts[str(path)])
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert system.known_processor() == known
    assert system.processor() == (known or "aarch64")
