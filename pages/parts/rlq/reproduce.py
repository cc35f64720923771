"""The RLQ lab's Reproduce panel: Python lines that print the numbers on the page."""

import streamlit as st

from pages.parts.rlq.layer import WEIGHTS, ChosenLayer
from pages.parts.shared.as_text import as_text
from pages.parts.shared.reproduce import reproduce_panel
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.reproduce import offer_picture, picture_lines, provenance
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION
from quantlib.ptq import Settings
from quantlib.qat.rlq import RLQ
from quantlib.training.contest import Contest


def show_rlq_reproduce(chosen: ChosenLayer, quantizer: RLQ, contest: Contest | None) -> None:
    with reproduce_panel():
        st.markdown("The layer under the quantizer:")
        st.code(layer_lines(chosen, quantizer), language="python")
        if contest is not None:
            st.markdown("The training:")
            st.code(training_lines(contest), language="python")
        if chosen.kind != WEIGHTS:
            offer_picture(chosen.subject)
        choices = Choices(chosen.subject, chosen.network, Settings("fp32"))
        caption(f"{CONVENTION}. {as_text(provenance(choices))}")


def layer_lines(chosen: ChosenLayer, quantizer: RLQ) -> str:
    """Prints SQNR in dB, code entropy in bits, and the mean gradient multiplier."""
    shift = None if quantizer.shift is None else quantizer.shift.item()
    if chosen.kind == WEIGHTS:
        imports = ""
        name = f"network.{chosen.site.layers[0]}"
        get_x = f"x = network.get_submodule({name!r}).weight.detach()\n"
    else:
        imports, get_x = _activation_lines(chosen)
    return (
        f"{imports}from quantlib.models import load\n"
        "from quantlib.qat.report import gradient_multipliers, report, set_by_hand\n\n"
        f"network = load({chosen.network.name!r})\n"
        f"{get_x}"
        "x = x.reshape(1, 1, -1, 1)\n"
        f"quantizer = set_by_hand({chosen.bits}, {chosen.signed}, {quantizer.step.item()!r}, "
        f"{shift!r}, k={quantizer.k!r})\n"
        "found = report(quantizer, x)\n"
        "print(found.mse, found.sqnr, found.levels_used, found.entropy)\n"
        "print(gradient_multipliers(quantizer, x).mean().item())\n"
    )


def _activation_lines(chosen: ChosenLayer) -> tuple[str, str]:
    """Imports, and lines that give the activations `x`."""
    imports, low_and_truth = picture_lines(chosen.subject)
    of_channel = f".select({chosen.site.channel_dim}, {chosen.channel})"
    return (
        "from quantlib.imaging.tensors import to_tensor\n"
        f"{imports}from quantlib.tasks.super_resolution import sites_of\n",
        f"{low_and_truth}"
        "inputs = {}\n\n\n"
        "def keep(site, a, layer):\n"
        "    return inputs.setdefault(site.name, a.detach().clone())\n\n\n"
        "sites_of(network).run(to_tensor(low), keep)\n"
        f"x = inputs[{chosen.site.name!r}]{of_channel if chosen.of_one_channel else ''}\n",
    )


def training_lines(contest: Contest) -> str:
    """Prints the PSNR of both contestants whenever they enlarge the held-out photograph."""
    return (
        "import torch\n\n"
        "from quantlib.evaluation.quality import psnr_y\n"
        "from quantlib.training.contest import Contest, compete, held_out\n\n"
        "torch.set_num_threads(1)  # as the page; more threads add up in another order\n"
        "_, truth = held_out()\n"
        f"for moment in compete({contest!r}):\n"
        "    if moment.picture is not None:\n"
        "        print(moment.method, moment.step, psnr_y(moment.picture, truth, 2))\n"
    )
