"""The RLQ lab's Reproduce panel: Python lines that print the numbers on the page."""

import streamlit as st

from pages.parts.rlq.layer import WEIGHTS, Lab
from pages.parts.shared.reproduce import reproduce_panel
from pages.parts.shared.samples import TITLES
from pages.parts.super_resolution.reproduce import provenance
from pages.parts.super_resolution.sidebar import Choices
from quantlib.evaluation.quality import CONVENTION
from quantlib.ptq import Settings
from quantlib.qat.rlq import RLQ
from quantlib.training.contest import Contest


def show_rlq_reproduce(lab: Lab, quantizer: RLQ, contest: Contest | None) -> None:
    with reproduce_panel():
        st.markdown("The layer under the quantizer:")
        st.code(layer_lines(lab, quantizer), language="python")
        if contest is not None:
            st.markdown("The training:")
            st.code(training_lines(contest), language="python")
        choices = Choices(lab.subject, lab.network, Settings("fp32"))
        st.caption(f"{CONVENTION}. {provenance(choices)}")


def layer_lines(lab: Lab, quantizer: RLQ) -> str:
    """Prints SQNR in dB, code entropy in bits, and the mean gradient multiplier."""
    shift = None if quantizer.shift is None else quantizer.shift.item()
    if lab.kind == WEIGHTS:
        imports = ""
        get = f"x = network.get_submodule({'network.' + lab.site.layers[0]!r}).weight.detach()\n"
    else:
        imports = "from quantlib.imaging.tensors import to_tensor\n"
        get = _activation_lines(lab)
    return (
        f"{imports}from quantlib.models import load\n"
        f"{_picture_import(lab)}"
        "from quantlib.qat.report import gradient_multipliers, report, set_by_hand\n\n"
        f"network = load({lab.network.name!r})\n"
        f"{get}"
        "x = x.reshape(1, 1, -1, 1)\n"
        f"quantizer = set_by_hand({lab.bits}, {lab.signed}, {quantizer.step.item()!r}, "
        f"{shift!r}, k={quantizer.k!r})\n"
        "found = report(quantizer, x)\n"
        "print(found.mse, found.sqnr, found.levels_used, found.entropy)\n"
        "print(gradient_multipliers(quantizer, x).mean().item())\n"
    )


def _picture_import(lab: Lab) -> str:
    if lab.kind == WEIGHTS:
        return ""
    if lab.subject.source in TITLES:
        return "from quantlib.tasks.super_resolution import reduced, sample_for, sites_of\n"
    return (
        "from quantlib.imaging.files import read_picture_file\n"
        "from quantlib.tasks.super_resolution import reduced, sites_of\n"
    )


def _activation_lines(lab: Lab) -> str:
    if lab.subject.source in TITLES:
        low = f"low, _ = reduced(sample_for({lab.subject.source!r}, network.scale), network.scale)"
    elif lab.subject.truth is not None:
        low = 'low, _ = reduced(read_picture_file("truth.png").rgb, network.scale)'
    else:
        low = 'low = read_picture_file("input.png").rgb'
    channel = f".select({lab.site.channel_dim}, {lab.channel})" if lab.of_one_channel else ""
    return (
        f"{low}\n"
        "inputs = {}\n"
        "def keep(site, a, layer):\n"
        "    return inputs.setdefault(site.name, a.detach().clone())\n"
        "sites_of(network).run(to_tensor(low), keep)\n"
        f"x = inputs[{lab.site.name!r}]{channel}\n"
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
