"""Classifications, made once for every data set, network and setting, whoever asks."""

from collections.abc import Sequence

import streamlit as st

from pages.parts.labelled import LabelledData
from pages.parts.recognisers import Recogniser, quantized
from pages.parts.waiting import progress
from pages.parts.worker import side_by_side
from quantlib.evaluation.classification import Classification, check, evaluate
from quantlib.ptq import Settings


def classified(
    data: LabelledData, network: Recogniser, settings: Sequence[Settings]
) -> dict[Settings, Classification]:
    """The pictures through the network under each of `settings`, with progress.

    QuantlibError where the pictures are not the network's kind.
    """
    check(network.network, data.pictures)

    def classify(one: Settings) -> Classification:
        return _classified(data.key, network.key, one, data, network)

    found = {}
    with side_by_side(classify, settings) as under_way, progress("Classifying") as watch:
        for done, one in enumerate(settings):
            watch(done, len(settings))
            found[one] = under_way[one].result()
    return found


@st.cache_resource(max_entries=100, show_spinner=False)
def _classified(
    data_key: str,
    network_key: tuple[str, str],
    settings: Settings,
    _data: LabelledData,
    _network: Recogniser,
) -> Classification:
    return evaluate(quantized(_network, settings, _data.calibration), _data.pictures)
