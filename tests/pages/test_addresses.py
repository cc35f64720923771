"""Every choice stands in the address of its page, and comes back from it."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.recognition.networks import OWN_FILE
from pages.parts.shared.samples import TITLES
from quantlib.imaging.reading import png_bytes
from quantlib.imaging.samples import load_sample
from tests.hub_server import use_hub
from tests.pages.code_of_pages import KEYS
from tests.pages.test_pages import PAGES, fine, opened

OWN = {"picture": TITLES["upload"]}
SMALL = png_bytes(load_sample("cat", 48).rgb)
ABLATION = {"view": "Ablation of DQA"}
STOPPED = {"picture": "Cat", "shown": "true"}
CHOICES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("workbench", {"method": "FP32"}, {"picture": "cat"}),
    ("workbench", OWN, {"bits": 5, "m": 1, "r": 0.2}),
    ("workbench", OWN | {"method": "Direct"}, {"clip": "percentile", "unsigned": True}),
    ("workbench", OWN | {"method": "Entropy coding"}, {"budget": 2.5}),
    ("workbench", OWN | {"method": "RLQ"}, {"rlq_bits": 8, "depth": "half"}),
    ("workbench", OWN | {"method": "RLQ"}, {"runtime": "integer"}),
    ("workbench", OWN | {"method": "RLQ", "runtime": "Integers"}, {"ends": "int8"}),
    ("workbench", OWN, {"method": "pot", "bits": 3, "role": "input"}),
    ("compare", OWN | {"method": "Direct"}, {"preset": "Same bits", "crop": 168}),
    ("importance", {"picture": "Cat"}, {"criterion": "energy", "scales": "frozen", "channel": 3}),
    ("importance", {"picture": "Cat"}, {"network": "builtin:edsr-x4"}),
    ("importance", {"picture": "Cat"}, {"network": OWN_FILE}),
    ("importance", {"picture": "Cat"}, {"layer": "body.0.body.0", "bench": "U-Net on CamVid"}),
    ("memory", OWN, {"equal": 3.0, "every": True, "noisy": True}),
    ("classify", {}, {"count": 100, "show": "Changed", "method": "dqa-ans", "r": 0.2}),
    ("classify", {}, {"data": "cifar10"}),
    ("classify", {}, {"classification_network": OWN_FILE}),
    ("segment", {}, {"scene": "cat", "method": "direct", "bits": 4}),
    ("segment", {}, {"segmentation_network": OWN_FILE}),
    ("rlq", {"picture": "Cat"}, {"k": 2.0, "step": 0.6, "tau": -0.5, "bits": 4, "channel": 3}),
    ("rlq", {"picture": "Cat"}, {"kind": "weights", "layer": "body.0.body.0"}),
    ("rlq", {"picture": "Cat"}, {"rival": "dorefa", "train_bits": 4, "steps": 50}),
    ("depth", OWN, {"blocks": 5, "super_network": "builtin:quantsr-c-x2-w4a4"}),
    ("speed", {"picture": "Cat"}, {"side": 256, "rounds": 3, "rlq_bits": 2}),
    ("results", {}, {"width": "W4A4", "benchmark": "set14", "one": "PAMS", "scale": 4}),
    ("results", {"one": "PAMS"}, {"other": "DDTB"}),
    ("results", {}, {"view": "Bundled networks"}),
    ("results", {"view": "Bundled networks"}, {"card": "builtin:quantsr-c-x2-w4a4"}),
    ("results", {"view": "DQA"}, {"noisy": True}),
    ("results", ABLATION, {"bench": "EDSR ×2 on Set5"}),
    ("tour", {"picture": "Cat"}, {"stop": 3}),
    ("tour", {"picture": "Cat"}, {"shown": True}),
    ("tour", {"picture": "Cat"}, {"lecture": True}),
    ("tour", STOPPED | {"stop": "3"}, {"outlier": 20}),
    ("tour", STOPPED | {"stop": "1"}, {"tour_channel": 3}),
    ("tour", STOPPED | {"stop": "2"}, {"tour_bits": 5}),
    ("tour", STOPPED | {"stop": "5"}, {"tour_m": 2}),
    ("tour", STOPPED | {"stop": "8"}, {"tour_k": 4.0}),
    ("tour", STOPPED | {"stop": "9"}, {"tour_blocks": 5}),
    ("tour", STOPPED | {"stop": "10"}, {"tour_rlq_bits": 8}),
    ("tour", STOPPED | {"stop": "4"}, {"one_scale": "Each channel"}),
    ("tour", STOPPED | {"stop": "6"}, {"where": "In the residual stream"}),
    ("glossary", {}, {"term": "PSNR, peak signal-to-noise ratio"}),
    ("exercises", {}, {}),
    (
        *("results", {"view": "Transformers"}),
        {"transformer_bits": 2, "transformer_benchmark": "set14"},
    ),
]
KINDS = "selectbox", "slider", "select_slider", "segmented_control", "toggle"
NONSENSE = "nan", "1e999", "<b>" * 500


@pytest.fixture(autouse=True)
def few_points_and_no_hub(few_points, monkeypatch, tmp_path):
    use_hub(monkeypatch, "http://127.0.0.1:9", tmp_path)


def seen(page: str, query: dict[str, str]) -> AppTest:
    """A page with this address, and with a small picture where the visitor's own is asked for."""
    app = opened(page, **query)
    if query.get("picture") == OWN["picture"]:
        app.file_uploader(key="upload").upload("cat.png", SMALL).run()
    return app


def widgets(app: AppTest) -> dict[str, Any]:
    """The widgets that the address holds, by their parameters."""
    found = (one for kind in KINDS for one in getattr(app, kind))
    return {one.proto.query_param_key: one for one in found if one.proto.query_param_key}


def written(widget: Any) -> str:
    """The value of a widget as a browser writes it into the address."""
    match widget.type:
        case "slider":
            return f"{widget.value:g}"
        case "toggle":
            return str(widget.value).lower()
        case "button_group":
            return widget.formatted_values[0]
    return str(widget.format_func(widget.value))


def values(app: AppTest) -> dict[str, Any]:
    return {key: one.value for key, one in widgets(app).items()}


def test_every_parameter_is_chosen_here():
    chosen = {key for _, _, values in CHOICES for key in values}
    networks = {"classification_network", "segmentation_network", "transformer_bits"}
    assert chosen | {"at", "columns", "region"} == KEYS | networks
    assert {page for page, *_ in CHOICES} == {page.stem for page in PAGES}


@pytest.mark.parametrize(
    ("page", "query", "chosen"), CHOICES, ids=[f"{page} {' '.join(v)}" for page, _, v in CHOICES]
)
def test_what_is_chosen_comes_back_from_the_address(page, query, chosen):
    app = seen(page, query)
    before = widgets(app)
    for key, value in chosen.items():
        assert before[key].value != value
        before[key].set_value(value)
    app.run()
    assert not app.exception and values(app).items() >= chosen.items()
    address = {key: written(one) for key, one in widgets(app).items()}
    again = seen(page, address)
    while asked := [one for one in again.button if (one.key or "").startswith("asked for ")]:
        asked[0].click().run()
    assert values(again) == values(app)
    assert [one.value for one in again.error] == [one.value for one in app.error]
    assert [one.value for one in again.subheader] == [one.value for one in app.subheader]


def test_the_crop_comes_back_from_the_address():
    pictures = [
        opened("workbench", picture="Cat", method="FP32", at=at).get("html")
        for at in ("0.2,0.3", "0.2,0.3", "0.9,0.9")
    ]
    first, again, other = ([one.proto.body for one in some] for some in pictures)
    assert first == again != other


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("page", [page.stem for page in PAGES])
def test_nonsense_in_an_address_is_the_default_or_one_sentence(page: str, nonsense: str):
    address: dict[str, str] = dict.fromkeys(KEYS - {"network"}, nonsense)
    app = opened(page, **address)
    assert not app.exception and len(app.error) <= 1


@pytest.mark.parametrize("page", ["workbench", "classify", "rlq"])
@pytest.mark.parametrize("bits", ["2", "8", "4.0", "1", "9", "", "2,4", "two", "1e1", "-3"])
def test_bits_in_an_address_are_one_of_those_that_are_offered(page, bits):
    app = opened(page, bits=bits, picture="Cat")
    assert fine(app)
    found = app.slider(key="bits").value
    assert type(found) is int and found == {"2": 2, "8": 8, "4.0": 4}.get(bits, 2)
