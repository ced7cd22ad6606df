"""Report and card from made-up results: complete, partial, hostile, small and large."""

import re

import pytest

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.deployment.report.card import write_card
from mobilenet_tf.deployment.report.derived import wilson
from mobilenet_tf.deployment.report.format import percent, points
from mobilenet_tf.deployment.report.page import write_report
from mobilenet_tf.deployment.report.verdict import checks, headline
from mobilenet_tf.runs.folder import RunFolder
from tests.export.report.made_up import DIGITS, HOSTILE, Page, finished, page_of, read, store


def test_report_and_card_state_the_metrics(tmp_path):
    result = finished(DIGITS)
    run = store(tmp_path, result)
    run.config_file.write_text("")
    _, page = page_of(run)
    card = write_card(run).read_text(encoding="utf-8")
    for share in result["accuracy"].values():
        assert f"{share:.1%}" in page.text
        assert f"{share:.1%}" in card
    low, high = wilson(result["accuracy"]["int8"], 309)
    for text in (page.text, card):
        assert f"{low:.1%} to {high:.1%}" in text
        assert "The int8 file keeps the accuracy of the float network." in text
        assert "515,564" in text
        assert "signs" in text
        assert "/home/someone" not in text
        assert "0.00784313772" in text
        assert f"mobilenet-tf run --config {tmp_path.name}/config.toml" in text
        assert str(tmp_path) not in text
    assert "An estimated 3 of 2,062 labels are wrong" in page.text
    assert page.text.count("it is cut short") == 50
    assert "61 files skipped, the first 50" in page.text
    assert "block_8_depthwise: 18.4 dB" in page.text
    for shown in ("top 5", "99.7%", "calibration error", "6.8%", "Robustness", "7.5%"):
        assert shown in page.text
    assert page.tags.count("img") == 12
    assert page.tags.count("svg") == 4
    assert "Licence" in card


def test_same_result_gives_the_same_bytes(tmp_path):
    run = store(tmp_path, finished(DIGITS))
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_svg_takes_its_colours_from_the_page(tmp_path):
    source, _ = page_of(store(tmp_path, finished(DIGITS)))
    drawings = "".join(re.findall(r"<svg.*?</svg>", source, re.S))
    assert "var(--accent)" in drawings
    assert not re.search(r"#[0-9a-f]{6}\b", drawings)
    assert "font-family" not in drawings


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 8, 10, 12, 15])
def test_an_unfinished_run_leaves_out_what_is_missing(tmp_path, count):
    result = dict(list(finished(DIGITS).items())[: count + 1])
    run = store(tmp_path, result)
    _, page = page_of(run)
    card = write_card(run).read_text(encoding="utf-8")
    assert ("Confusion matrix" in page.text) == ("confusion" in result)
    assert ("Accuracy of the int8 file: not measured" in card) == ("accuracy" not in result)
    assert "None" not in card


def test_sections_with_holes(tmp_path):
    result = finished(DIGITS)
    result["accuracy"] = {"float": 0.9, "int8": None}
    result["history"] = {"float": {"loss": [1.0], "accuracy": [float("nan")]}, "qat": {}}
    result["tflite"] |= {"partitions": None, "left_out": None, "input": None}
    result["parity"] = {"images": 0}
    result["worst"][0]["picture"] = "../../secret.png"
    result["blocks"][3]["sqnr_db"] = None
    run = store(tmp_path, result, 16)
    (tmp_path / "worst" / "03.png").write_text("no picture")
    (tmp_path / "worst" / "04.png").unlink()
    source = write_report(run).read_text(encoding="utf-8")
    page = Page(source)
    assert page.tags.count("img") == 9
    assert "not measured" in page.text
    write_card(run)


def test_a_folder_without_a_result(tmp_path):
    for write in (write_report, write_card):
        with pytest.raises(UserError, match="has no metrics"):
            write(RunFolder(tmp_path))


def test_names_from_outside_are_shown_not_obeyed(tmp_path):
    names = [HOSTILE, "<script>alert(1)</script>", "a\x00b\udc80", "]]>--><!--", "$p^2$", "a|b"]
    result = finished(names, 240, 0.7)
    result["data"]["source"] = "photos/<i>x</i>"
    result["blocks"][3]["name"] = '"(#x)<g>'
    result["parity"]["worst_block"] = '"(#x)<g>'
    result["versions"]["<u>"] = "<s>"
    run = store(tmp_path, result)
    source, page = page_of(run)
    card = write_card(run).read_text(encoding="utf-8")
    assert "<b>&\"' $x$ | Käse 日本 \ufffd`~" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert not {"script", "i", "u", "s"} & set(page.tags) - {"i"}
    assert "<i>x" not in source
    assert "\x00" not in source
    assert "<script" not in card
    assert "\\`\\~" in card
    assert "a\\|b" in card


@pytest.mark.parametrize(("classes", "matrix", "heat"), [(2, 1, 0), (20, 1, 0), (40, 0, 1)])
def test_confusion_suits_the_number_of_classes(tmp_path, classes, matrix, heat):
    names = [f"class {i}" for i in range(classes)]
    source, page = page_of(store(tmp_path, finished(names, 800)))
    assert source.count('<table class="matrix') == matrix
    assert source.count('class="heat"') == heat
    assert "Most confused" in page.text


@pytest.mark.slow
def test_a_thousand_classes(tmp_path):
    names = [f"class number {i}" for i in range(1000)]
    result = finished(names, 5000, 0.6)
    run = store(tmp_path, result, 1024)
    source, page = page_of(run)
    assert "Confusion matrix" not in page.text
    assert "Hardest classes" in page.text
    assert "and 900 more" in page.text
    assert len(source) < 800_000
    assert len(write_card(run).read_text()) < 20_000


def test_headline_names_the_first_thing_that_is_wrong():
    result = finished(DIGITS)
    lost = result | {"accuracy": {"float": 0.97, "int8": 0.927}}
    assert headline(read(lost)) == "The int8 file loses 4.3 points compared with float."
    other = result | {"parity": {"images": 309, "top1_agreement": 0.8}}
    assert headline(read(other)) == (
        "The file predicts a different class than the trained network for 20.0% of the images."
    )
    mixed = result | {"tflite": {"float_tensors": 9, "partitions": 20}}
    assert headline(read(mixed)) == "The file still contains 9 float tensors."
    assert [check.passed for check in checks(read(mixed))] == [True, True, False, False]
    few = {"data": {"test": 90}, "parity": {"top1_agreement": 89 / 90}, "tflite": {}}
    few["accuracy"] = {"float": 80 / 90, "int8": 79 / 90}
    assert [check.passed for check in checks(read(few))] == [True, True, None, None]
    chance = result | {"accuracy": {"float": 0.1, "int8": 0.1}}
    assert "no better than always predicting" in headline(read(chance))
    assert headline(read({"model": {}})) == "Nothing is measured yet."


def test_numbers_in_words():
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(1.0, 10)[1] == pytest.approx(1)
    assert [percent(x) for x in (1, 0.9996, 0.974, 0, 0.0001)] == [
        "100.0%", "99.96%", "97.4%", "0.0%", "0.01%",
    ]  # fmt: skip
    assert points(-0.0432) == "\u22124.3 points"
    assert points(0.0002) == "0.0 points"
