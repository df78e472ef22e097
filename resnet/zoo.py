"""Networks of timm and of torchvision by their names there: "timm:convnext_atto", "torchvision:efficientnet_b0"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from torch import Tensor, nn

from resnet.data import Images
from resnet.spec import NetSpec

FIXED = ("vit_", "maxvit_")
"""What the names of those torchvision networks begin with that take images of one size only."""


class LibraryError(ValueError):
    """A library is not there, has no such network, or cannot build it as asked."""


@dataclass(frozen=True)
class Input:
    """The images that a network was made for."""

    size: int  # side in pixels
    mean: tuple[float, ...]  # of its pretrained weights, by channel, in 0 … 1
    std: tuple[float, ...]
    fixed: bool  # whether it takes no other size


def _timm() -> Any:
    try:
        import timm
    except ImportError:
        raise LibraryError("timm is not installed: pip install 'gaopt[timm]'") from None
    return timm


@cache
def wanted(spec: NetSpec) -> Input:
    """What the network of a library takes; a LibraryError where there is none of that name."""
    name = spec.name.partition(":")[2]
    if spec.library == "timm":
        timm = _timm()
        base, _, tag = name.partition(".")
        _check_known(spec, base, timm.list_models())
        try:
            found = timm.models.get_pretrained_cfg(name)
        except RuntimeError:
            tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{base}.*")]
            raise LibraryError(
                f"name is {spec.name!r}, but {base} has no weights {tag!r}: known: {', '.join(tags)}"
            ) from None
        if found.classifier is None:
            raise LibraryError(f"name is {spec.name!r}, which is no network for classification")
        return Input(found.input_size[-1], tuple(found.mean), tuple(found.std), bool(found.fixed_input_size))
    from torchvision import models

    _check_known(spec, name, models.list_models(module=models))
    shown = models.get_model_weights(name).DEFAULT.transforms()
    return Input(shown.crop_size[0], tuple(shown.mean), tuple(shown.std), name.startswith(FIXED))


def _check_known(spec: NetSpec, name: str, known: list[str]) -> None:
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean '{spec.library}:{close[0]}'?" if close else f"it has {len(known)}, such as {known[0]}"
        raise LibraryError(f"name is {spec.name!r}, but {spec.library} has no such network: {hint}")


def seen(data: Images, spec: NetSpec) -> Images:
    """The images, for a library's pretrained network with the mean and deviation of its pretraining.

    For grey images these are averaged over its channels.
    """
    if not (spec.library and spec.pretrained):
        return data
    own = wanted(spec)
    mean, std = (each if len(data.mean) == 3 else (sum(each) / 3,) for each in (own.mean, own.std))
    return replace(data, mean=mean, std=std)


def made(spec: NetSpec, classes: int) -> nn.Module:
    """A network as its library initialises it, for images of three channels, with a head for so many classes."""
    wanted(spec)
    name = spec.name.partition(":")[2]
    if spec.library == "torchvision":
        return _torchvision(spec, name, classes)
    rates = {key: value for key in ("drop_rate", "drop_path_rate") if (value := getattr(spec, key)) >= 0}
    try:
        net: nn.Module = _timm().create_model(name, num_classes=classes, **rates)
    except TypeError as error:
        if refused := [key for key in rates if key in str(error)]:
            raise _refused(spec, refused[0]) from None
        raise
    return net


def _refused(spec: NetSpec, key: str) -> LibraryError:
    return LibraryError(f"{spec.name} takes no {key}: leave it out")


def _torchvision(spec: NetSpec, name: str, classes: int) -> nn.Module:
    from torchvision import models
    from torchvision.ops import StochasticDepth

    options: dict[str, Any] = {}
    if name in ("googlenet", "inception_v3"):  # as for those of `net`
        options = {"aux_logits": False, "init_weights": True, "transform_input": bool(spec.pretrained)}
    net = models.get_model(name, weights=None, num_classes=classes, **options)
    for key, kind in (("drop_rate", nn.Dropout), ("drop_path_rate", StochasticDepth)):
        if (rate := getattr(spec, key)) < 0:
            continue
        found: list[Any] = [module for module in net.modules() if isinstance(module, kind)]
        if not found:
            raise _refused(spec, key)
        for number, module in enumerate(found, 1):  # the depth's rate grows from block to block
            module.p = rate if key == "drop_rate" else rate * number / len(found)
    return net


def heads(spec: NetSpec, net: Any) -> tuple[str, ...]:
    """The names of its last layers, one or, of a distilled network, two."""
    if spec.library == "timm":
        found = net.pretrained_cfg["classifier"]
        return (found,) if isinstance(found, str) else tuple(found)
    return ([name for name, module in net.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1],)


def timm_weights(spec: NetSpec) -> dict[str, Tensor]:
    """timm's own, from the cache of the Hugging Face hub or from there; an OSError or a RuntimeError without them."""
    name = spec.name.partition(":")[2]
    timm = _timm()
    if not timm.models.get_pretrained_cfg(name).has_weights:
        raise LibraryError(f"pretrained is 'imagenet', but timm has no weights of {name}")
    try:
        with _hub(offline=True):  # one version for a whole study, and no question to the hub for each training
            net = timm.create_model(name, pretrained=True)
    except OSError:
        _check_reachable()
        with _hub(offline=False):
            net = timm.create_model(name, pretrained=True)
    found: dict[str, Tensor] = net.state_dict()
    return found


@contextmanager
def _hub(offline: bool) -> Iterator[None]:
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = offline or before
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _check_reachable() -> None:
    """An OSError at once where the hub does not answer: its own downloads try for a minute, and say so each time."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=10)
    except Exception as error:  # of whichever client it has
        raise ConnectionError(f"{constants.ENDPOINT} does not answer: {error}") from None
