"""The model of a study as an ONNX file that takes pixels and gives probabilities."""

import json
from pathlib import Path

import onnx
import onnxruntime
import torch

from gaopt.export.torch import check, described, exporting, model_of, program
from gaopt.export.trials import Trials


def write(study: Trials, folder: Path) -> None:
    """Write model.onnx, checked, with what model.json tells in its metadata; and model.json."""
    model = model_of(study)
    path, told, traced = folder / "model.onnx", described(study, model), program(model)
    with exporting(model):
        made = torch.onnx.export(
            traced, (), input_names=["images"], output_names=["probabilities"], dynamo=True, verbose=False
        )
    assert made
    onnx.helper.set_model_props(
        proto := made.model_proto,
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in told.items()},
    )
    onnx.save(proto, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    check(model, "onnxruntime", lambda images: session.run(None, {"images": images})[0])
    (folder / "model.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
