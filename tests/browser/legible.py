"""What of the charts on a page cannot be read: what is cut off, or lies on something else."""

from contextlib import suppress

from playwright.sync_api import Page, TimeoutError

_REDRAWN = 5_000  # milliseconds in which Plotly draws again after its width has changed

_FAULTS = """() => {
    const boxed = (texts) => [...texts].map((text) => [text, text.getBoundingClientRect()]);
    const onOther = (texts) => boxed(texts).flatMap(([text, a], place, all) => all.slice(place + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
        .map(([other]) => `"${text.textContent}" lies on "${other.textContent}"`));
    const upright = (text) => !/rotate\\(-?[1-9]/.test(text.getAttribute("transform") ?? "");
    const faultsOf = (chart) => {
        const frame = chart.getBoundingClientRect();
        const beyond = (box) => Math.max(frame.left - box.left, box.right - frame.right,
            frame.top - box.top, box.bottom - frame.bottom);
        const cut = boxed(chart.querySelectorAll("svg text"))
            .filter(([text, box]) => box.width && beyond(box) > 1.5)
            .map(([text, box]) => `"${text.textContent}" is cut by ${beyond(box).toFixed(1)}`);
        const ticks = ["x", "y", "x2", "y2"].flatMap((axis) =>
            onOther([...chart.querySelectorAll(`.${axis}tick text`)].filter(upright)));
        const plots = boxed(chart.querySelectorAll(".nsewdrag"));
        const over = boxed(chart.querySelectorAll(".legend"))
            .filter(([, box]) => plots.some(([, plot]) => box.bottom > plot.top + 1))
            .map(() => "its legend lies on what it shows");
        return [...cut, ...ticks, ...onOther(chart.querySelectorAll(".legendtext")), ...over];
    };
    return [...document.querySelectorAll(".js-plotly-plot")]
        .filter((chart) => chart.getBoundingClientRect().width)
        .flatMap((chart) => {
            const key = /st-key-(\\S+)/.exec(chart.closest("[class*=st-key-]")?.className)?.[1];
            return faultsOf(chart).map((fault) => `${key}: ${fault}`);
        });
}"""


def faults(page: Page) -> list[str]:
    """A sentence for each text of a chart that reaches beyond it, or lies on one of its kind.

    And for each legend that lies on the chart.

    Charts have some seconds to be drawn anew where the page's width has changed.
    """
    with suppress(TimeoutError):
        page.wait_for_function(f"() => !({_FAULTS})().length", polling=50, timeout=_REDRAWN)
    return page.evaluate(_FAULTS)
