"""The verb nets."""

import json
from collections.abc import Iterator
from functools import cache
from unittest.mock import patch

import pytest

from resnet.analysis import analyse
from resnet.spec import BORROWED, NAMES
from tests.integration.test_cli import invoke
from tests.unit.test_architecture import loaded

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    """Every network is gone through once, however often they are listed: ten seconds each time."""
    with patch("resnet.analysis.analyse", cache(analyse)):
        yield


def columns(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setenv("COLUMNS", str(number))


def test_every_network_is_listed_with_the_paper_s_figures(capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    columns(monkeypatch, 80)
    code, out, err = invoke(capfd, "nets")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith(NAMES)}
    assert set(lines) == set(NAMES)
    assert lines["resnet50"][1:6] == ["50", "25.56", "4.089", "3.8", "21.03"]
    assert lines["resnet56"][1:5] == ["56", "0.85", "0.85", "0.125"]
    assert lines["vgg19"][1:6] == ["19", "143.67", "144", "19.632", "19.6"]
    for title in ("224 px, 1000 classes, batch 256", "32 px, 10 classes, batch 128", "299 px, 1000 classes, batch 256"):
        assert title in out


def test_nothing_is_wider_than_the_terminal_or_cut_off(capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for width, arguments in ((80, []), (120, ["resnet152"]), (80, ["preact1001"]), (80, ["inception_v3"])):
        columns(monkeypatch, width)
        code, out, _ = invoke(capfd, "nets", *arguments)
        assert code == 0
        assert max(map(len, out.splitlines())) <= width
        assert "…" not in out


def test_one_network_is_shown_stage_by_stage(capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    columns(monkeypatch, 80)
    _, out, _ = invoke(capfd, "nets", "resnet50")
    for row in (
        "conv1    112×112  7×7, 64, stride 2                         9,536    118.0",
        "conv2_x    56×56  [1×1, 64; 3×3, 64; 1×1, 256] × 3        215,808    667.9",
        "fc           1×1  average pool, 1000-d fc               2,049,000      2.0",
        "FLOPs       4.089 ×10⁹",
        "21.03 GiB for a step at batch 256 with Adam, 20.94 GiB with SGD",
        "3.8 ×10⁹ FLOPs (He et al. 2015, table 1)",
    ):
        assert row in out
    assert "activations\n" not in out
    columns(monkeypatch, 120)
    _, out, _ = invoke(capfd, "nets", "resnet50")
    assert "activations\n" in out


def test_a_network_of_a_library_is_shown_part_by_part(capfd: Captured) -> None:
    code, out, _ = invoke(capfd, "nets", "torchvision:mobilenet_v3_small", "--classes", "10")
    assert code == 0
    assert "224×224 images of 3 channels, 10 classes\nas torchvision builds it" in out
    assert "1,528,106" in out  # 2,542,856 of 1,000 classes, less 1,025 each
    assert "52 convolutions" in out


def test_numbers_and_settings_change_what_is_asked_about(capfd: Captured) -> None:
    numbers = "--size 16 --classes 7 --batch 4 --set net.shortcut=C --set net.order=preact"
    code, out, _ = invoke(capfd, "nets", "resnet20", *numbers.split(), "--json")
    found = json.loads(out)
    assert code == 0
    assert [found[key] for key in ("size", "classes", "channels", "batch")] == [16, 7, 3, 4]
    assert (found["net"]["shortcut"], found["net"]["order"]) == ("C", "preact")
    assert found["published"] is None
    assert found["parameters"] == sum(stage["parameters"] for stage in found["stages"])
    assert found["memory"]["adam"]["total"] > found["memory"]["sgd"]["total"]


def test_as_json_all_networks_are_a_list_and_one_is_an_object(capfd: Captured) -> None:
    _, out, _ = invoke(capfd, "nets", "--json")
    found = json.loads(out)
    assert [each["net"]["name"] for each in found] == list(NAMES)
    with patch("resnet.analysis.analyse", analyse):
        _, out, _ = invoke(capfd, "nets", "resnet50", "--json")
    assert json.loads(out) in found
    assert json.loads(out)["multiply_adds"] == 4_089_184_256


def test_networks_that_do_not_take_a_setting_are_named_and_left_out(capfd: Captured) -> None:
    code, out, err = invoke(capfd, "nets", "--set", "net.stem=cifar", "--json")
    assert code == 0
    shown = {each["net"]["name"] for each in json.loads(out)}
    assert shown == set(NAMES) - set(BORROWED)
    assert all(name in err for name in BORROWED)


def test_bad_input_gets_one_sentence_and_exit_code_2(capfd: Captured) -> None:
    for arguments, said in [
        ("resnt50", "net: name is 'resnt50', which is no network: did you mean 'resnet50'?"),
        ("resnet50 --size 0", "nets.size is 0: must be greater than or equal to 1"),
        ("--set net.strid=1x1", "unknown key net.strid: did you mean 'stride'?"),
        ("--set recipe.epochs=3", "unknown table [recipe]: known: net"),
        ("vgg16 --set net.stem=cifar", "net: stem is 'cifar' with vgg16, which has no such units"),
        ("torchvision:vgg99", "net: name is 'torchvision:vgg99', but torchvision has no such network: did you mean"),
        ("torchvision:alexnet --size 32", "net: torchvision:alexnet takes no images of 32 pixels"),
    ]:
        code, out, err = invoke(capfd, "nets", *arguments.split())
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert err.startswith(f"gaopt: {said}")


def test_a_wrong_name_loads_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['gaopt', 'nets', 'resnt50']; from gaopt.cli import main; main()"
    assert loaded(code) == set()
