"""Every page under AppTest: opened directly, through the router, and with what a visitor may do."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared.samples import TITLES
from pages.parts.super_resolution.networks import DEFAULT
from quantlib.imaging.reading import png_bytes
from quantlib.imaging.samples import SAMPLES, load_sample
from quantlib.ptq.methods import METHODS
from tests.pages.said import captions

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("pages/*.py"))
CONVENTIONS = {"classify": "Top-1", "segment": "IoU", "tour": "Computed here"}


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def fine(app: AppTest) -> bool:
    return not app.exception and not app.error


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_opened_directly(page: Path, few_points):
    app = opened(page.stem)
    assert fine(app)
    assert app.title[0].value
    said = "".join(c.value for c in (*app.caption, *app.info))
    assert CONVENTIONS.get(page.stem, "PSNR") in said or "is bundled" in said


def test_the_router_leads_to_the_workbench():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert fine(app)
    assert app.title[0].value == "Workbench"


def test_workbench_tells_the_story_before_a_click():
    app = opened("workbench")
    sentence = app.subheader[0].value
    assert sentence.startswith("2-bit DQA keeps ")
    assert "bits per activation" in sentence and "times smaller than FP32" in sentence


@pytest.mark.parametrize("method", sorted(METHODS))
def test_workbench_with_every_method(method):
    app = opened("workbench", method=METHODS[method].title, picture="Cat")
    assert fine(app)
    assert app.selectbox(key="method").value == method


@pytest.mark.parametrize("method", ["dqa", "entropy", "rlq"])
def test_workbench_with_a_transformer(method):
    query = {"method": METHODS[method].title, "network": "builtin:quantsr-t-x2-fp32"}
    app = opened("workbench", picture="Cat", **query)
    if method == "entropy":
        assert fine(app) and "2,700 channels" in app.info[0].value and not app.subheader
        app.button(key="asked for Find the steps of entropy coding").click().run()
    assert fine(app)
    assert "dB" in app.subheader[0].value


@pytest.mark.parametrize("picture", [sample.key for sample in SAMPLES])
def test_workbench_with_every_picture(picture):
    app = opened("workbench", picture=TITLES[picture], method="Direct")
    assert fine(app)
    assert app.selectbox(key="picture").value == picture


def test_settings_come_from_the_address():
    app = opened("workbench", bits="5", m="1", r="0.2", criterion="Energy")
    assert fine(app)
    assert app.subheader[0].value.startswith("5-bit DQA")
    code = "\n".join(c.value for c in app.code)
    assert "--bits 5 --extra-bits 1 --important 0.2 --criterion energy" in code


def test_changing_bits_changes_the_numbers():
    app = opened("workbench")
    before = app.subheader[0].value
    app.slider(key="bits").set_value(6).run()
    assert fine(app)
    assert app.subheader[0].value != before and app.subheader[0].value.startswith("6-bit")


def test_reproduce_lines_give_the_number_on_the_page(capsys):
    app = opened("workbench", picture="Cat", bits="4")
    lines = next(c.value for c in app.code if c.language == "python")
    exec(lines, {})
    psnr, total, bits = capsys.readouterr().out.split()
    assert f"keeps {float(psnr):.2f} of" in app.subheader[0].value
    assert f"at {float(bits):.2f} bits per activation" in app.subheader[0].value
    assert int(total) > 0


def test_an_upload_is_reduced_and_measured():
    app = opened("workbench", picture=TITLES["upload"])
    assert fine(app) and "No picture yet" in app.info[0].value
    content = png_bytes(load_sample("coffee", 96).rgb)
    app.file_uploader(key="upload").upload("cup_[1].png", content, "image/png").run()
    assert fine(app)
    assert "dB" in app.subheader[0].value
    app.segmented_control(key="role").set_value("input").run()
    assert fine(app)
    assert "takes" in app.subheader[0].value


@pytest.mark.parametrize(
    "content",
    [b"just some words", b"", png_bytes(load_sample("cat", 96).rgb)[:900]],
    ids=["text", "empty", "truncated"],
)
def test_a_bad_upload_is_one_sentence(content):
    app = opened("workbench", picture=TITLES["upload"])
    app.file_uploader(key="upload").upload("holiday.png", content, "image/png").run()
    assert not app.exception
    assert len(app.error) == 1 and "holiday.png" in app.error[0].value
    app.selectbox(key="picture").set_value("cat").run()
    assert fine(app)


def test_a_picture_of_one_pixel():
    app = opened("workbench", picture=TITLES["upload"], role="input")
    one = png_bytes(load_sample("cat", 1).rgb)
    app.file_uploader(key="upload").upload("dot.png", one, "image/png").run()
    assert fine(app)
    app.segmented_control(key="role").set_value("truth").run()
    assert not app.exception
    assert "too small" in app.error[0].value


@pytest.mark.parametrize(
    "name", ["builtin:nothing", "/etc/passwd", "hub:", "hub:acme/../x", "nonsense"]
)
def test_an_unknown_network_is_one_sentence(name):
    app = opened("workbench", network=name)
    assert not app.exception
    assert len(app.error) == 1 or app.selectbox(key="network").value == DEFAULT


def test_values_outside_the_widgets_are_refused_or_ignored():
    app = opened("workbench", bits="17", m="99", r="7", criterion="luck", at="nan,inf")
    assert not app.exception


@pytest.mark.parametrize("network", ["builtin:edsr-x2", "builtin:quantsr-t-x2-fp32"])
def test_importance_decodes_exactly(network):
    app = opened("importance", picture="Cat", bits="4", m="2", network=network)
    assert fine(app)
    assert "equal" in app.success[0].value
    app.slider(key="m").set_value(0).run()
    assert fine(app)


def test_importance_greedy_runs_on_demand():
    app = opened("importance", picture="Cat")
    assert not any("Greedy" in c for c in captions(app))
    assert any("greedy" in b.label for b in app.button)
