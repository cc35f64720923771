"""Twelve exercises, from five minutes to an hour."""

from pages.parts.exercises.exercise import show_exercise
from pages.parts.exercises.table import EXERCISES
from pages.parts.shared.start import start_page
from pages.parts.shared.terms import caption

start_page(
    "Exercises",
    f"{len(EXERCISES)} of them, the short ones first. Each begins on a page of Bitlens with "
    "everything set; hint and answer wait behind a click.",
)

for number, exercise in enumerate(EXERCISES, 1):
    show_exercise(exercise, number)
caption(
    "PSNR in the answers is that of the pictures as the pages begin with them, 128 pixels a side "
    "before they are enlarged. A test computes all answers anew."
)
