"""A visitor's own pictures: what is looked at, pairs, the whole, and how long they stay."""

import io
import re
import zipfile
from dataclasses import astuple

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.parts.figures.region import Region
from pages.parts.shared.keeping import Keep
from pages.parts.shared.samples import TITLES
from pages.parts.shared.tab import keep_of_tabs
from pages.parts.shared.uploads import PICTURE_MEGABYTES
from pages.parts.super_resolution import own_pictures
from pages.parts.super_resolution.pictures import Subject, Whole
from pages.parts.super_resolution.reproduce import folders_of
from pages.parts.workbench import whole_view
from pages.parts.workbench.whole import WholeRun
from pages.parts.workbench.whole_view import RUN
from quantlib.imaging.profiles import profile_of_primaries
from quantlib.imaging.reading import MAX_PIXELS, Picture, png_bytes
from quantlib.imaging.samples import load_sample
from quantlib.tasks.super_resolution import reduced
from tests.imaging.picture_files import raw_png, saved
from tests.pages import said
from tests.pages.test_pages import fine, opened

CAT = load_sample("cat").rgb[:90, :120]
LOW, TRUTH = reduced(CAT[:48, :48], 2)
OWN = {"picture": TITLES["upload"], "method": "FP32"}


def with_picture(content: bytes, name: str = "cat.png", **query: str) -> AppTest:
    app = opened("workbench", **OWN | query)
    return app.file_uploader(key="upload").upload(name, content).run()


def captions(app: AppTest) -> str:
    return "\n".join(said.captions(app))


# Regions


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "-1,0,5,5", "0,0,0,5", "1.5,0,4,4"])
def test_what_is_no_region(text):
    assert Region.of(text) is None


@pytest.mark.parametrize(
    "sent", [None, [], [1, 2, 3], [0, 0, 1e400, 5], ["1", 2, 3, 4], [0, -1, 2, 2]]
)
def test_what_a_browser_could_not_send(sent):
    assert Region.of_numbers(sent) is None


def test_a_region_comes_back_as_it_went():
    region = Region(3, 5, 70, 90)
    assert Region.of(region.text) == Region.of_numbers(list(astuple(region))) == region


def test_a_region_cuts_rows_and_columns():
    np.testing.assert_array_equal(Region(20, 10, 5, 7).cut(CAT), CAT[10:17, 20:25])
    whole = np.kron(CAT, np.ones((2, 2, 1), np.uint8))
    np.testing.assert_array_equal(Region(20, 10, 5, 7).times(2).cut(whole), whole[20:34, 40:50])


def test_a_large_region_is_cut_around_its_middle():
    assert Region.middle(4000, 3000, 512) == Region(1744, 1244, 512, 512)
    assert Region(100, 0, 512, 300).limited(256) == Region(228, 22, 256, 256)
    assert not Region(100, 0, 512, 300).fits(611, 300) and Region(100, 0, 512, 300).fits(612, 300)


def test_the_address_says_what_is_looked_at():
    app = with_picture(png_bytes(CAT), role="input", region="30,20,48,40")
    assert fine(app) and "48×40 → 96×80. 48×40 of 120×90 pixels" in captions(app)
    app = with_picture(png_bytes(CAT), role="input")
    assert fine(app) and "120×90 → 240×180" in captions(app)
    app = with_picture(png_bytes(CAT), role="truth", region="30,20,48,40")
    assert fine(app) and "24×20 → 48×40" in captions(app)


def test_a_region_larger_than_the_picture_is_one_sentence_and_the_page_stays():
    app = with_picture(png_bytes(CAT), role="input", region="0,0,512,512")
    assert not app.exception and len(app.error) == 1
    assert "reaches beyond cat.png of 120×90" in app.error[0].value.replace("\\", "")
    assert "120×90 → 240×180" in captions(app) and app.subheader[0].value.startswith("FP32")


def test_another_picture_is_not_looked_at_where_the_first_was():
    app = with_picture(png_bytes(CAT), role="input", region="30,20,48,40")
    app.file_uploader(key="upload").upload("other.png", png_bytes(CAT[:, ::-1])).run()
    assert fine(app) and "120×90 → 240×180" in captions(app)
    assert "region" not in app.query_params


# What is refused


def test_30_megapixels_are_refused_undecoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    app = with_picture(raw_png(6000, 5000, 8, 2, bytes(50)), "huge.png")
    assert not app.exception and len(app.error) == 1
    assert f"above the limit of {MAX_PIXELS:,}" in app.error[0].value


def test_a_picture_of_as_many_pixels_as_may_be_fits_the_field():
    assert 4 * MAX_PIXELS <= PICTURE_MEGABYTES * 2**20


def test_a_picture_is_decoded_once(monkeypatch):
    read, count = own_pictures.decode_apart, []
    monkeypatch.setattr(
        own_pictures, "decode_apart", lambda *given: count.append(1) or read(*given)
    )
    app = with_picture(png_bytes(CAT[:50, :50]), "once.png", role="input")
    app.selectbox(key="method").set_value("direct").run()
    app.segmented_control(key="role").set_value("truth").run()
    assert fine(app) and len(count) == 1
    app.file_uploader(key="upload").upload("bad.png", b"no picture").run()
    app.slider(key="bits").set_value(5).run()
    assert len(app.error) == 1 and len(count) == 2


# Pairs


def with_pair(low: np.ndarray, truth: np.ndarray) -> AppTest:
    app = with_picture(png_bytes(low), "low.png", role="pair")
    assert fine(app) and "Its truth is still to be dropped." in app.info[0].value
    return app.file_uploader(key="original").upload("high.png", png_bytes(truth)).run()


def test_a_pair_is_measured_as_its_reduction_would_be():
    app = with_pair(LOW, TRUTH)
    assert fine(app)
    alone = with_picture(png_bytes(TRUTH), "high.png", role="truth")
    assert app.subheader[0].value == alone.subheader[0].value
    assert "--hr HR --lr LR" in app.code[0].value


def test_a_pair_is_handed_out_in_two_folders():
    whole = Whole("digest", Picture(LOW, None, "low.png"), reduced=False)
    pair = Subject("digest", "low.png", "low.png", LOW, TRUTH, whole=whole)
    with zipfile.ZipFile(io.BytesIO(folders_of(pair))) as held:
        for member, rgb in (("LR/picture.png", LOW), ("HR/picture.png", TRUTH)):
            np.testing.assert_array_equal(np.asarray(Image.open(held.open(member))), rgb)


@pytest.mark.parametrize(("rows", "columns"), [(-1, 0), (1, 1), (0, -1)])
def test_a_pair_may_lack_what_a_reduction_cuts_off(rows, columns):
    truth = np.pad(TRUTH, [(0, 1), (0, 1), (0, 0)])[: 48 + rows, : 48 + columns]
    assert fine(with_pair(LOW, truth))


@pytest.mark.parametrize("height", [46, 50, 24])
def test_a_pair_that_does_not_fit_is_one_sentence(height):
    app = with_pair(LOW, np.resize(TRUTH, (height, 48, 3)))
    assert not app.exception and len(app.error) == 1
    assert "does not belong to a result of 48×48" in app.error[0].value
    app.selectbox(key="picture").set_value("cat").run()
    assert fine(app)


# How long it stays


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_kept_goes_after_its_time():
    clock = Clock()
    keep = Keep(100, 60, clock)
    keep.put("secret", "picture", "cat", 10)
    clock.now = 50
    assert keep.get("secret", "picture") == "cat" and keep.knows("secret")
    clock.now = 110
    assert keep.get("secret", "picture") == "cat"  # it was used in between
    clock.now = 171
    assert not keep.knows("secret") and keep.get("secret", "picture") is None


def test_what_is_kept_goes_where_nobody_comes_any_more():
    keep = Keep(100, 60, clock := Clock())
    keep.put("secret", "picture", "cat", 10)
    clock.now = 61
    keep._sweep()
    assert not keep._kept and not keep._sweeping


def test_what_was_used_last_stays():
    keep = Keep(100, 60, Clock())
    for name in "abc":
        keep.put(name, "picture", name, 40)
        keep.get("a", "picture")
    assert [keep.get(name, "picture") for name in "abc"] == ["a", None, "c"]
    keep.put("c", "picture", "smaller", 1)
    keep.put("d", "picture", "d", 59)
    assert keep.get("a", "picture") == "a"


def test_nobody_else_sees_it():
    keep = Keep()
    keep.put("mine", "picture", "cat", 1)
    assert keep.get("yours", "picture") is None and not keep.knows("yours")
    keep.drop("yours", "picture")
    assert keep.get("mine", "picture") == "cat"


def test_another_visit_has_nothing_and_a_removed_picture_is_gone():
    app = with_picture(png_bytes(CAT[:50, :50]), role="input")
    assert opened("workbench", **OWN).info[0].value.startswith("No picture yet")
    app.selectbox(key="picture").set_value("cat").run()
    app.selectbox(key="picture").set_value("upload").run()  # the field is empty now
    assert fine(app) and "50×50" in captions(app)
    secret = app.session_state["secret of the tab"]
    assert re.fullmatch(r"[\w-]{43}", secret) and secret not in str(app.query_params)


# The whole


def enlarged(app: AppTest) -> tuple[str, Image.Image]:
    """Goes through all steps; the name of the file, and what is in it."""
    app.button(key="estimate").click().run()
    assert fine(app) and re.search(r"about [\d.]+ (s|min) and [\d,]+ MB of memory", captions(app))
    app.button(key="enlarge").click().run()
    run = keep_of_tabs().get(app.session_state["secret of the tab"], RUN)
    assert isinstance(run, WholeRun)
    run.wait(60)
    assert run.error is None
    app.run()
    assert fine(app)
    labels = [one.proto.label for one in app.get("download_button")]
    assert f"Download {run.order.name}" in labels
    return run.order.name, Image.open(io.BytesIO(run.content()))


def test_the_whole_picture_keeps_alpha_and_profile():
    rgba = np.dstack([CAT[:50, :40], np.full((50, 40), 128, np.uint8)])
    profile = profile_of_primaries(1.0)
    photo = saved(Image.fromarray(rgba), icc_profile=profile)
    app = with_picture(photo, "my photo.png", role="input", region="0,0,32,32")
    name, image = enlarged(app)
    assert name == "my-photo-x2-fp32.png"
    assert (image.mode, image.size, image.info["icc_profile"]) == ("RGBA", (80, 100), profile)
    assert set(np.asarray(image)[..., 3].flat) == {128}


def test_the_whole_truth_is_reduced_first():
    direct = {"method": "Direct", "bits": "3"}
    app = with_picture(png_bytes(CAT[:50, :40]), "photo.png", region="0,0,40,40", **direct)
    name, image = enlarged(app)
    assert name == "photo-x2-direct-n3.png" and image.size == (40, 50)
    assert np.abs(np.asarray(image).astype(int) - CAT[:50, :40]).mean() < 12


def test_what_the_memory_does_not_allow_is_one_sentence(monkeypatch):
    monkeypatch.setattr(whole_view, "memory_at_hand", lambda: 1_000)
    app = with_picture(png_bytes(CAT[:50, :40]), "photo.png", role="input")
    app.button(key="estimate").click().run()
    assert not app.exception and len(app.error) == 1
    assert "more memory than there is at hand" in app.error[0].value
    assert "enlarge" not in [one.key for one in app.button]


def test_a_result_that_is_too_large_is_said_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr("quantlib.tasks.whole_picture.MOST_PIXELS", 7_999)
    app = with_picture(png_bytes(CAT[:50, :40]), "photo.png", role="input")
    assert "The whole result would have 80×100 pixels" in app.error[0].value
    assert "estimate" not in [one.key for one in app.button]


def test_a_sample_has_no_whole_to_enlarge():
    app = opened("workbench", picture="Cat", method="FP32")
    assert fine(app) and "estimate" not in [one.key for one in app.button]
