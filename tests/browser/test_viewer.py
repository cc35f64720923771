"""The viewer, driven as a visitor drives it and judged by the pixels on the screen."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import count

import numpy as np
import pytest
from playwright.sync_api import Page, Response, Route, ViewportSize, expect

from quantlib.imaging.reading import png_bytes
from tests.browser.apps.pictures import ALT, NAMES, noise
from tests.browser.chromium import settle, visit
from tests.browser.seeing import (
    Place,
    drag,
    faces,
    factor,
    middle_of,
    press,
    seen,
    stage,
    still,
    whole,
    zoom_to,
)

APP = "tests/browser/apps/viewer_app.py"
LARGE = (200, 300)  # at 400 % larger than any pane
SMALL = (32, 64)
PHONE = {
    **{"width": 390, "height": 844, "device_scale_factor": 2, "has_touch": True},
    **{"is_mobile": True, "color_scheme": "light"},
}

# Counts the decoded pictures that are held, without a hook in the viewer.
COUNT_BITMAPS = """
    window.held = 0;
    const make = window.createImageBitmap;
    window.createImageBitmap = async (...given) => {
        const bitmap = await make(...given);
        held++;
        return bitmap;
    };
    const close = ImageBitmap.prototype.close;
    ImageBitmap.prototype.close = function () {
        if (this.width) held--;
        close.call(this);
    };
"""
CHANGE_PICTURES = """async (times) => {
    const button = [...document.querySelectorAll("button")]
        .find(one => one.innerText.includes("Other pictures"));
    for (let change = 0; change < times; change++) {
        const run = () => document.querySelector("[data-testid=stText]").innerText;
        const before = run();
        button.click();
        while (run() === before) await new Promise(requestAnimationFrame);
    }
}"""


@pytest.fixture(scope="session")
def viewer_url(start_server) -> str:
    return start_server(APP)


@pytest.fixture(scope="module")
def screens(browser, viewer_url) -> Iterator[Callable[..., Page]]:
    """One page for each kind of screen, loaded once."""
    with ExitStack() as stack:

        @cache
        def screen(width: int = 1280, height: int = 900, **options) -> Page:
            size = ViewportSize(width=width, height=height)
            context = stack.enter_context(browser.new_context(viewport=size, **options))
            context.add_init_script(COUNT_BITMAPS)
            page = context.new_page()
            visit(page, viewer_url)
            return page

        yield screen


@pytest.fixture
def opened(screens) -> Callable[..., Page]:
    """opened(panes=3, size=(200, 300), mode="split", on={"width": 390}) shows a new viewer."""

    def open_viewer(on=None, size=SMALL, **asked) -> Page:
        page = screens(**(on or {}))
        page.mouse.move(1, 1)
        number = str(next(numbers))
        wanted = {"number": number, "height": size[0], "width": size[1], **asked}
        field = page.get_by_label("Asked for")
        field.fill(json.dumps(wanted))
        field.blur()
        expect(page.get_by_text(f"viewer {number} run 1", exact=True)).to_be_visible()
        rest(page)
        return page

    return open_viewer


numbers = count(1)


def rest(page: Page) -> None:
    settle(page, quiet_ms=100)
    still(page)


def pictures(count: int, size: tuple[int, int] = LARGE, series: int = 0) -> list[np.ndarray]:
    return [noise(number, series, *size).astype(int) for number in range(count)]


def left_share(page: Page) -> float:
    """The share of the stage's width that is left of the divider, by what is seen below the grip.

    As the margins of the picture look alike, it cannot tell places in them.
    """
    (pane,) = seen(page)
    zoom = factor(page) // 100
    row, line = whole(pane, zoom, SMALL)[-zoom], pictures(1, SMALL)[0][-1].repeat(zoom, 0)
    left = (row == line).all(-1).sum()
    margin = (pane.shape[1] - len(row) + 1) // 2
    return float(left + margin) / pane.shape[1]


@pytest.mark.parametrize("ratio", [1, 1.5, 2])
def test_all_panes_show_the_pixels_of_one_place(opened, ratio):
    page = opened(on={"device_scale_factor": ratio}, size=LARGE, panes=3)
    zoom_to(page, "400 %")
    before = {Place.of(pane, rgb, 4) for pane, rgb in zip(seen(page), pictures(3), strict=True)}
    assert len(before) == 1
    press(page, "ArrowRight", "ArrowUp")
    after = {Place.of(pane, rgb, 4) for pane, rgb in zip(seen(page), pictures(3), strict=True)}
    assert len(after) == 1
    (old,), (new,) = before, after
    width, height = page.locator(".face canvas").first.evaluate("c => [c.width, c.height]")
    assert new.x - old.x == pytest.approx(width / 8, abs=1)
    assert old.y - new.y == pytest.approx(height / 8, abs=1)


def test_the_wheel_keeps_the_pixel_under_the_pointer(opened):
    page = opened(size=LARGE, panes=2)
    zoom_to(page, "400 %")
    rgb = pictures(2)[1]
    width, height = page.locator(".face canvas").first.evaluate("c => [c.width, c.height]")
    page.mouse.move(*middle_of(faces(page).nth(1), 0.75, 0.75))

    def under_the_pointer() -> tuple[float, float]:
        zoom = factor(page) // 100
        place = Place.of(seen(page)[1], rgb, zoom)
        return (place.x + 0.75 * width) / zoom, (place.y + 0.75 * height) / zoom

    before = under_the_pointer()
    page.mouse.wheel(0, -200)
    expect(page.locator(".viewer .factor")).not_to_have_text("400 %")
    assert factor(page) % 100 == 0
    assert under_the_pointer() == pytest.approx(before, abs=0.5)


def test_dragging_moves_every_pane_by_as_many_pixels(opened):
    page = opened(size=LARGE, panes=2)
    zoom_to(page, "400 %")
    (old, _) = [Place.of(p, rgb, 4) for p, rgb in zip(seen(page), pictures(2), strict=True)]
    x, y = middle_of(faces(page).nth(1))
    drag(page, (x, y), (x - 33, y + 21))
    new = {Place.of(p, rgb, 4) for p, rgb in zip(seen(page), pictures(2), strict=True)}
    assert new == {Place(old.x + 33, old.y - 21)}


def test_where_nothing_is_left_to_zoom_the_wheel_scrolls_the_page(opened):
    page = opened(panes=2)
    page.set_viewport_size(ViewportSize(width=1280, height=400))
    page.mouse.move(*middle_of(faces(page).first, y=0.2))
    page.mouse.wheel(0, -100)
    still(page)
    press(page, "0")
    for _ in range(8):
        page.mouse.wheel(0, 300)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 0")
    page.set_viewport_size(ViewportSize(width=1280, height=900))


def test_a_double_click_goes_to_400_percent_and_back(opened):
    page = opened(size=LARGE, panes=2)
    fit = factor(page)
    x, y = middle_of(faces(page).first, 0.5, 0.5)
    page.mouse.dblclick(x, y)
    assert factor(page) == 400
    page.wait_for_timeout(350)  # a third click would belong to the two before
    page.mouse.dblclick(x, y)
    assert factor(page) == fit
    expect(page.get_by_text("point: None")).to_be_visible()


@pytest.mark.parametrize(
    ("size", "shrunk", "most"),
    [((400, 800), 2, 244), ((2400, 2000), 8, 344)],
    ids=["small", "large"],
)
def test_below_full_size_pixels_are_averaged(opened, size, shrunk, most):
    page = opened(size=size, panes=1, most=most)
    assert factor(page) == pytest.approx(100 / shrunk, abs=0.5)
    (pane,), (rgb,) = seen(page), pictures(1, size)
    height, width = (side // shrunk for side in size)
    mean = rgb.reshape(height, shrunk, width, shrunk, 3).mean((1, 3))
    assert np.abs(whole(pane, 1, (height, width)) - mean).mean() < 4


def test_digits_flicker_in_place_and_space_holds_the_reference(opened):
    page = opened(size=LARGE, panes=3)
    zoom_to(page, "400 %")
    places = set()
    for digit, rgb in enumerate(pictures(3), 1):
        press(page, str(digit))
        (pane,) = seen(page)
        places.add(Place.of(pane, rgb, 4))
        expect(page.get_by_role("button", name=NAMES[digit - 1])).to_have_attribute(
            "aria-pressed", "true"
        )
    assert len(places) == 1
    page.keyboard.down("Space")
    (held,) = seen(page)
    page.keyboard.up("Space")
    (let_go,) = seen(page)
    assert {Place.of(held, pictures(1)[0], 4), Place.of(let_go, rgb, 4)} == places
    press(page, "a")
    assert len(seen(page)) == 3


def test_the_reference_is_held_with_a_finger_too(opened):
    page = opened(size=LARGE, panes=2)
    zoom_to(page, "400 %")
    page.mouse.move(*middle_of(page.get_by_role("button", name="Hold for reference")))
    page.mouse.down()
    held = seen(page)
    page.mouse.up()
    assert (held[0] == held[1]).all()
    let_go = seen(page)
    assert (let_go[0] != let_go[1]).any()


@pytest.mark.parametrize("gain", [1, 10])
@pytest.mark.parametrize("signed", [False, True], ids=["absolute", "signed"])
def test_the_difference_is_that_of_numpy(opened, gain, signed):
    page = opened(size=LARGE, panes=3)
    zoom_to(page, "400 %")
    place = Place.of(seen(page)[0], pictures(1)[0], 4)
    press(page, *("dd" if signed else "d"))
    page.get_by_label("Gain", exact=True).select_option(str(gain))
    page.get_by_label("Reference", exact=True).select_option("1")
    panes, (a, b, c) = seen(page), pictures(3)
    assert (panes[1] == place.cut(b, 4, panes[1].shape)).all()
    for pane, rgb in ((panes[0], a), (panes[2], c)):
        wanted = 128 + gain * (rgb - b) if signed else gain * np.abs(rgb - b)
        assert (pane == place.cut(wanted.clip(0, 255), 4, pane.shape)).all()


def test_the_loupe_tells_the_values_of_all_panes(opened):
    page = opened(size=LARGE, panes=3)
    zoom_to(page, "400 %")
    first, second, third = pictures(3)
    place = Place.of(seen(page)[0], first, 4)
    press(page, "l")
    canvas = page.locator(".face canvas").nth(1)
    width, height = canvas.evaluate("c => [c.width, c.height]")
    page.mouse.move(*middle_of(canvas, 100.5 / width, 60.5 / height))
    x, y = (place.x + 100) // 4, (place.y + 60) // 4
    table = page.get_by_role("table")
    expect(table.locator("caption")).to_have_text(f"Pixel x {x}, y {y}")
    # A mouse that moves goes before: the arrows move on from where it was.
    press(page, "ArrowRight", "ArrowDown", "ArrowDown")
    expect(table.locator("caption")).to_have_text(f"Pixel x {x + 1}, y {y + 2}")
    rows = table.locator("tbody tr")
    for row, name, rgb in zip(rows.all(), NAMES, (first, second, third), strict=False):
        values, reference = rgb[y + 2, x + 1], first[y + 2, x + 1]
        away = " ".join(f"{d:+d}".replace("-", "−") if d else "0" for d in values - reference)
        wanted = [*map(str, values), "reference" if rgb is first else away]
        assert row.locator("th").inner_text() == name
        assert row.locator("td").all_inner_texts()[1:] == wanted
    assert rows.count() == 3


def test_keys_alone_reach_and_do_everything(opened):
    page = opened(panes=3, mode="split")
    focused = (
        "() => { let e = document.activeElement; while (e?.shadowRoot) "
        "e = e.shadowRoot.activeElement; "
        "return e?.closest('.viewer') && e.matches(':focus-visible') "
        "? [e.dataset.mode ?? e.dataset.act ?? e.dataset.set ?? e.className, "
        "getComputedStyle(e).outlineStyle] : null; }"
    )
    reached = {}
    for _ in range(30):
        page.keyboard.press("Tab")
        if found := page.evaluate(focused):
            reached[found[0]] = found[1]
    wanted = {"side", "one", "split", "in", "out", "fit", "actual", "left", "right"}
    assert wanted | {"difference", "hold", "loupe", "stage", "range"} <= reached.keys()
    assert all(outline != "none" for name, outline in reached.items() if name != "range")
    for mode in ("Side by side", "Split"):
        button = page.get_by_role("button", name=mode)
        button.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")
        assert faces(page).count() == (3 if mode == "Side by side" else 1)


def test_arrow_keys_move_the_divider(opened):
    page = opened(panes=2, mode="split", size=SMALL)
    handle = page.get_by_role("slider", name=f"Divider between {NAMES[0]} and {NAMES[1]}")
    before = seen(page)[0]
    handle.focus()
    press(page, "Tab", "Shift+Tab")
    assert (seen(page)[0] != before).any(), "the focus is not seen"
    press(page, *["ArrowRight"] * 5)
    assert left_share(page) == pytest.approx(0.6, abs=0.02)
    press(page, "ArrowLeft")
    assert left_share(page) == pytest.approx(0.58, abs=0.02)
    expect(handle).to_have_attribute("aria-valuetext", f"58 % {NAMES[0]}, 42 % {NAMES[1]}")
    press(page, "Home")
    nothing = left_share(page)
    press(page, "End")
    assert (nothing, left_share(page)) == pytest.approx((0, 1), abs=0.02)


def test_the_divider_stands_between_any_two(opened):
    page = opened(panes=3, mode="split", size=LARGE)
    page.get_by_label("Left", exact=True).select_option("2")
    page.get_by_label("Right", exact=True).select_option("0")
    zoom_to(page, "400 %")
    pane = seen(page)[0]
    first, _, third = pictures(3)
    middle = pane.shape[1] // 2
    left = Place.of(pane[:, : middle - 30], third, 4)
    right = Place.of(pane[:, middle + 30 :], first, 4)
    assert (right.x - left.x, right.y) == (middle + 30, left.y)


def test_dragging_moves_the_divider_without_a_run(opened):
    page = opened(panes=2, mode="split")
    face = faces(page)
    drag(page, middle_of(face, 0.3, 0.25), middle_of(face, 0.7, 0.25))
    assert left_share(page) == pytest.approx(0.7, abs=0.02)
    drag(page, middle_of(face, 0.7, 0.5), middle_of(face, 0.4, 0.5))
    assert left_share(page) == pytest.approx(0.4, abs=0.02)
    page.wait_for_timeout(600)
    rest(page)
    expect(page.get_by_text(re.compile("^viewer .* run 1$"))).to_be_visible()


def test_a_click_returns_the_point_and_one_on_the_handle_none(opened):
    page = opened(panes=2, mode="split")
    face = faces(page)
    page.mouse.click(*middle_of(face, 0.5, 0.5))
    page.wait_for_timeout(400)
    rest(page)
    expect(page.get_by_text("point: None")).to_be_visible()
    width, height = page.locator(".face canvas").evaluate("c => [c.width, c.height]")
    zoom = factor(page) // 100
    page.mouse.click(*middle_of(face, 0.5 - 16 * zoom / width, 0.5 + 8 * zoom / height))
    text = page.get_by_text(re.compile(r"^point: \(")).inner_text()
    x, y = map(float, re.findall(r"[\d.]+", text))
    assert (x, y) == pytest.approx((0.25, 0.75), abs=0.01)
    assert left_share(page) == pytest.approx(0.5, abs=0.02)


def test_the_mark_is_drawn_and_the_view_outlives_the_run(opened):
    page = opened(panes=2, mode="split")
    mark = page.locator(".mark")
    expect(mark).to_be_hidden()
    drag(page, middle_of(faces(page), 0.5, 0.25), middle_of(faces(page), 0.3, 0.25))
    page.get_by_text("Mark").click()
    rest(page)
    zoom = factor(page) // 100
    expect(mark).to_be_visible()
    centre, outline = middle_of(faces(page)), mark.bounding_box()
    assert outline is not None
    assert outline["x"] == pytest.approx(centre[0] - 16 * zoom, abs=1)
    assert outline["y"] == pytest.approx(centre[1], abs=1)
    assert outline["width"] == pytest.approx(16 * zoom, abs=1)
    assert outline["height"] == pytest.approx(8 * zoom, abs=1)
    assert left_share(page) == pytest.approx(0.3, abs=0.02)


def test_a_view_is_reported_and_taken(opened):
    page = opened(panes=2, size=LARGE, report=True)
    zoom_to(page, "400 %")
    expect(page.get_by_text(re.compile(r"view: View\(mode='side', zoom=4.*x=0\.5"))).to_be_visible()
    press(page, "2")
    expect(page.get_by_text(re.compile(r"view: View\(mode='one', zoom=4.*shown=1"))).to_be_visible()
    rest(page)
    assert factor(page) == 400
    page.get_by_text("Other view").click()
    rest(page)
    expect(page.locator(".factor")).to_have_text("800 %")
    assert len(seen(page)) == 2


def test_pictures_arrive_byte_for_byte_and_once(opened, screens, viewer_url):
    arrived = []
    served = f"{viewer_url}/media/"

    def listen(answer: Response) -> None:
        if answer.url.startswith(served):
            arrived.append(answer.url)

    page = screens()
    page.on("response", listen)
    page = opened(panes=2, series=100)
    page.get_by_text("Mark").click()
    rest(page)
    press(page, "1", "2", "a", "s", "d")
    page.remove_listener("response", listen)
    assert len(arrived) == 2
    wanted = {png_bytes(noise(number, 100, *SMALL)) for number in range(2)}
    assert {page.request.get(url).body() for url in arrived} == wanted


def test_a_picture_that_did_not_arrive_is_asked_for_once_more(opened, screens):
    page, asked, refusals = screens(), Counter(), 1

    def answer(route: Route) -> None:
        url = route.request.url
        asked[url] += 1
        if asked[url] <= refusals:
            route.fulfill(status=404)
        else:
            route.continue_()

    page.route("**/media/*", answer)
    page = opened(panes=2, series=200)
    assert list(asked.values()) == [2, 2]
    zoom = factor(page) // 100
    for pane, rgb in zip(seen(page), pictures(2, SMALL, series=200), strict=True):
        assert (whole(pane, zoom, SMALL) == rgb.repeat(zoom, 0).repeat(zoom, 1)).all()
    refusals = 2
    page.get_by_role("button", name="Other pictures").click()
    expect(page.locator(".pane.failed")).to_have_count(2)
    assert list(asked.values()) == [2, 2, 2, 2]
    page.unroute("**/media/*", answer)


def test_a_viewer_that_has_gone_fetches_nothing(opened):
    page = opened(panes=2)
    stage(page).focus()
    page.keyboard.down("Space")
    opened(panes=2)
    page.keyboard.up("Space")  # which the viewer that has gone waited for
    page.wait_for_timeout(300)
    assert page.evaluate("held") == 2


def test_memory_does_not_grow_with_the_pictures_seen(opened):
    page = opened(panes=2)
    assert page.evaluate("held") == 2
    stage(page).focus()
    press(page, "d")
    expect(page.locator(".viewer")).to_have_attribute("data-difference", "absolute")
    page.wait_for_function("held === 3")
    page.evaluate(CHANGE_PICTURES, 50)
    rest(page)
    still(page)
    page.wait_for_function("held === 3")
    zoom = factor(page) // 100
    (rgb,) = pictures(1, SMALL, series=50)
    assert (whole(seen(page)[0], zoom, SMALL) == rgb.repeat(zoom, 0).repeat(zoom, 1)).all()


def test_labels_are_text_and_tell_what_is_known(opened):
    page = opened(panes=6)
    for number, name in enumerate(NAMES):
        caption = page.locator(".pane .caption").nth(number)
        expect(caption).to_contain_text(name)
        facts = caption.locator(".facts").inner_text().replace("\xa0", " ")
        assert facts == f"{30 + number}.00 dB · SSIM 0.9000 · {2 * number} KiB · 0.25 s"
        expect(page.get_by_role("img", name=f"{name}: {ALT}", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("panes", [1, 6])
def test_nothing_is_cut_off_on_a_phone_in_both_themes(opened, scheme, panes):
    page = opened(on=PHONE | {"color_scheme": scheme}, panes=panes)
    main = page.get_by_test_id("stMain")
    page.get_by_role("button", name="Loupe").click()
    for mode in ("a", "s", "1"):
        stage(page).press(mode)
        press(page, "d")
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
        wide = page.locator(".viewer").evaluate(
            "v => [...v.querySelectorAll('*')].filter(e => !e.closest('.said')"
            " && e.getBoundingClientRect().right > v.getBoundingClientRect().right + 1"
            " && !e.closest('.face')).map(e => e.outerHTML)"
        )
        assert not wide
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    red = int(re.findall(r"\d+", background)[0])
    assert (red < 128) == (scheme == "dark")
    expect(page.get_by_role("button", name="Fit")).to_be_visible()
    expect(page.get_by_role("button", name="1:1")).to_have_css("background-color", background)


class Fingers:
    """Fingers on a touch screen."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def move(
        self, *paths: tuple[tuple[float, float], tuple[float, float]], steps: int = 10
    ) -> None:
        """All fingers go down, move along straight lines, and come up."""
        for step in range(steps + 1):
            share = step / steps
            points = [
                {"x": a[0] + share * (b[0] - a[0]), "y": a[1] + share * (b[1] - a[1]), "id": number}
                for number, (a, b) in enumerate(paths)
            ]
            self._send("touchMove" if step else "touchStart", points)
        self._send("touchEnd", [])

    def _send(self, kind: str, points: list[dict[str, float]]) -> None:
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_zoom_and_one_moves(opened):
    page = opened(on=PHONE, size=LARGE, panes=2)
    fingers, rgb = Fingers(page), pictures(2)
    x, y = middle_of(faces(page).first)
    fingers.move(((x - 20, y), (x - 80, y)), ((x + 20, y), (x + 80, y)))
    zoom = factor(page) // 100
    assert factor(page) == 100 * zoom and zoom >= 3
    places = [Place.of(pane, one, zoom) for pane, one in zip(seen(page), rgb, strict=True)]
    assert len(set(places)) == 1
    width, height = page.locator(".face canvas").first.evaluate("c => [c.width, c.height]")
    under = ((places[0].x + width / 2) / zoom, (places[0].y + height / 2) / zoom)
    assert under == pytest.approx((LARGE[1] / 2, LARGE[0] / 2), abs=3)
    fingers.move(((x, y), (x - 40, y - 30)))
    new = {Place.of(pane, one, zoom) for pane, one in zip(seen(page), rgb, strict=True)}
    assert new == {Place(places[0].x + 80, places[0].y + 60)}


def test_a_finger_moves_the_divider_and_taps_a_point(opened):
    page = opened(on=PHONE, panes=2, mode="split")
    face = faces(page)
    Fingers(page).move((middle_of(face, 0.4, 0.25), middle_of(face, 0.8, 0.25)))
    assert left_share(page) == pytest.approx(0.8, abs=0.03)
    page.touchscreen.tap(*middle_of(face, 0.25, 0.75))
    text = page.get_by_text(re.compile(r"^point: \(")).inner_text()
    x, y = map(float, re.findall(r"[\d.]+", text))
    assert x < 0.3 and y > 0.7
