"""What a training step of a classifier or a segmenter makes small."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from quantlib.datasets.annotated import AnnotatedPictures
from quantlib.training.loop import bfloat16
from quantlib.training.recognition.recipe import RecognitionRecipe


class RecognitionObjective:
    """Cross-entropy, and of a classifier with a teacher its softened output as well.

    (1 - λ)·CE(y, z) + λ·T²·KL(softmax(t/T) ‖ softmax(z/T)), with the teacher's logits t
    (Hinton et al., arXiv 1503.02531). `class_weights` `(classes,)` weigh the pixels of a class;
    labels beyond the classes do not count.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: RecognitionRecipe,
        teacher: nn.Module | None,
        class_weights: Tensor | None = None,
    ) -> None:
        self.network, self.recipe, self.teacher = network, recipe, teacher
        self.class_weights = class_weights

    def __call__(self, x: Tensor, labels: Tensor, step: int) -> Tensor:
        logits = self.network(x).float()
        weights = self.class_weights
        loss = cross_entropy(
            logits,
            labels,
            None if weights is None else weights.to(x.device),
            ignore_index=logits.shape[1],
            label_smoothing=self.recipe.label_smoothing,
        )
        if self.teacher is None:
            return loss
        with torch.no_grad(), bfloat16(x.device):
            wanted = self.teacher(x).float()
        share, temperature = self.recipe.distillation, self.recipe.temperature
        softened = kl_div(
            log_softmax(logits / temperature, 1),
            softmax(wanted / temperature, 1),
            reduction="batchmean",
        )
        return (1 - share) * loss + share * temperature**2 * softened


def rarity(pictures: AnnotatedPictures, balance: float) -> Tensor:
    """Weight of every class: (median frequency / its frequency)^`balance`, `float32 (classes,)`.

    Median frequency balancing (Eigen and Fergus, arXiv 1411.4734) with `balance` 1; none with 0.

    >>> rgb, labels = np.zeros((1, 1, 4, 3), np.uint8), np.array([[[0, 0, 0, 1]]], np.uint8)
    >>> rarity(AnnotatedPictures(rgb, labels, ("a", "b")), 1.0)
    tensor([0.6667, 2.0000])
    """
    counts = np.bincount(pictures.labels.ravel(), minlength=len(pictures.classes))
    frequencies = counts[: len(pictures.classes)].clip(1) / pictures.labels.size
    weights = (np.median(frequencies) / frequencies) ** balance
    return torch.from_numpy(weights.astype(np.float32))
