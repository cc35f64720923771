"""The Memory page: all methods, the reading line, the download, and what runs on demand."""

import csv
import io
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.said import captions

ROOT = Path(__file__).parents[2]
FAMILIES = {
    *("plain uniform", "uniform, unsigned", "uniform, MSE clip", "power-of-two", "DQA"),
    *("DQA, coded base", "entropy coding"),
}


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "memory.py"), default_timeout=280)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def fine(app: AppTest) -> bool:
    return not app.exception and not app.error


@pytest.fixture(scope="module")
def page() -> AppTest:
    return opened(picture="Cat")


def test_every_method_is_measured(page):
    assert fine(page)
    points = page.dataframe[0].value
    assert set(points["method"]) == FAMILIES
    assert (points["total in bytes"] < points["FP32 in bytes"]).all()
    operations = page.dataframe[1].value
    assert operations["count"].iloc[0] > operations["count"].iloc[1] > 0
    quality = points[points["method"] == "plain uniform"]["PSNR in dB"].tolist()
    assert len(quality) == 7 and quality == sorted(quality)
    plain = points[points["method"] == "DQA"]
    coded = points[points["method"] == "DQA, coded base"]
    pairs = coded.merge(plain, on=["n in bits", "m in bits", "r"])
    assert len(pairs) >= 3
    assert (pairs["PSNR in dB_x"] == pairs["PSNR in dB_y"]).all()
    assert (pairs["total in bytes_x"] < pairs["total in bytes_y"]).all()


def test_the_reading_line_moves(page):
    assert fine(page.slider(key="equal").set_value(3.0).run())
    rows = page.table[0].value
    assert set(rows.iloc[:, 0].str.replace("\N{NON-BREAKING HYPHEN}", "-").str.replace("\xa0", " ")
               ) == FAMILIES  # fmt: skip
    said = [m.value for m in page.markdown if "bits per activation" in m.value]
    assert "At 3.00 bits" in said[-1] and "lose to plain uniform" in said[-1]
    assert fine(page.slider(key="equal").set_value(8.5).run())
    assert all("outside" in cell for cell in page.table[0].value.iloc[:, 1])
    said = [m.value for m in page.markdown if "bits per activation" in m.value]
    assert "was not measured" in said[-1]


def test_all_points_can_be_downloaded(page):
    (button,) = page.get("download_button")
    assert button.label == "Download all points as CSV"
    rows = page.dataframe[0].value
    text = io.StringIO(rows.to_csv(index=False))
    assert len(list(csv.DictReader(text))) == len(rows) > 30


def test_codecs_and_latency_run_when_asked(page):
    assert len(page.table) == 1
    page.button(key="Compare the codecs button").click().run()
    assert fine(page)
    errors, codes, layers = (table.value for table in page.table[1:])
    assert len(errors) == len(codes) == 7
    assert "nothing" in " ".join(layers.iloc[:, 1]) and len(layers) == 34
    page.button(key="Time the stages button").click().run()
    assert fine(page)
    assert len(page.table) == 6 and len(page.table[4].value) == 5
    assert any("on this machine" in caption for caption in captions(page))
