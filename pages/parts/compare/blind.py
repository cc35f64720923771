"""The blind test: which of two unnamed crops is meant, ten times, and what chance would do."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Any, Literal

ROUNDS = 10
Side = Literal["A", "B"]
SIDES: tuple[Side, Side] = ("A", "B")


@dataclass(frozen=True)
class Question:
    """What is asked; where there is a right answer, only scores above chance are surprising."""

    text: str
    has_answer: bool


WHICH_IS = Question("Which is FP32?", True)
WHICH_BETTER = Question("Which do you like better?", False)
QUESTIONS = {question.text: question for question in (WHICH_IS, WHICH_BETTER)}


@dataclass(frozen=True)
class Round:
    """Which results are A and B, and where their crop begins, in pixels."""

    a: str
    b: str
    top: int
    left: int

    def name(self, side: Side) -> str:
        return self.a if side == "A" else self.b


@dataclass(frozen=True)
class BlindTest:
    """A test whose rounds follow from `seed`; `answers` are those given so far.

    In every round the result `first` stands beside one of `others`.

    >>> test = drawn(WHICH_IS, "FP32", ["2 bit"], (64, 64), 32, seed=1)
    >>> while test.current:
    ...     test = test.answered("A" if test.current.a == "FP32" else "B")
    >>> test.score, test.probability == 1 / 1024
    (10, True)
    """

    question: Question
    first: str
    others: tuple[str, ...]
    side: int
    seed: int
    rounds: tuple[Round, ...]
    answers: tuple[Side, ...] = ()

    @property
    def current(self) -> Round | None:
        """The round that waits for an answer, None after the last."""
        return self.rounds[len(self.answers)] if len(self.answers) < len(self.rounds) else None

    def answered(self, side: Side) -> "BlindTest":
        """With one more answer; after the last round it stays as it is."""
        return self if self.current is None else replace(self, answers=(*self.answers, side))

    @property
    def chosen(self) -> list[str]:
        """The results that were chosen, round by round."""
        return [r.name(side) for r, side in zip(self.rounds, self.answers, strict=False)]

    @property
    def score(self) -> int:
        """How often `first` was chosen."""
        return self.chosen.count(self.first)

    @property
    def probability(self) -> float:
        """That guessing gives such a score: as high, or as far from half where neither is right."""
        tail = at_least if self.question.has_answer else as_uneven
        return tail(self.score, len(self.answers))

    @property
    def sentence(self) -> str:
        """The score in words."""
        of = f"{self.score} of {len(self.answers)} rounds"
        if self.question.has_answer:
            return (
                f"{self.first} was found in {of}. Guessing does as well or better with a "
                f"probability of {self.probability:.1%}."
            )
        return (
            f"{self.first} was liked better in {of}. If both looked alike, a count as uneven as "
            f"this would have a probability of {self.probability:.1%}."
        )

    def rows(self) -> list[dict[str, Any]]:
        """What stood where, and what was answered."""
        given = zip(self.rounds, self.answers, self.chosen, strict=False)
        return [
            {"round": number, "A": one.a, "B": one.b, "answer": side, "chosen": chosen}
            for number, (one, side, chosen) in enumerate(given, 1)
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        crops = [
            {"left": one.left, "top": one.top, "side": self.side}
            for one in self.rounds[: len(self.answers)]
        ]
        return {
            "question": self.question.text,
            "counted": self.first,
            "against": list(self.others),
            "seed": self.seed,
            "score": self.score,
            "of": len(self.answers),
            "probability_under_chance": self.probability,
            "rounds": [row | {"crop": crop} for row, crop in zip(self.rows(), crops, strict=True)],
        }


def drawn(
    question: Question,
    first: str,
    others: Sequence[str],
    size: tuple[int, int],
    side: int,
    seed: int,
    rounds: int = ROUNDS,
) -> BlindTest:
    """A test over pictures of `size` (height, width); crops, opponents and order come from `seed`.

    Crops are `side` pixels wide and high, and lie inside the picture.
    """
    draw = random.Random(seed)
    made = []
    for _ in range(rounds):
        a, b = draw.sample([first, draw.choice(list(others))], 2)
        top, left = (draw.randint(0, length - side) for length in size)
        made.append(Round(a, b, top, left))
    return BlindTest(question, first, tuple(others), side, seed, tuple(made))


def at_least(score: int, rounds: int) -> float:
    """The probability that fair guesses are right `score` times or more often.

    >>> at_least(9, 10) == (10 + 1) / 1024
    True
    """
    return sum(comb(rounds, right) for right in range(score, rounds + 1)) / 2**rounds


def as_uneven(score: int, rounds: int) -> float:
    """The probability that fair coins fall as far from half as `score`, to either side.

    >>> as_uneven(5, 10), as_uneven(0, 10) == 2 / 1024
    (1.0, True)
    """
    far = abs(2 * score - rounds)
    ways = (comb(rounds, k) for k in range(rounds + 1) if abs(2 * k - rounds) >= far)
    return sum(ways) / 2**rounds
