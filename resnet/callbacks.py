"""What happens around the batches and epochs of a Learner: measuring, reporting, checkpoints, divergence."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from resnet.groups import freeze, set_rate
from resnet.lean import Callback
from resnet.loader import epoch_seed
from resnet.metrics import measured
from resnet.recipe import Recipe, momentum, rate

Point = tuple[float, float, float]
Report = Callable[[int, dict[str, float], list[Point]], None]
"""Called after each epoch with its number (from 1), its metrics, and points (position, lr, mom) of its schedule."""

POINTS = 16  # of the schedule, kept for each epoch
WATCHED = 16  # steps between two looks at the loss: each look waits for the device


class Diverged(ArithmeticError):  # noqa: N818 - named for what happened
    """The training loss is no longer a finite number, or the training learns nothing.

    Attributes:
        epochs: trained, where it ended after an epoch; 0 where it ended within one.
    """

    def __init__(self, message: str, epochs: int = 0) -> None:
        super().__init__(message)
        self.epochs = epochs


KS = (1, 3, 5)


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """How many labels (n,) are among the k highest logits (n, classes), for each k of `KS`: (3,) int64.

    With fewer than k classes every label is. A row that is not finite hits nothing.
    """
    k = min(max(KS), logits.shape[1])
    found = (logits.topk(k).indices == labels[:, None]) & logits.isfinite().all(1, keepdim=True)
    return torch.stack([found[:, :n].any(1).sum() for n in KS])


class Meter:
    """The mean loss and the top-1, top-3 and top-5 accuracy (0 … 1) over batches, counted every so many of them.

    With `keep` it keeps logits and labels, for what is measured of all images `together`.
    """

    def __init__(self, keep: bool = False) -> None:
        self._keep, self._kept = keep, list[tuple[Tensor, Tensor]]()
        self._count, self._loss, self._hits = 0, 0.0, [0] * len(KS)
        self._waiting: list[tuple[Tensor, Tensor, Tensor]] = []

    def add(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        """One batch: logits (n, classes), labels (n,) or shares of the classes (n, classes), its mean loss ()."""
        if labels.ndim > 1:
            labels = labels.argmax(1)
        self._waiting.append((logits.detach(), labels, loss.detach() * len(labels)))
        if len(self._waiting) == WATCHED:
            self._gather()

    def _gather(self) -> None:
        """Count what waits: a kernel of each kind for many batches, and the only waits for the device."""
        if self._waiting:
            logits, labels, losses = zip(*self._waiting, strict=True)
            self._waiting.clear()
            whole = torch.cat(logits), torch.cat(labels)
            found = hits(*whole).tolist()
            if self._keep:
                self._kept.append((whole[0].float().cpu(), whole[1].cpu()))
            self._count += sum(map(len, labels))
            self._loss += torch.stack(losses).cpu().double().sum().item()  # MPS knows no doubles
            self._hits = [had + new for had, new in zip(self._hits, found, strict=True)]

    @property
    def finite(self) -> bool:
        """Whether every loss was."""
        self._gather()
        return math.isfinite(self._loss)

    def result(self) -> dict[str, float]:
        """By name: loss, top1, top3, top5."""
        self._gather()
        accuracies = (count / self._count for count in self._hits)
        return {"loss": self._loss / self._count} | {f"top{k}": a for k, a in zip(KS, accuracies, strict=True)}

    def together(self) -> dict[str, float]:
        """By name: balanced, macro_f1, neg_log_loss, and auc where every class has an image."""
        self._gather()
        logits, labels = (torch.cat(each).numpy() for each in zip(*self._kept, strict=True))
        return measured(logits, labels)


class Honest(Callback):
    """A callback whose exceptions leave the fit as they are: fastai rewrites their messages."""

    def __call__(self, event_name: str) -> None:
        getattr(self, event_name, lambda: None)()


class Epochs(Honest):
    """Seeds, measures and reports each epoch, and ends a training that is lost.

    train_loss and train_top1 are of the augmented batches, each measured by the weights it then changes.
    """

    order = 10

    def __init__(
        self, seed: int, report: Report, hopeless: float = 0.0, chance: float = 0.0, metric: str = "top1"
    ) -> None:
        """
        Args:
            metric: what is reported of each epoch besides losses and top-k accuracies, if it is another.
            hopeless: the share of the training after which it must once have been better than chance; 0 for never.
            chance: the accuracy of that.
        """
        self.seed, self.report, self.hopeless, self.chance, self.metric = seed, report, hopeless, chance, metric
        self.reports: list[tuple[int, dict[str, float], list[Point]]] = []
        self.spent = 0.0  # seconds of earlier epochs

    @property
    def errors(self) -> list[float]:
        """On validation, 0 … 1, of each epoch that was reported."""
        return [1 - measures["top1"] for _, measures, _ in self.reports]

    def replay(self, reports: list[tuple[int, dict[str, float], list[Point]]], spent: float) -> None:
        """Report what was reported before a checkpoint: whoever listened then may have died."""
        self.spent = spent
        for epoch, measures, points in reports:
            self._tell(epoch, measures, points)

    def before_train(self) -> None:
        self.began = time.monotonic()
        self.dls.train.epoch = self.learn.epoch
        torch.manual_seed(epoch_seed(self.seed, self.learn.epoch))  # for layers that draw, such as dropout
        self.trained, self.measured = Meter(), Meter(keep=True)
        self.points: list[Point] = []

    def after_batch(self) -> None:
        learn = self.learn
        (labels,) = learn.yb
        (self.trained if learn.training else self.measured).add(learn.pred, labels, learn.loss)
        if learn.training and learn.iter % WATCHED == WATCHED - 1:
            self._check_loss()

    def before_validate(self) -> None:
        self._check_loss()
        self.trained_seconds = time.monotonic() - self.began

    def after_validate(self) -> None:
        seconds = time.monotonic() - self.began
        self.spent += seconds
        trained, measured = self.trained.result(), self.measured.result()
        if self.metric not in measured:
            measured[self.metric] = self.measured.together()[self.metric]
        measures = {
            "train_loss": trained["loss"],
            "valid_loss": measured.pop("loss"),
            "train_top1": trained["top1"],
            **measured,
            "seconds": seconds,
            "images_per_second": len(self.dls.train) * self.dls.train.batch / self.trained_seconds,
        }
        done = self.learn.epoch + 1
        self._tell(done, measures, self.points)
        best = 1 - min(self.errors)
        # 0.07 of 100 is 7, and a little more.
        if self.hopeless and done >= self.hopeless * self.learn.n_epoch - 1e-9 and best <= self.chance:
            raise Diverged(f"no better than chance up to epoch {done}: top-1 was at most {best:.3g}", done)

    def _check_loss(self) -> None:
        if not self.trained.finite:
            raise Diverged(f"the loss was {self.learn.loss.item():.3g} in epoch {self.learn.epoch + 1}")

    def _tell(self, epoch: int, measures: dict[str, float], points: list[Point]) -> None:
        self.reports.append((epoch, measures, points))
        self.report(epoch, measures, points)


class Scheduled(Honest):
    """Sets the learning rates and the momentum before each training batch, as the recipe has them, and keeps some.

    Before an epoch it freezes the body of the network, or unfreezes it: what the optimizer has learned goes then, as in
    fastai.
    """

    order = 60  # as fastai's own schedules

    def __init__(self, recipe: Recipe, epochs: Epochs) -> None:
        self.recipe, self.epochs = recipe, epochs

    def before_train(self) -> None:
        learn, frozen = self.learn, self.recipe.freeze_epochs
        freeze(learn.opt.opt, learn.groups, learn.epoch < frozen)
        if learn.epoch == frozen:
            learn.opt.opt.state.clear()

    def before_batch(self) -> None:
        learn = self.learn
        if not learn.training:
            return
        step, steps = learn.epoch * learn.n_iter + learn.iter, learn.n_epoch * learn.n_iter
        # From the reports, which a checkpoint has: a resumed training sees the same errors.
        lr, mom = rate(self.recipe, step, steps, self.epochs.errors), momentum(self.recipe, step, steps)
        set_rate(learn.opt.opt, lr, mom)
        if learn.iter % max(1, -(-learn.n_iter // POINTS)) == 0:
            self.epochs.points.append((step / steps, float(lr), float(mom)))
