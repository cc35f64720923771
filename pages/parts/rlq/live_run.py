"""A training run that lives beside the page: reruns and other pages do not end it."""

import time
from dataclasses import dataclass, field

import numpy as np

from pages.parts.shared.background import Background, Progress
from pages.parts.shared.worker import on_worker
from quantlib.evaluation.quality import psnr_y
from quantlib.qat.scheme import OURS
from quantlib.training.contest import FP32, SCALE, Contest, Moment, compete, held_out

PACE = 40


@dataclass
class Course:
    """What is known of one network: its losses, PSNR in dB and first and latest picture."""

    losses: list[tuple[int, float]] = field(default_factory=list)
    quality: list[tuple[int, float]] = field(default_factory=list)
    first: np.ndarray | None = None
    latest: np.ndarray | None = None

    def smooth_losses(self, over: int = 10) -> list[tuple[int, float]]:
        """At every step the mean of the last ten losses, of fewer at the beginning."""
        losses = [loss for _, loss in self.losses]
        return [
            (step, float(np.mean(losses[max(0, i - over) : i])))
            for i, (step, _) in enumerate(self.losses, 1)
        ]


class LiveRun(Background):
    """A contest under way; its own thread only waits.

    The tensor work is done on the lasting worker threads, one training step at a time, so that a
    run takes turns with whatever else visitors ask for.
    """

    def __init__(self, contest: Contest) -> None:
        super().__init__()
        self.contest = contest
        self.courses = {method: Course() for method in (FP32, *contest.methods)}
        self.done = 0
        self._times = [time.perf_counter()]
        self._truth = held_out()[1]

    @property
    def progress(self) -> Progress:
        contest, left = self.contest, self.seconds_left
        note = "" if left is None else f", about {left:.0f} s left"
        prepared = len(self.courses[FP32].losses)
        doing = (
            f"Step {self.step} of {contest.steps}"
            if self.courses[OURS].quality
            else f"Preparing the start, step {prepared} of {contest.start_steps}"
        )
        return Progress(self.done / contest.slices, doing + note)

    @property
    def complete(self) -> bool:
        return self.done == self.contest.slices

    @property
    def step(self) -> int:
        """The steps that both contestants have done."""
        return min(len(self.courses[method].losses) for method in self.contest.methods)

    @property
    def seconds(self) -> float:
        return self._times[-1] - self._times[0]

    @property
    def seconds_left(self) -> float | None:
        """By the pace of the last steps; None before there is one."""
        times = self._times[-PACE:]
        if len(times) < 2:
            return None
        return (times[-1] - times[0]) / (len(times) - 1) * (self.contest.slices - self.done)

    def work(self) -> None:
        moments = compete(self.contest)
        try:
            while not self.stopping and (moment := on_worker(next, moments, None)):
                self._note(moment)
        finally:
            moments.close()  # type: ignore[attr-defined]

    def _note(self, moment: Moment) -> None:
        course = self.courses[moment.method]
        if moment.loss is not None:
            course.losses.append((moment.step, moment.loss))
        if moment.picture is not None:
            course.quality.append((moment.step, psnr_y(moment.picture, self._truth, SCALE)))
            course.latest = moment.picture
            course.first = moment.picture if course.first is None else course.first
        self.done += 1
        self._times.append(time.perf_counter())
