"""Small pictures with their class and what two networks called them."""

from base64 import b64encode
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from pages.parts.figures import colours
from pages.parts.shared.terms import caption
from quantlib.imaging.reading import png_bytes

SHOWN, SIDE = 24, 76


@dataclass(frozen=True, eq=False)
class Called:
    """A picture `uint8 (h, w, 3)`, its class, and what FP32 and the quantized network call it."""

    rgb: np.ndarray
    label: str
    full: str
    quantized: str

    @property
    def is_changed(self) -> bool:
        return self.full != self.quantized

    @property
    def is_wrong(self) -> bool:
        return self.quantized != self.label

    def html(self) -> str:
        """The picture with a frame where the answer changed, and both answers below it."""
        data = b64encode(png_bytes(self.rgb)).decode("ascii")
        frame = colours.choice() if self.is_changed else "transparent"
        alt = f"{self.label}: FP32 says {self.full}, quantized {self.quantized}"
        answer = f"<b>→ {escape(self.quantized)}</b>" if self.is_changed else "unchanged"
        mark = "✗" if self.is_wrong else "✓"
        return (
            f'<figure style="margin:0;width:{SIDE + 6}px">'
            f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}" '
            f'style="width:{SIDE}px;image-rendering:pixelated;border-radius:0.3rem;'
            f'display:block;border:3px solid {frame};box-sizing:content-box">'
            '<figcaption style="font-size:0.78rem;line-height:1.3;overflow-wrap:anywhere">'
            f"{escape(self.label)}<br>FP32: {escape(self.full)}<br>{answer} {mark}</figcaption>"
            "</figure>"
        )


FILTERS = {
    "All": lambda called: True,
    "Changed": lambda called: called.is_changed,
    "Wrong": lambda called: called.is_wrong,
}


def show_grid(called: list[Called]) -> None:
    """The pictures that the visitor asks for, those whose answer changed first."""
    chosen = st.segmented_control(
        "Pictures",
        list(FILTERS),
        default="All",
        required=True,
        key="show",
        bind="query-params",
        label_visibility="collapsed",
    )
    some = [one for one in called if FILTERS[chosen or "All"](one)]
    if not some:
        caption("No answer changed." if chosen == "Changed" else "Every answer is right.")
        return
    some.sort(key=lambda one: not one.is_changed)
    figures = "".join(one.html() for one in some[:SHOWN])
    st.html(
        f'<div style="display:grid;gap:0.7rem 0.3rem;grid-template-columns:'
        f'repeat(auto-fill,minmax({SIDE + 6}px,1fr))">{figures}</div>'
    )
    caption(
        f"{min(len(some), SHOWN)} of {len(some):,} pictures. First line: the class; then FP32's "
        "answer and, framed, the quantized network's where it is another. "
        "✓ and ✗: the quantized network is right or wrong."
    )
