"""Ten stops through the subject, one screen each: a question, a control, its numbers, a figure."""

from pages.parts.shared.notices import body
from pages.parts.shared.start import start_page
from pages.parts.tour.frame import choose_stop, show_stop
from pages.parts.tour.stops import STOPS

start_page(
    "Tour",
    "Ten stops from a photograph to integers that run. Each asks for your guess first; what it "
    "then shows is computed here, now.",
)

number = choose_stop(len(STOPS))
with body():
    show_stop(STOPS[number - 1], number)
