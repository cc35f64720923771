"""The Reproduce panel of the speed page."""

from pages.parts.shared.reproduce import show_code
from pages.parts.speed.choosing import Race
from pages.parts.super_resolution.reproduce import picture_lines


def show_speed_reproduce(race: Race) -> None:
    """The lines that measure these forms; times are those of the machine that runs them."""
    imports, picture = picture_lines(race.picture)
    learned = f"load({race.learned!r})" if race.learned else "None"
    show_code(
        None,
        "from quantlib.imaging.samples import mirrored\n"
        "from quantlib.models import load\n"
        f"{imports}"
        "from quantlib.tasks.ways import costs, ways\n\n"
        f"network, learned = load({race.network.name!r}), {learned}\n"
        f"{picture}"
        f"low = mirrored(low, {race.side})\n"
        f"for cost in costs(ways(network, learned), low, rounds={race.rounds}):\n"
        "    print(cost.title, cost.engine, cost.why_not or cost.median)\n",
    )
