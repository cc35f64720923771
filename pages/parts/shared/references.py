"""The sources of published numbers, beside a table of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from pages.parts.shared.terms import caption
from quantlib.evaluation.published import PublishedAccuracy, PublishedPSNR, Source

NOTHING = "–"


@dataclass(frozen=True)
class References:
    """The sources of a table's rows, by number, and the notes on some of them, by letter."""

    sources: Sequence[Source]
    notes: Sequence[str]

    @classmethod
    def of(cls, rows: Sequence[PublishedPSNR] | Sequence[PublishedAccuracy]) -> "References":
        notes = dict.fromkeys(row.note for row in rows if row.note)
        return cls(list(dict.fromkeys(row.source for row in rows)), list(notes))

    def to(self, row: PublishedPSNR | PublishedAccuracy) -> str:
        """The number of its source and the letter of its note: `2 a`."""
        number = str(self.sources.index(row.source) + 1)
        return f"{number} {ascii_lowercase[self.notes.index(row.note)]}" if row.note else number

    def show(self) -> None:
        caption("\n".join(f"{number}. {source}" for number, source in enumerate(self.sources, 1)))
        if self.notes:
            letters = zip(ascii_lowercase, self.notes, strict=False)
            caption("  \n".join(f"{letter}: {note}" for letter, note in letters))
