"""The RLQ lab under AppTest: its four parts, a shortened training included."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.parts.rlq.live_run import LiveRun
from pages.parts.rlq.phi import largest_difference
from quantlib.qat.scheme import LEARNED
from quantlib.tasks import super_resolution
from tests.pages.said import captions, plain

PAGE = str(Path(__file__).parents[2] / "pages" / "rlq.py")
SECONDS = 240


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert fine(app)
    return app


def fine(app: AppTest) -> bool:
    return not app.exception and not app.error


def table(app: AppTest) -> dict[str, tuple[str, str]]:
    """The rows of the table: what it says of LSQ's start and of now."""
    text = next(m.value for m in app.markdown if m.value.startswith("| |"))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]
    return {name: (before, now) for name, before, now in rows}


def number(text: str) -> float:
    return float(text.split()[0].rstrip("%"))


def run_of(app: AppTest) -> LiveRun:
    return app.session_state["live run"]


def text(app: AppTest) -> str:
    return "\n".join([*(plain(one.value) for one in app.markdown), *captions(app)])


@pytest.mark.parametrize("k", [0.0, 0.25, 1.0, 3.5, 8.0])
def test_phi_changes_nothing_forward(k):
    assert largest_difference(k) == 0
    assert f"at k = {k:g} is **0**" in text(opened(k=str(k)))


def test_the_mse_optimal_step_has_the_least_error_and_lsqs_start_comes_back():
    app = opened(bits="3")
    first = table(app)
    assert all(before == now for before, now in first.values())
    next(b for b in app.button if b.label == "MSE-optimal step").click().run()
    assert fine(app)
    best = float(app.slider(key="step").value)  # type: ignore[arg-type]
    error = number(table(app)["SQNR, signal over error"][1])
    assert error > number(first["SQNR, signal over error"][1])
    for other in (best - 0.3, best + 0.3):
        app.slider(key="step").set_value(round(other, 2)).run()
        assert number(table(app)["SQNR, signal over error"][1]) < error
    next(b for b in app.button if b.label == "LSQ's start").click().run()
    assert app.slider(key="step").value == 1 and table(app) == first


def test_dragging_the_shift_moves_values_to_other_codes():
    app = opened()
    first = table(app)
    app.slider(key="tau").set_value(0.75).run()
    assert fine(app)
    now = table(app)
    assert now["Shift τ"][1] != "0" and now["Code entropy"][1] != first["Code entropy"][1]
    assert now["Code entropy"][0] == first["Code entropy"][0]


def test_weights_have_neither_shift_nor_channel():
    app = opened(kind="Weights", bits="4", layer="body.0.body.0", tau="1")
    assert app.slider(key="tau").disabled and table(app)["Shift τ"] == ("0", "0")
    assert not any(box.key == "channel" for box in app.selectbox)
    assert "9,216 values: the weights of block 1, first convolution" in text(app)


def test_all_channels_have_no_shift():
    app = opened(channel="All channels", tau="1")
    assert app.slider(key="tau").disabled and table(app)["Shift τ"] == ("0", "0")
    values = 32 * super_resolution.INPUT_SIDE**2
    assert f"{values:,} values" in text(app)


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_every_width_and_the_other_network(bits):
    app = opened(network="builtin:edsr-x4", bits=str(bits))
    assert table(app)["Code entropy"][0].endswith(f"of {bits} bits")


def test_values_outside_the_widgets_are_ignored():
    app = opened(k="99", bits="1", step="0", tau="nan", channel="7000", kind="x", rival="luck")
    assert app.slider(key="k").value == 1 and app.slider(key="step").value == 1


@pytest.mark.parametrize("kind", ["Activations", "Weights"])
def test_reproduce_lines_give_the_numbers_on_the_page(kind, capsys):
    app = opened(kind=kind, step="0.6", bits="3", k="2")
    if kind == "Activations":
        app.slider(key="tau").set_value(0.5).run()
    exec(app.code[0].value, {})
    _, sqnr, used, entropy, multiplier = map(float, capsys.readouterr().out.split())
    rows = table(app)
    assert rows["SQNR, signal over error"][1] == f"{sqnr:.2f} dB"
    assert rows["Levels in use"][1] == f"{used:.0f} of 8"
    assert rows["Code entropy"][1] == f"{entropy:.3f} of 3 bits"
    assert f"RLQ {multiplier:.3f}." in text(app)


def test_a_network_that_cannot_be_had_leaves_the_rest_of_the_page():
    app = AppTest.from_file(PAGE, default_timeout=120)
    app.query_params["network"] = "hub:acme/../x"
    app.run()
    assert not app.exception and len(app.error) == 1
    assert app.button(key="train") and "measured just now" in text(app)


def test_training_runs_is_shown_and_can_be_reproduced(capsys):
    app = opened(rival="DoReFa", steps="50")
    start = app.button(key="train")
    start.click().run()
    assert fine(app) and app.button(key="train").disabled
    run = run_of(app)
    app.slider(key="k").set_value(2.0).run()  # a rerun that has nothing to do with it
    app.session_state["live run"] = run
    assert run_of(app) is run and run.running and "RLQ, k = 1 against DoReFa" in text(app)
    run.wait(SECONDS)
    app.run()
    assert fine(app) and run.complete and not app.button(key="train").disabled
    assert "after 50 of 50 steps: RLQ, k = 1 at" in text(app) and "Took" in text(app)
    assert [step for step, _ in run.courses["rlq"].quality] == [0, 10, 20, 30, 40, 50]
    app.slider(key="k").set_value(1.0).run()
    threads = torch.get_num_threads()
    try:
        exec(app.code[1].value, {})
    finally:
        torch.set_num_threads(threads)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for method in ("rlq", "dorefa"):
        printed = [float(decibel) for name, _, decibel in lines if name == method]
        assert printed == pytest.approx([d for _, d in run.courses[method].quality], abs=1e-6)


def test_training_stops_and_starts_anew():
    app = opened(steps="300")
    app.button(key="train").click().run()
    first = run_of(app)
    app.button(key="stop training").click().run()
    first.wait(SECONDS)
    app.run()
    assert fine(app) and not first.running and not first.complete
    assert not any(button.key == "stop training" for button in app.button)
    app.button(key="train").click().run()
    second = run_of(app)
    assert second is not first and second.running
    second.stop()
    second.wait(SECONDS)


def test_two_visitors_train_at_the_same_time():
    apps = [opened(rival=LEARNED[rival].title, steps="50") for rival in ("lsq", "pams")]
    for app in apps:
        app.button(key="train").click().run()
    runs = [run_of(app) for app in apps]
    assert runs[0] is not runs[1]
    for run in runs:
        run.wait(SECONDS)
    assert all(run.complete for run in runs)
    rlq = [run.courses["rlq"].quality for run in runs]
    assert rlq[0] == rlq[1]  # neither disturbs the other
