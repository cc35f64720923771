"""Values as a histogram, and the levels of a quantizer as lines over it."""

import numpy as np
import plotly.graph_objects as go

from pages.parts.figures import colours


def histogram(counts: np.ndarray, edges: np.ndarray, name: str, places: int = 3) -> go.Figure:
    """A bar for each of `counts` between two `edges`; values are told to so many places."""
    return go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            marker_color=colours.own(),
            marker_line_width=0,
            name=name,
            hovertemplate=f"%{{x:.{places}f}}: %{{y}}<extra></extra>",
        )
    )


def teeth(levels: np.ndarray, top: float) -> dict[str, np.ndarray]:
    """`x` and `y` of a line that rises to `top` at each level, and is nowhere between them."""
    return {
        "x": np.stack([levels, levels, np.full_like(levels, np.nan)], 1).ravel(),
        "y": np.tile([0.8, top, np.nan], len(levels)),
    }
