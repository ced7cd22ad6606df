"""The page for everybody: names of controls, keyboard, contrast, narrow screens, no requests."""

import pytest

from mobilenet_tf.core.inputs import InputSpec
from tests.export.devices.web.conftest import DIGITS
from tests.export.devices.web.test_pictures import picture, spoken

pytestmark = pytest.mark.web
SCHEMES = ("light", "dark")
CONTRAST = 4.5  # WCAG 2.2, level AA, for text
TARGET = 24  # CSS pixels, WCAG 2.2, level AA
CONTRASTS = """
() => {
  const channel = (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    const [red, green, blue, alpha = 1] = numbers(getComputedStyle(element).backgroundColor);
    const above = element.parentElement;
    return alpha === 0 && above ? ground(above) : [red, green, blue];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    if (!text.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest(":disabled, .hidden, script, option")) continue;
    const [light, dark] = [numbers(getComputedStyle(element).color), ground(element)]
      .map(luminance)
      .sort((a, b) => b - a);
    found.push([text.textContent.trim(), (light + 0.05) / (dark + 0.05)]);
  }
  return found;
}"""


def test_nothing_comes_from_elsewhere(page, digits):
    """Every request is for the page's own folder; the policy forbids others."""
    page.choose(picture(digits[7]))
    spoken(page, "seven.png")
    assert len(page.requests) > 15
    assert [one for one in page.requests if not one.startswith(page.url)] == []
    refused = page.call(
        """async () => {
          const violations = [];
          document.addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
            violations.push(violatedDirective));
          const results = await Promise.allSettled([
            fetch("http://127.0.0.1:9/"),
            fetch("https://example.com/"),
            new Promise((resolve, reject) => {
              const image = new Image();
              image.onload = resolve;
              image.onerror = reject;
              image.src = "http://127.0.0.1:9/a.png";
            }),
          ]);
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          await new Promise((resolve) => setTimeout(resolve, 50));
          return [results.map((one) => one.status), violations, window.ran ?? false];
        }"""
    )
    assert refused[0] == ["rejected"] * 3
    assert sorted(refused[1]) == ["connect-src", "connect-src", "img-src", "script-src-elem"]
    assert refused[2] is False


def focusable(page) -> list[tuple[str, str]]:
    """(role, name) of everything that the keyboard reaches, as screen readers are told."""
    nodes = page.cdp("Accessibility.getFullAXTree")["nodes"]
    return [
        (node["role"]["value"], node["name"]["value"].strip())
        for node in nodes
        if not node["ignored"]
        and any(one["name"] == "focusable" and one["value"]["value"] for one in node["properties"])
        and node["role"]["value"] != "RootWebArea"
    ]


def test_every_control_has_a_name(page, digits):
    page.choose(picture(digits[3], "3.png"), picture(digits[7], "7.png"))
    spoken(page, "7.png")
    found = focusable(page)
    assert {"Start camera", "Choose pictures", "Open another model", "Appearance"} <= {
        name for _, name in found
    }
    assert [role for role, name in found if not name] == []
    assert len(set(found)) == len(found)
    # What is announced, and in which order the page is read.
    tree = page.page.locator("body").aria_snapshot()
    for part in (
        'heading "Most likely"',
        "list",
        "status",
        "alert",
        'img "7.png"',
        'list "Pictures"',
    ):
        assert part in tree, tree
    assert page.call("() => document.documentElement.lang") == "en"


def test_the_keyboard_alone(open_page, films, digits):
    """Tab reaches every control in the order in which it is read; Enter and space press it."""
    from tests.export.devices.web.test_camera import frame

    page = open_page(*films("digit_7", [frame(digits[7])]))
    keyboard = page.page.keyboard
    reached = []
    for _ in range(6):
        keyboard.press("Tab")
        reached.append(
            page.call("() => document.activeElement.id || document.activeElement.tagName")
        )
        outline = page.call(
            """() => {
              const element = document.activeElement.closest(".button") ?? document.activeElement;
              return getComputedStyle(element).outlineStyle;
            }"""
        )
        assert outline == "solid", reached
    assert reached == ["camera", "pictures", "SUMMARY", "model", "theme", "A"]
    page.locator("#camera").focus()
    keyboard.press("Enter")
    page.locator("#bars li").first.wait_for()
    keyboard.press("Tab")
    keyboard.press("Space")
    assert page.button("Freeze").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("chosen", [False, True])
def test_contrast(open_page, digits, scheme, chosen):
    """Of every text, light and dark, by the system's setting and by the page's."""
    other = SCHEMES[1 - SCHEMES.index(scheme)]
    page = open_page(color_scheme=other if chosen else scheme)
    if chosen:
        page.page.get_by_label("Appearance").select_option(scheme)
    page.open_model("broken.tflite", b"")
    page.choose(picture(digits[7]), {"name": "x.png", "mimeType": "image/png", "buffer": b""})
    spoken(page, "seven.png")
    page.wait("() => document.getElementById('error').textContent")
    found = page.call(CONTRASTS)
    assert len(found) > 30
    assert [one for one in found if one[1] < CONTRAST] == []
    ground = page.call("() => getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, ground[4:-1].split(","))) < 128) == (scheme == "dark")


def test_the_appearance_is_remembered(page):
    page.page.get_by_label("Appearance").select_option("dark")
    page.page.reload()
    assert page.page.get_by_label("Appearance").input_value() == "dark"
    assert page.call("() => document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("width", [320, 390])
def test_a_narrow_screen(open_page, digits, width):
    """Nothing is cut off; what can be touched is large enough, also with text twice as large."""
    page = open_page(viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True)
    page.choose(picture(digits[7], "a_rather_long_name_of_a_picture_of_a_handwritten_seven.png"))
    spoken(page, "a_rather_long")
    for size in ("100%", "200%"):
        page.call("(size) => { document.documentElement.style.fontSize = size }", size)
        assert page.call("() => document.documentElement.scrollWidth") <= width, size
        boxes = page.call(
            """() => [...document.querySelectorAll("button, .button, select, summary")]
              .filter((one) => one.checkVisibility())
              .map((one) => one.getBoundingClientRect())
              .map(({ width, height, left, right }) => [width, height, left, right])"""
        )
        for wide, high, left, right in boxes:
            assert min(wide, high) >= TARGET
            assert 0 <= left < right <= width


def test_the_facts_are_the_file_s(page):
    """The digits of the Android app."""
    facts = page.text("facts")
    size = DIGITS.stat().st_size
    assert InputSpec(32, 1).mean == 128
    for fact in (
        f"model.tflite, {size:,} bytes", "32 \u00d7 32 pixels, grey, uint8",
        "the largest centred square",
        "bilinear", "(pixel \u2212 128) / 127.5", "10 values, uint8", "1.14.0",
    ):  # fmt: skip
        assert fact in facts
    assert page.page.title() == page.text("title") == "MobileNet v1 0.25 32x32, int8"
