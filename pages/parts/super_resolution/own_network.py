"""A visitor's own network: a file that is dropped, kept for the visit, and what is said of it."""

import streamlit as st

from pages.parts.shared.as_text import as_text
from pages.parts.shared.reading import reading
from pages.parts.shared.terms import caption
from pages.parts.shared.uploads import Upload, dropped, kept
from pages.parts.shared.worker import on_worker
from pages.parts.super_resolution.networks import LoadedNetwork, of_network, with_adapted
from quantlib.models.apart import read_checkpoint_apart
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.loading import read_network
from quantlib.models.suffixes import ONNX, PROGRAM, SUFFIXES

OWN_FILE = "Your own file"
KEY, MADE = "network_file", "own network"
MAX_MEGABYTES = 200
NO_NETWORK = "No network yet; drop a checkpoint or an ONNX file in the sidebar or choose another."
WHAT = (
    "Weights alone load where the architecture is known; any other network comes as ONNX "
    "(torch.onnx.export with dynamic height and width). Programs of torch.export (.pt2) stay "
    "closed: opening one runs what is inside it."
)


def drop_network() -> Upload | None:
    """The file that lies in the sidebar now."""
    upload = dropped(
        "Checkpoint or ONNX file",
        (*SUFFIXES, ONNX, PROGRAM),
        KEY,
        MAX_MEGABYTES,
        help="Tensors only: nothing inside the file is run. It is kept for this visit, and nobody "
        "else sees it.",
    )
    caption(WHAT)
    return upload


def own_network(latest: Upload | None) -> LoadedNetwork:
    """The network of `latest`, or of the file that was dropped before; read once for the visit."""
    upload = kept(KEY, latest, NO_NETWORK)
    made: tuple[Upload, LoadedNetwork] | None = st.session_state.get(MADE)
    if made is None or made[0] != upload:
        with reading(upload.name) as watch:
            checkpoint = read_checkpoint_apart(upload.content, upload.name, watch)
        made = upload, on_worker(_made_of, checkpoint, upload.name)
        st.session_state[MADE] = made
    return with_adapted(made[1])


def _made_of(checkpoint: Checkpoint, name: str) -> LoadedNetwork:
    return of_network(read_network(checkpoint, name))


def tell(network: LoadedNetwork) -> None:
    """What the network is, and what of it can be quantized."""
    inside, sites = network.network, network.sites
    read = [name for site in sites.sites for name in site.layers]
    left = sites.left_out
    caption(
        f"{inside.architecture}, ×{network.scale}, {inside.parameter_count:,} parameters. The "
        f"inputs of {len(read)} of its {len(read) + len(left)} layers can be quantized."
    )
    for note in inside.notes:
        caption(as_text(note))
    with st.expander("Its layers", icon=":material/account_tree:"):
        st.markdown(f"**Quantized:** {_list(read)}")
        st.markdown(f"**In full precision, as they are the ends:** {_list(left)}")
        caption("What lies between the layers, such as sums and gates, is never quantized.")


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{' '.join(name.split()).replace('`', '')}`" for name in names)
