"""One training by gaopt, beside a bare PyTorch loop of the same form and stock fastai, in alternation.

`gaopt bench train [--runs 3] [SETTING …]`, or `python -m benchmarks.training`, prints images per second of training, on
one thread of the CPU or on the accelerator that torch finds: there each setting in float32 and bfloat16, with twenty
times the steps. fastai is always in float32. Images are noise: nothing is learned, and every step is computed.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from resnet.data import Images, Split
from resnet.loader import Plain
from resnet.net import build
from resnet.recipe import Recipe
from resnet.spec import NetSpec
from resnet.step import placed
from resnet.train import default_device, train


@dataclass(frozen=True)
class Setting:
    """A network and how much it is trained in an epoch."""

    net: str
    side: int
    channels: int
    batch: int
    steps: int
    valid: int
    precision: str = "float32"

    def images(self) -> Images:
        """Noise, in the sizes of the setting."""
        rng = np.random.default_rng(0)

        def split(count: int) -> Split:
            shape = (count, self.side, self.side, self.channels)
            return Split(rng.integers(0, 256, shape, np.uint8), np.arange(count) % 10)

        mean, std = (0.5,) * self.channels, (0.25,) * self.channels
        splits = split(self.steps * self.batch), split(self.valid), split(10)
        return Images(*splits, tuple("0123456789"), mean, std, "noise", "")


SETTINGS = {
    "resnet20": Setting("resnet20", 32, 3, 128, 8, 114),
    "resnet50": Setting("resnet50", 32, 3, 128, 3, 190),
    "digits": Setting("resnet50", 12, 1, 32, 28, 450),
    "quick": Setting("resnet20", 8, 1, 32, 28, 450),
}
EPOCHS = 2


def bare(setting: Setting, data: Images, plain: bool) -> None:
    """The least that a training is: forward, backward, AdamW, and validation; `plain`: as `build` makes the network."""
    device, recipe = default_device(), Recipe(precision=setting.precision)  # type: ignore[arg-type]
    net: torch.nn.Module = build(NetSpec(setting.net), setting.channels, 10).to(device)
    net = net if plain else placed(net, recipe, device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, fused=True)
    batches = list(Plain(data.train, data, setting.batch, device))
    for _ in range(EPOCHS):
        net.train()
        for images, labels in batches:
            F.cross_entropy(net(images).float(), labels).backward()
            optimizer.step()
            optimizer.zero_grad()
        net.eval()
        with torch.inference_mode():
            for images, labels in Plain(data.valid, data, 256, device):
                F.cross_entropy(net(images).float(), labels)


def ours(setting: Setting, data: Images) -> None:
    """The whole call."""
    recipe = Recipe(epochs=EPOCHS, batch=setting.batch, lr=1e-3, precision=setting.precision)  # type: ignore[arg-type]
    train(NetSpec(setting.net), recipe, data)


def stock(setting: Setting, data: Images, folder: Path) -> Callable[[], None]:
    """fastai as its tutorial has it: PNG files, two loader processes, its own Adam, fit_one_cycle."""
    from fastai.vision.all import ImageDataLoaders, Learner, accuracy

    for part, split in (("train", data.train), ("valid", data.valid)):
        for number, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            path = folder / part / str(label) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.squeeze()).save(path)

    def fit() -> None:
        loaders = ImageDataLoaders.from_folder(folder, bs=setting.batch, num_workers=2, device=default_device())
        learner = Learner(loaders, build(NetSpec(setting.net), 3, 10), metrics=accuracy)
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(EPOCHS, 1e-3)

    return fit


def rate(setting: Setting, call: Callable[[], None]) -> float:
    """Images trained on per second of a call."""
    _synchronize()
    start = time.perf_counter()
    call()
    _synchronize()
    return EPOCHS * setting.steps * setting.batch / (time.perf_counter() - start)


def _synchronize() -> None:
    if default_device().type != "cpu":
        torch.accelerator.synchronize()


def peak(setting: Setting) -> str:
    """The most memory of the accelerator that a call of ours takes; "–" on a CPU, and where torch does not tell."""
    if default_device().type == "cpu":
        return "–"
    with suppress(RuntimeError):
        torch.accelerator.reset_peak_memory_stats()
        ours(setting, setting.images())
        if most := torch.accelerator.max_memory_allocated():
            return f"{most / 1e9:.2f} GB"
    return "–"


def rows(names: list[str]) -> dict[str, Setting]:
    """The settings that are measured on this machine, by what their rows are called."""
    if default_device().type == "cpu":
        return {name: SETTINGS[name] for name in names}
    return {
        f"{name}, {precision}": replace(SETTINGS[name], steps=20 * SETTINGS[name].steps, precision=precision)
        for name in names
        for precision in ("float32", "bfloat16")
    }


def where() -> str:
    """The device's name, and torch's version."""
    device = default_device()
    named = getattr(torch.get_device_module(device), "get_device_name", lambda: processor())
    return f"{device.type}: {named()}, torch {torch.__version__}"


def processor() -> str:
    """The processor's name, where the kernel tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def measure(setting: Setting, runs: int) -> dict[str, list[float]]:
    """Images per second of each way, as often as said, in alternation; the first round is left out."""
    data = setting.images()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ways = {
            "bare": lambda: bare(setting, data, plain=True),
            "bare, same form": lambda: bare(setting, data, plain=False),
            "gaopt": lambda: ours(setting, data),
            "fastai": stock(setting, data, Path(folder)),
        }
        rounds = [{name: rate(setting, way) for name, way in ways.items()} for _ in range(runs + 1)]
    return {name: [each[name] for each in rounds[1:]] for name in ways}


def table(names: list[str], runs: int) -> list[str]:
    """A Markdown table, a row per setting."""
    lines = [
        f"{where()}\n",
        "| setting | bare loop | in gaopt's form | gaopt, whole call | ÷ same form | stock fastai | ÷ fastai | peak |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    torch.set_num_threads(1)
    for name, setting in rows(names or list(SETTINGS)).items():
        found = measure(setting, runs)
        middle = {way: statistics.median(rates) for way, rates in found.items()}
        same, stock_ratio = (
            [a / b for a, b in zip(found["gaopt"], found[way], strict=True)] for way in ("bare, same form", "fastai")
        )
        cells = [f"{middle[way]:.0f}" for way in ("bare", "bare, same form", "gaopt")]
        lines.append(
            f"| {name} | {' | '.join(cells)} | {spread(same)} | {middle['fastai']:.0f} | {spread(stock_ratio)} "
            f"| {peak(setting)} |"
        )
    return lines


def spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    print("\n".join(table(given.settings, given.runs)))


if __name__ == "__main__":
    main()
