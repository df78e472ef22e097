"""A trained model as it is used outside of a training: from the pixels of image files to probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gaopt.objectives.image.model import Model
from resnet.augment import normalise


class Deployed(nn.Module):
    """Images uint8 (n, size, size, channels) to probabilities (n, classes): normalisation, networks and softmax.

    Of several networks the mean of their probabilities.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, about: Model, nets: Sequence[nn.Module]) -> None:
        super().__init__()
        self.nets, self.flip, self.shift = nn.ModuleList(nets), about.flip, -(-about.crop // 2)
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(getattr(about, name), dtype=torch.float32).reshape(1, -1, 1, 1))
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        return self._classified(normalise(images.permute(0, 3, 1, 2), self.mean, self.std))

    def augmented(self, images: Tensor) -> Tensor:
        """The mean of the probabilities over the views that `views` gives of each image."""
        views = list(self.views(normalise(images.permute(0, 3, 1, 2), self.mean, self.std)))
        return torch.stack([self._classified(view) for view in views]).mean(0)

    def views(self, batch: Tensor) -> Iterator[Tensor]:
        """Normalised images (n, c, h, w) as the training may have seen them, each view a batch like it.

        As they are, and moved to four sides by half of what crops move them; each mirrored as well.
        """
        height, width, by = *batch.shape[2:], self.shift
        padded = F.pad(batch, (by,) * 4)
        for top, left in ((by, by), (0, 0), (0, 2 * by), (2 * by, 0), (2 * by, 2 * by)) if by else ((0, 0),):
            moved = padded[:, :, top : top + height, left : left + width]
            yield from (moved, moved.flip(-1)) if self.flip else (moved,)

    def _classified(self, batch: Tensor) -> Tensor:
        return torch.stack([net(batch).softmax(1) for net in self.nets]).mean(0)
