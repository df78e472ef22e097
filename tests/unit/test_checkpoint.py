"""What a checkpoint must hold: whatever else a file with a right checksum holds is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from resnet import weights
from tests.faults.checkpoint import small

CPU = torch.device("cpu")
ONES = torch.ones(1, 2)


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_what_was_saved_is_loaded(tmp_path: Path, kind: Any) -> None:
    small(tmp_path / "c.safetensors", kind).save(1)
    assert small(tmp_path / "c.safetensors", kind).load(CPU) == 1


def test_other_tensors_than_the_training_s_are_refused(tmp_path: Path) -> None:
    for n, change in enumerate(
        [
            {"optimizer/0/a/b": ONES},
            {"optimizer/0/more": ONES},
            {"optimizer/9/exp_avg": ONES},
            {"optimizer/0/exp_avg": torch.ones(2, 2)},
            {"optimizer/0/step": ONES},
            {"optimizer/0/exp_avg_sq": None},
            {f"optimizer/{index}/{key}": None for index in (0, 1) for key in ("step", "exp_avg", "exp_avg_sq")},
            {"net/bias": None},
            {"net/weight": ONES.long()},
            {"other": ONES},
        ]
    ):
        (folder := tmp_path / str(n)).mkdir()
        path, notes = folder / "c.safetensors", list[str]()
        small(path).save(1)
        found = weights.read(path)
        assert found
        changed = {name: tensor for name, tensor in (found[0] | change).items() if tensor is not None}
        weights.write(path, changed, found[1])
        assert small(path, note=notes.append).load(CPU) == 0
        assert notes == ["c.safetensors holds something else than it should: begun anew"]


def test_progress_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    small(path).save(1)
    found = weights.read(path)
    assert found
    weights.write(path, found[0], found[1] | {"progress": '{"done": Infinity, "reports": [], "seconds": 1}'})
    assert small(path).load(CPU) == 0
