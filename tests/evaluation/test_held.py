"""Bytes held, against sums that are known."""

import numpy as np
import torch

from quantlib.evaluation.held import BytesHeld

MILLION = 10**6


def test_tensors_arrays_and_bytes_count():
    with BytesHeld() as held:
        tensor = torch.zeros(MILLION, dtype=torch.uint8)
        array = np.zeros(2 * MILLION, np.uint8)
        raw = bytes(3 * MILLION)
        torch.zeros(1)
    assert abs(held.peak - 6 * MILLION) < 0.1 * MILLION
    assert tensor.nbytes + array.nbytes + len(raw) == 6 * MILLION


def test_views_and_changes_in_place_cost_nothing():
    before = torch.zeros(MILLION)
    with BytesHeld() as held:
        before[::2].add_(1)
        seen = before.view(10, -1).transpose(0, 1)
    assert held.peak < MILLION and seen.numel() == MILLION


def test_what_is_let_go_is_gone():
    with BytesHeld() as held:
        for _ in range(10):
            torch.zeros(MILLION).sum()
        now = held.now
    assert now < 0.1 * MILLION
    assert 4 * MILLION <= held.peak < 9 * MILLION


def test_what_was_held_between_operations_counts():
    with BytesHeld() as held:
        array = np.zeros(5 * MILLION, np.uint8)
        del array
        torch.zeros(1)
    assert held.peak >= 5 * MILLION
