"""The first screen: which channels matter, what the picture loses, what it saves."""

from pages.parts.figures.fetching import charts_to_come
from pages.parts.shared.notices import notice
from pages.parts.shared.start import freeze_modules, start_page

start_page(
    "Workbench",
    "Choose a picture, a network and a method in the sidebar, and see what every bit buys.",
)


def show() -> None:
    """All that takes seconds to import, below a title that is there at once."""
    from pages.parts.workbench.screen import show_workbench

    freeze_modules("the workbench")
    show_workbench()


with charts_to_come(), notice():
    show()
