"""What else takes as many bytes, and which of it keeps most."""

import time
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.super_resolution.result import Result
from pages.parts.workbench import beside
from pages.parts.workbench.beside import verdict
from quantlib.ptq import Settings
from tests.pages.test_pages import fine, opened

DQA = SimpleNamespace(settings=Settings("dqa", 2))


def made(size: int, psnr_y: float | None) -> SimpleNamespace:
    total = SimpleNamespace(total=size)
    return SimpleNamespace(ledger=SimpleNamespace(total=total), psnr_y=psnr_y)


def result(method: str, size: int, psnr_y: float) -> Result:
    return Result(method, None, Settings(method), made(size, psnr_y))  # type: ignore[arg-type]


def said(own: SimpleNamespace, *others: Result) -> str:
    return verdict(DQA, own, others)  # type: ignore[arg-type]


def test_the_verdict_names_what_keeps_most_and_by_how_much():
    direct, entropy = result("direct", 1000, 30.5), result("entropy", 990, 33.25)
    assert said(made(1000, 30.0), direct, entropy) == (
        "With as many bytes entropy coding keeps 33.25 dB, 3.25 dB more."
    )
    assert said(made(1000, 34.0), direct, entropy) == (
        "With as many bytes nothing here keeps more; entropy coding is 0.75 dB below DQA."
    )


def test_what_takes_more_bytes_is_no_verdict():
    assert said(made(1000, 30.0), result("direct", 1020, 35.0)) == ""
    assert said(made(1000, 30.0)) == said(made(1000, None), result("direct", 900, 31.0)) == ""


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The workbench after its visitor asked for the others, and they have come."""
    monkeypatch.setattr(beside, "REST", 0.0)
    app = opened("workbench", picture="Cat")
    assert fine(app)
    app.button(key=beside.ASKED).click().run()
    run = app.session_state[beside.KEY]
    run.wait(120)
    assert run.complete and not run.failed and run.error is None
    return app.run()


def test_direct_and_entropy_coding_stand_beside_it_at_as_many_bytes(begun):
    assert fine(begun)
    run = begun.session_state[beside.KEY]
    direct, entropy = run.results
    own = run._through(run.columns[0], Settings("dqa", 2)).ledger.total.total
    assert direct.settings.entry.noun == "direct"
    assert 0.98 * own < entropy.made.ledger.total.total <= own
    sentence = begun.subheader[0].value
    assert sentence.startswith("2-bit DQA keeps ")
    gain = entropy.made.psnr_y - float(sentence.split(" keeps ")[1].split(" of ")[0])
    assert f"entropy coding keeps {entropy.made.psnr_y:.2f} dB, " in sentence
    assert abs(float(sentence.split(", ")[-1].split(" dB more")[0]) - gain) < 0.011


def test_another_choice_stops_it_and_begins_anew(begun):
    before = begun.session_state[beside.KEY]
    begun.slider(key="bits").set_value(3).run()
    assert fine(begun) and "With as many bytes" not in begun.subheader[0].value
    begun.button(key=beside.ASKED).click().run()
    after = begun.session_state[beside.KEY]
    assert after is not before and before.stopping
    after.stop()
    after.wait(120)


def test_a_rest_comes_first(monkeypatch):
    app = opened("workbench", picture="Cat")
    app.button(key=beside.ASKED).click().run()
    run = app.session_state[beside.KEY]
    again = type(run)(run.subject, run.networks, run.columns, rest=60.0)
    monkeypatch.setattr(again, "_through", lambda *_: pytest.fail("worked"))
    again._thread.start()
    time.sleep(0.05)
    again.stop()
    again.wait(60)
    assert not again.running and again.error is None
    run.stop()
    run.wait(120)


def test_full_precision_has_nothing_beside_it():
    app = opened("workbench", picture="Cat", method="FP32")
    assert fine(app) and not [one for one in app.button if one.key == beside.ASKED]
