"""The sidebar's choice of a network: bundled, from the Hub, or a visitor's own."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts.shared.arriving import nothing_awaited
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import Upload
from pages.parts.shared.ways import Way
from pages.parts.super_resolution.networks import DEFAULT, LoadedNetwork, is_bundled, loaded
from pages.parts.super_resolution.own_network import OWN_FILE, drop_network, own_network, tell
from quantlib.models.catalogue import entries


def _choose_bundled() -> None:
    st.session_state["network"] = DEFAULT


BUNDLED = Way("Go on with the bundled network", ":material/deployed_code:", _choose_bundled)


@dataclass(frozen=True)
class NetworkChoice:
    """What was chosen; `place` is where something is said of it once it is there."""

    name: str
    place: DeltaGenerator
    upload: Upload | None = None

    def load(self) -> LoadedNetwork:
        """The network. QuantlibError where it cannot be had."""
        if is_bundled(self.name) or self.name == OWN_FILE:
            nothing_awaited()
        if self.name != OWN_FILE:
            return loaded(self.name, BUNDLED)
        network = own_network(self.upload)
        with self.place:
            tell(network)
        return network


def choose_network() -> NetworkChoice:
    """One of the catalogue, any `hub:OWNER/NAME[@REVISION][:FILE]`, or a file that is dropped."""
    known = {entry.name: entry for entry in entries()}
    chosen = st.selectbox(
        "Network",
        [*known, OWN_FILE],
        index=list(known).index(DEFAULT),
        key="network",
        bind="query-params",
        accept_new_options=True,
        help="Bundled networks work offline. Any network of the Hugging Face Hub that Bitlens "
        "recognises loads too: type hub:OWNER/NAME or hub:OWNER/NAME@REVISION:FILE. At the end "
        "of the list: your own file.",
    )
    if chosen in known:
        caption(known[chosen].title)
    upload = drop_network() if chosen == OWN_FILE else None
    return NetworkChoice(chosen or DEFAULT, st.container(), upload)
