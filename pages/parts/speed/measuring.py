"""The measurement, once a visitor has asked for it."""

import streamlit as st

from pages.parts.shared.caching import keep
from pages.parts.shared.progress import Watch, in_turn
from pages.parts.shared.terms import caption
from pages.parts.shared.worker import all_cores, on_worker
from pages.parts.speed.choosing import Race
from quantlib.models import load
from quantlib.tasks.ways import Cost, costs, ways

KEPT = 16


@st.cache_resource(max_entries=1, show_spinner=False)
def _known() -> dict[tuple, list[Cost]]:
    return {}


def measured(race: Race) -> list[Cost] | None:
    """The costs, or None as long as nobody has asked; before that the button."""
    known = _known()
    if race.key not in known:
        place = st.empty()
        if not place.button("Measure", icon=":material/timer:", key="measure", type="primary"):
            caption(
                "Time, memory, bytes and PSNR of every form: about half a minute at 128 pixels a "
                "side, and up to four times that at each step."
            )
            return None
        place.empty()
        learned = on_worker(load, race.learned) if race.learned else None
        every = ways(race.network.network, learned)

        def measure(watch: Watch) -> list[Cost]:
            with all_cores():
                return costs(every, race.low, race.truth, race.rounds, watch)

        found = in_turn(measure, "Measuring")
        keep(known, race.key, found, KEPT)
    return known[race.key]
