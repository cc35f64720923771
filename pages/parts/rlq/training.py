"""Train it here: RLQ against a rival, live."""

import streamlit as st

from pages.parts.figures import charts, crops
from pages.parts.rlq import charts as rlq_charts
from pages.parts.rlq.live_run import LiveRun
from pages.parts.shared.background import EVERY, show_progress, this_visit
from pages.parts.shared.terms import caption
from quantlib.errors import QuantlibError
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.imaging.resizing import upscale
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.qat.scheme import LEARNED, RIVALS
from quantlib.training.contest import BLOCKS, FP32, SCALE, TRAINED_ON, Contest, held_out

KEY = "live run"
WHAT_IT_IS = (
    f"**What this run is:** the ends and the first {BLOCKS} of the 16 blocks of `builtin:edsr-x2`, "
    "fitted together by 100 steps in full precision, then every convolution but the first and the "
    "last quantized, weights and inputs; both contestants start from this one network and see the "
    f"same batches (8 patches of 24×24 pixels from {len(TRAINED_ON)} sample photographs; L1 loss, "
    "Adam, learning rate 0.001 falling to 0). **What it is not:** a ranking. It is one seed, a "
    "small network, and a thousandth of the 300,000 steps that QuantSR reports."
)


def show_training(k: float) -> Contest:
    """The choices, the button, and the run if there is one; returns what was chosen."""
    st.markdown(WHAT_IT_IS)
    contest = _choose(k)
    run: LiveRun | None = st.session_state.get(KEY)
    running = run is not None and run.running

    def start() -> None:
        current = st.session_state.get(KEY)
        if current is None or not current.running:  # a double click starts one run
            st.session_state[KEY] = LiveRun(contest).begin(this_visit())

    st.button(
        f"Train {contest.steps} steps",
        icon=":material/play_arrow:",
        type="primary",
        on_click=start,
        disabled=running,
        key="train",
    )
    if run is not None:
        st.fragment(_show, run_every=EVERY if running else None)(run, running)
    return contest


def _choose(k: float) -> Contest:
    rival, bits, steps = st.columns(3)
    with rival:
        chosen = st.selectbox(
            "Rival",
            RIVALS,
            format_func=lambda method: LEARNED[method].title,
            key="rival",
            bind="query-params",
        )
    with bits:
        width = st.segmented_control(
            "Bits of weights and activations",
            [2, 3, 4, 8],
            default=2,
            required=True,
            key="train_bits",
            bind="query-params",
        )
    with steps:
        length = st.segmented_control(
            "Steps of each",
            [50, 100, 300],
            default=300,
            required=True,
            key="steps",
            bind="query-params",
        )
    return Contest(chosen or RIVALS[0], width or 2, k, length or 300)


def _show(run: LiveRun, was_running: bool) -> None:
    if was_running:
        show_progress(run, "stop training")
    if run.error is not None:
        if not isinstance(run.error, QuantlibError):
            raise run.error
        st.error(str(run.error), icon=":material/error:")
    names = {method: _name(run.contest, method) for method in run.contest.methods}
    st.markdown(f"**{_sentence(run, names)}**")
    if run.step < 2:
        return
    _curves(run, names)
    _pictures(run, names)


def _name(contest: Contest, method: str) -> str:
    title = LEARNED[method].title
    return f"{title}, k = {contest.k:g}" if LEARNED[method].has_softness else title


def _sentence(run: LiveRun, names: dict[str, str]) -> str:
    contest, start = run.contest, run.courses[FP32].quality
    versus = f"{' against '.join(names.values())}, {contest.bits} bits"
    reached = {names[m]: run.courses[m].quality[-1] for m in names if run.courses[m].quality}
    if len(reached) < 2:
        return f"{versus}: the common start is being prepared."
    figures = " and ".join(f"{name} at {decibel:.2f} dB" for name, (_, decibel) in reached.items())
    measured_at = min(step for step, _ in reached.values())
    stopped = "" if run.complete or run.running else ", stopped"
    sentence = (
        f"{versus}, after {measured_at} of {contest.steps} steps{stopped}: {figures}; "
        f"the FP32 start has {start[-1][1]:.2f} dB."
    )
    return f"{sentence} Took {run.seconds:.0f} s." if run.complete else sentence


def _curves(run: LiveRun, names: dict[str, str]) -> None:
    steps, courses = run.contest.steps, run.courses
    truth, floor, _ = _held_out()
    left, right = st.columns(2, gap="medium", border=True)
    with left:
        st.markdown("**Loss**, L1 over the batch, mean of the last ten steps")
        curves = {name: courses[method].smooth_losses() for method, name in names.items()}
        figure = rlq_charts.courses(curves, steps, "loss, pixel values from 0 to 1")
        charts.draw(figure, "Training loss of both contestants over the steps", "live loss")
    with right:
        st.markdown("**PSNR** of the photograph that nobody is trained on")
        curves = {name: courses[method].quality for method, name in names.items()}
        levels = {
            "FP32 start": courses[FP32].quality[-1][1],
            "bicubic": psnr_y(floor, truth, SCALE),
        }
        figure = rlq_charts.courses(curves, steps, "PSNR in dB (Y)", levels)
        charts.draw(figure, "PSNR of both contestants over the steps", "live psnr")


def _pictures(run: LiveRun, names: dict[str, str]) -> None:
    truth, _, crop = _held_out()
    panels = []
    for method, name in names.items():
        course = run.courses[method]
        for (step, decibel), picture in (
            (course.quality[0], course.first),
            (course.quality[-1], course.latest),
        ):
            assert picture is not None
            figures = f"step {step}, {decibel:.2f} dB"
            alt = f"Crop of the held-out photograph: {name}, step {step}"
            panels.append(crops.Panel(crop.cut(picture), name, figures, alt))
    start = run.courses[FP32]
    assert start.latest is not None
    for rgb, title, figures in (
        (start.latest, "FP32 start", f"{start.quality[-1][1]:.2f} dB"),
        (truth, "Truth", "the original"),
    ):
        alt = f"Crop of the held-out photograph: {title}"
        panels.append(crops.Panel(crop.cut(rgb), title, figures, alt))
    crops.show_row(panels)
    caption(
        f"Astronaut, {truth.shape[1]}×{truth.shape[0]} pixels, not among the training photographs, "
        f"enlarged every ten steps. {CONVENTION}; measured on the whole picture. The crops are "
        f"{crops.SIDE} pixels a side, where bicubic enlargement misses most, without interpolation."
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def _held_out():
    low, truth = held_out()
    floor = to_uint8(upscale(to_tensor(low), SCALE))
    return truth, floor, crops.hardest_crop(truth, floor)
