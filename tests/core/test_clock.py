"""Files are written whatever the clock shows."""

import time
import zipfile

import numpy as np
import pytest

from mobilenet_tf.core.files import write_atomically


@pytest.mark.parametrize("year", [1970, 1979, 2026, 2150])
def test_any_clock_writes_zip_files(tmp_path, monkeypatch, year):
    shown = time.struct_time((year, 1, 1, 0, 0, 0, 3, 1, 0))
    monkeypatch.setattr(time, "localtime", lambda *_: shown)
    plain = zipfile.ZipInfo
    file = tmp_path / "checkpoint.npz"

    def write(partial):
        with partial.open("wb") as opened:
            np.savez(opened, weights=np.arange(3))

    write_atomically(file, write)
    with np.load(file) as found:
        assert found["weights"].tolist() == [0, 1, 2]
    assert zipfile.ZipInfo is plain
