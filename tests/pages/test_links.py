"""A hundred random choices, each written into an address and read from it."""

import random
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from pages.parts.shared.method import address_of
from pages.parts.shared.samples import TITLES
from quantlib.imaging.samples import SAMPLES
from quantlib.ptq import Settings
from quantlib.ptq.methods import METHODS
from quantlib.ptq.parameters import PARAMETERS, OneOf, Parameter, Real, Switch, Whole

LINKS = 100
SCRIPT = Path(__file__).with_name("sidebar_app.py")


def at_random(draw: random.Random, parameter: Parameter) -> Any:
    match parameter:
        case Whole():
            return draw.randint(parameter.low, parameter.high)
        case Real():
            low, high = parameter.shown
            return round(
                low + parameter.step * draw.randrange(int((high - low) / parameter.step)), 6
            )
        case Switch():
            return draw.random() < 0.5
        case OneOf():
            return draw.choice(parameter.choices)
    raise AssertionError(parameter)


def settings_at_random(draw: random.Random) -> Settings:
    entry = draw.choice([one for one in METHODS.values() if not one.learned])
    taken = [name for name in PARAMETERS if entry.takes(name) and name != "depth"]
    return Settings(entry.name, **{name: at_random(draw, PARAMETERS[name]) for name in taken})


def test_a_hundred_links_open_what_they_were_made_from():
    draw = random.Random(0)
    for _ in range(LINKS):
        settings, picture = settings_at_random(draw), draw.choice(SAMPLES)
        query = address_of(settings) | {"picture": TITLES[picture.key]}
        fresh = AppTest.from_file(str(SCRIPT), default_timeout=60)
        for key, value in query.items():
            small = draw.random() < 0.3
            fresh.query_params[key] = value.lower() if small else value
        fresh.run()
        assert not fresh.exception and not fresh.error
        chosen = fresh.session_state["chosen"]
        for name in PARAMETERS:
            if settings.entry.takes(name):
                assert getattr(chosen.settings, name) == getattr(settings, name), (name, query)
        assert chosen.settings.method == settings.method
        assert TITLES[picture.key] in fresh.query_params.get("picture", [TITLES[SAMPLES[0].key]])
