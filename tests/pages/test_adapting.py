"""RLQ on demand in the workbench, on a tiny PAN with random weights and a handful of steps."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
import torch
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from pages.parts.shared import background
from pages.parts.shared.caching import forget_all
from pages.parts.shared.turns import Turns
from pages.parts.super_resolution import adapting
from pages.parts.super_resolution.adapted_file import file_of
from pages.parts.super_resolution.adapting import Adaptation
from quantlib.errors import QuantlibError
from quantlib.models import SRNetwork, catalogue, load
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.qat.adapting import adapt
from quantlib.tasks.super_resolution import adaptation_pictures
from tests.pages.said import captions

PAGE = str(Path(__file__).parents[2] / "pages" / "workbench.py")
NAME = "builtin:pan-tiny"
SECONDS = 120


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bundled folder with the usual networks and a PAN that has no QuantSR-C twin; 3 steps."""
    for file in catalogue.WEIGHTS_FOLDER.iterdir():
        (tmp_path / file.name).symlink_to(file)
    torch.manual_seed(0)
    save_file(PAN(2, 8, 4, 2).state_dict(), tmp_path / "pan-tiny.safetensors")
    card = {"title": "Tiny PAN", "architecture": "PAN", "scale": 2}
    (tmp_path / "pan-tiny.json").write_text(json.dumps(card))
    monkeypatch.setattr(catalogue, "WEIGHTS_FOLDER", tmp_path)
    monkeypatch.setattr(adapting, "STEPS", 3)
    st.cache_resource.clear()
    forget_all()
    yield
    st.cache_resource.clear()
    forget_all()


def opened(bits: str = "4", **query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    chosen = {"network": NAME, "method": "RLQ", "picture": "Cat", "rlq_bits": bits, **query}
    for name, value in chosen.items():
        app.query_params[name] = value
    return app.run()


def fine(app: AppTest) -> bool:
    return not app.exception and not app.error


def run_of(bits: int = 4) -> Adaptation:
    sha256 = load(NAME).sha256
    found = adapting.adaptation_of((NAME, sha256, bits))
    assert found is not None
    return found


def ended(app: AppTest, bits: int = 4) -> Adaptation:
    run = run_of(bits)
    run.wait(SECONDS)
    app.run()
    return run


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def downloads(app: AppTest) -> list[str]:
    return [element.proto.label for element in app.get("download_button")]  # type: ignore[attr-defined]


def hold(monkeypatch: pytest.MonkeyPatch, at: int) -> threading.Event:
    """Every adaptation waits after step `at` until the event is set."""
    go_on = threading.Event()
    note = Adaptation._note

    def waiting(self: Adaptation, progress: adapt.AdaptProgress) -> bool:
        stopped = note(self, progress)
        if progress.step == at:
            go_on.wait(SECONDS)
            return note(self, progress)
        return stopped

    monkeypatch.setattr(Adaptation, "_note", waiting)
    return go_on


def test_adapted_and_then_like_any_other_rlq(tmp_path: Path, capsys, monkeypatch):
    app = opened()
    assert fine(app) and app.button(key="adapt").label == "Adapt to W4A4"
    assert "RLQ with 4 bits" in app.subheader[0].value
    assert any("steps, shifts and weights" in m.value for m in app.markdown)
    assert app.segmented_control(key="rlq_bits").options == [str(bits) for bits in range(2, 9)]
    app.button(key="adapt").click().run()
    run = ended(app)
    assert fine(app) and run.result is not None and run.result.complete
    assert app.subheader[0].value.startswith("4-bit RLQ keeps ")
    assert "adapt" not in keys(app) and "Download the adapted network" in downloads(app)
    assert "14 of 20 layers quantized." in captions(app)
    weights = next(c for c in captions(app) if "Weights and biases" in c)
    assert "times smaller than FP32" in weights
    (tmp_path / run.result.file.name).write_bytes(run.result.file.content)
    monkeypatch.chdir(tmp_path)
    exec(next(c.value for c in app.code if c.language == "python"), {})
    psnr, _, bits = capsys.readouterr().out.split()
    assert f"keeps {float(psnr):.2f} of" in app.subheader[0].value
    assert f"at {float(bits):.2f} bits per activation" in app.subheader[0].value
    other = opened()  # another visitor finds it
    assert other.subheader[0].value == app.subheader[0].value
    app.segmented_control(key="rlq_bits").set_value(2).run()
    assert fine(app) and app.button(key="adapt").label == "Adapt to W2A2"


def test_the_strip_shows_the_bits_that_there_are():
    app = opened("7")
    for bits in (7, 4):
        app.segmented_control(key="rlq_bits").set_value(bits).run()
        app.button(key="adapt").click().run()
        ended(app, bits)
    assert fine(app)
    alts = "".join(element.proto.body for element in app.get("html"))  # type: ignore[attr-defined]
    assert [f"The crop at {bits} bits" in alts for bits in range(2, 9)] == [
        bits in (4, 7) for bits in range(2, 9)
    ]


def test_the_downloaded_file_opens_in_the_page_as_quantized():
    app = opened()
    app.button(key="adapt").click().run()
    result = ended(app).result
    assert result is not None
    folder = catalogue.WEIGHTS_FOLDER
    (folder / "again.safetensors").write_bytes(result.file.content)
    (folder / "again.json").write_text((folder / "pan-tiny.json").read_text())
    again = opened(network="builtin:again", depth="quarter")
    assert fine(again) and "adapt" not in keys(again)
    assert "Trained with 4 bits." in captions(again)
    assert kept(again) == kept(app)


def kept(app: AppTest) -> str:
    """The quality and size of the result, without that of the network it is compared with."""
    sentence = app.subheader[0].value
    return sentence.partition(" of ")[0] + sentence.partition(" at ")[2]


def test_progress_and_stop(monkeypatch):
    monkeypatch.setattr(background, "TURNS", Turns(width=1))
    go_on = hold(monkeypatch, at=2)
    app = opened("3")
    app.button(key="adapt").click().run()
    run = run_of(3)
    wait_until(lambda: run.step is not None and run.step.step == 2)
    app.run()
    assert fine(app) and app.button(key="adapt").disabled
    assert "Step 2 of 3, loss" in progress_text(app) and "s left" in progress_text(app)
    other = opened("3")  # another visitor sees it, and cannot end it
    assert fine(other) and "Step 2 of 3" in progress_text(other)
    assert "stop adapting" not in keys(other)
    queued = opened("5")
    queued.button(key="adapt").click().run()
    assert "Next in line" in progress_text(queued)
    queued.button(key="stop adapting").click().run()
    assert ended(queued, 5).result is None and fine(queued)
    app.button(key="stop adapting").click().run()
    go_on.set()
    ended(app, 3)
    assert fine(app) and app.subheader[0].value.startswith("3-bit RLQ keeps ")
    assert any("Stopped after step 2" in c for c in captions(app))
    app.button(key="adapt").click().run()
    again = ended(app, 3)
    assert fine(app) and again.result is not None and again.result.complete
    assert app.subheader[0].value.startswith("3-bit RLQ keeps ")
    assert not any("Stopped after" in c for c in captions(app))


def test_a_mistake_is_one_sentence_and_can_be_tried_again(monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise QuantlibError("The adaptation lost its way at step 1; choose more bits.")

    monkeypatch.setattr(adapt, "adapt", fail)
    app = opened()
    app.button(key="adapt").click().run()
    ended(app)
    assert not app.exception and len(app.error) == 1 and "lost its way" in app.error[0].value
    assert not app.button(key="adapt").disabled


def test_networks_with_twins_are_not_adapted():
    app = opened(network="builtin:edsr-x2", depth="quarter")
    assert fine(app) and "adapt" not in keys(app) and "at" in app.subheader[0].value
    assert "Download the adapted network" not in downloads(app)


@pytest.mark.parametrize("make", [EDSR, PAN], ids=["edsr", "pan"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_file_opens_again(make: type, scale: int, tmp_path: Path):
    torch.manual_seed(1)
    made = EDSR(scale, 8, 2) if make is EDSR else PAN(scale, 8, 4, 2)
    save_file(made.state_dict(), tmp_path / f"x{scale}.safetensors")
    network = load(str(tmp_path / f"x{scale}.safetensors"))
    assert not network.is_quantized
    pictures = [picture[..., :48, :48] for picture in adaptation_pictures(scale)]
    adapted = adapt.adapt(network, pictures, steps=1).network
    assert isinstance(adapted, SRNetwork)
    file = file_of(adapted, 4)
    (tmp_path / file.name).write_bytes(file.content)
    again = load(str(tmp_path / file.name))
    assert again.is_quantized and again.sha256 == file.sha256
    assert (again.scale, again.architecture) == (scale, network.architecture)
    with torch.no_grad():
        torch.testing.assert_close(again(pictures[0]), adapted(pictures[0]), atol=1e-5, rtol=0)


def test_pictures_are_the_photographs():
    pictures = adaptation_pictures(3)
    assert len(pictures) == 12
    assert all(p.shape[:2] == (1, 3) and p.min() >= 0 and p.max() <= 1 for p in pictures)


def progress_text(app: AppTest) -> str:
    return " ".join(element.proto.text for element in app.get("progress"))  # type: ignore[attr-defined]


def wait_until(done) -> None:
    waiting = threading.Event()
    for _ in range(SECONDS * 10):
        if done():
            return
        waiting.wait(0.1)
    raise AssertionError("it took too long")
