"""The measurement, once a visitor has asked for it."""

import streamlit as st

from pages.parts.shared.caching import shared
from pages.parts.shared.progress import Watch, in_turn
from pages.parts.shared.terms import caption
from pages.parts.shared.worker import all_cores
from pages.parts.speed.choosing import Race
from quantlib.models import load
from quantlib.tasks.ways import Cost, costs, ways


def measured(race: Race) -> list[Cost] | None:
    """The costs, or None as long as nobody has asked; before that the button."""
    known = _costs.known(race)
    if known is not None:
        return known
    place = st.empty()
    if not place.button("Measure", icon=":material/timer:", key="measure", type="primary"):
        caption(
            "Time, memory, bytes and PSNR of every form: about half a minute at 128 pixels a "
            "side, and up to four times that at each step."
        )
        return None
    place.empty()
    return in_turn(lambda watch: _costs(race, watch), "Measuring")


@shared(megabytes=1)
def _costs(race: Race, _watch: Watch) -> list[Cost]:
    learned = load(race.learned) if race.learned else None
    with all_cores():
        every = ways(race.network.network, learned)
        return costs(every, race.low, race.truth, race.rounds, _watch)
