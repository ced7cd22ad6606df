"""The section on pruned and clustered kernels, and the curves of their stages."""

from tests.export.report.made_up import DIGITS, HOSTILE, curves, finished, page_of, store

KERNEL = {
    **{"op": "CONV_2D", "shape": [128, 1, 1, 64], "zeros": 0.753, "values": 16, "entropy": 1.53},
    **{"bytes": 8192, "stored_as": "huffman", "stored_bytes": 1876},
}
PLAIN = {
    **KERNEL,
    **{"op": "DEPTHWISE_CONV_2D", "shape": [1, 3, 3, 64], "stored_as": "plain"},
    **{"bytes": 576, "stored_bytes": 576},
}
ONE, FEW = {"values": 16}, {"values": 16, "sparsity": 0.75}


def compressed() -> dict:
    result = finished(DIGITS)
    result["history"] |= {"prune": curves(5, 0.4), "cluster": curves(4, 0.3)}
    result["compression"] = {"stages": ["prune", "cluster", "qat"], "kernels": [PLAIN, KERNEL]}
    return result


def test_what_kernels_hold_is_in_the_report(tmp_path):
    _, page = page_of(store(tmp_path, compressed()))
    assert "Stages after float training: prune, cluster, qat." in page.text
    assert "8,768 bytes, stored 2,452" in page.text
    for said in ("75.3%", "1.53", "huffman", "pruning", "clustering"):
        assert said in page.text
    assert "kernel alone" not in page.text


def test_the_choice_by_sensitivity_is_in_the_report(tmp_path):
    result = compressed()
    result["compression"] |= {
        **{"max_flash": 130000.0, "predicted_bytes": 120001, "built_bytes": 123456},
        "trials": [
            {"kernel": HOSTILE, "setting": {}, "bytes": 8192, "loss": 0.0, "score": 0.0},
            {"kernel": HOSTILE, "setting": ONE, "bytes": 4300, "loss": 0.0031, "score": 0.002},
            {"kernel": HOSTILE, "setting": FEW, "bytes": 1876, "loss": 0.0123, "score": -0.004},
        ],
        "chosen": {HOSTILE: FEW},
    }
    _, page = page_of(store(tmp_path, result))
    assert "were chosen within 130,000 bytes" in page.text
    assert "predicted to have 120,001 bytes, and has 123,456" in page.text
    for said in ("as it is", "+0.0123", "chosen"):
        assert said in page.text
    assert page.text.count("16 values, 75% zeros") == 1  # in the table
    assert page.text.count("16 values") == 3  # and a line of the plot


def test_other_runs_have_no_such_section(tmp_path):
    _, page = page_of(store(tmp_path, finished(DIGITS)))
    assert "Stages after float training" not in page.text
