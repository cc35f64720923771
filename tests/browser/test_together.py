"""Visitors who come at once see what the library gives for each of them, and nothing of others."""

from quantlib.importance.preparing import prepare
from quantlib.ptq import Settings
from quantlib.tasks import super_resolution
from quantlib.tasks.super_resolution import (
    default_pairs,
    measure,
    open_network,
    reduced,
    sample_for,
    sites_of,
)
from tests.little_work import SIDE
from tests.load.plan import LIGHT, addresses
from tests.load.together import together
from tests.load.visitor import Address

ASKED = {
    Address("", "picture=Cat&method=Direct&bits=2"): ("cat", Settings("direct", bits=2)),
    Address("", "picture=Coffee&method=Direct&bits=2"): ("coffee", Settings("direct", bits=2)),
    Address("", "picture=Cat&method=Power-of-two&bits=3"): ("cat", Settings("pot", bits=3)),
}
NETWORK, SCALE = "builtin:edsr-x2", 2


def sentence(picture: str, settings: Settings) -> str:
    """The beginning of what the workbench says, by the library in this process."""
    network = open_network(NETWORK, settings)
    low, truth = reduced(sample_for(picture, SCALE), SCALE)
    full, result = (
        measure(prepare(sites_of(network), one, default_pairs(network)), low, SCALE, truth)
        for one in (Settings("fp32"), settings)
    )
    return (
        f"{settings.summary} keeps {result.psnr_y:.2f} of {full.psnr_y:.2f} dB at "
        f"{result.ledger.bits_per_activation:.2f} bits per activation"
    )


def test_visitors_at_once_see_what_the_library_gives(app_url, monkeypatch):
    monkeypatch.setattr(super_resolution, "INPUT_SIDE", SIDE)  # as on that server
    *visits, light = together(app_url, [*ASKED, LIGHT[0]])
    for (picture, settings), seen in zip(ASKED.values(), visits, strict=True):
        assert not seen.errors and len(seen.pictures) > 6
        assert seen.sentences[0].startswith(sentence(picture, settings))
    assert len({seen.result for seen in visits}) == len(ASKED)
    assert light.sentences and not light.pictures and not light.errors


def test_a_plan_is_the_same_by_its_seed_and_has_all_kinds():
    plan = addresses(32, seed=1)
    assert plan == addresses(32, seed=1) != addresses(32, seed=2)
    assert len(plan) == 32 and plan.count(Address("")) >= 8
    assert sum(address in LIGHT for address in plan) == 8
