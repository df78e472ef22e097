"""Every example runs as it stands, small; the notebook from top to bottom."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits

import gaopt
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
NEEDED = {"lightning_digits.py": "lightning", "hf_trainer.py": "transformers"}
SMALL = ["--generations", "1", "--pop", "2", "--set", "pool.kind=inline", "--set", "recipe.epochs=1"]
RAY = """#!/bin/sh
[ "$1" != stop ] || exec pkill -KILL -f "$RAY_TMPDIR/ray"
exec {ray} "$@"
"""
SRUN = """#!/bin/sh
while [ "${{1#--}}" != "$1" ]; do shift; done
[ "$1" != hostname ] || exec echo 127.0.0.1
exec "$@"
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ran(*command: str, folder: Path, **environment: str) -> str:
    """What a command printed, in a folder of its own, with the command `gaopt` on its path."""
    path = f"{environment.get('HOME', '')}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
    here = {key: value for key, value in os.environ.items() if key != "GAOPT_RESULTS"}
    env = here | {"PATH": path, "PYTHONPATH": str(ROOT), **environment}
    printed = folder / "printed.txt"  # no pipe, which what outlives the command would keep open
    with printed.open("w") as out:
        done = subprocess.run(command, cwd=folder, env=env, stdout=out, stderr=out, timeout=600)
    assert not done.returncode, printed.read_text()
    return printed.read_text()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Sixty digits of three classes, as a folder of PNG files."""
    digits = load_digits(n_class=3)
    for number in range(60):
        path = tmp_path / "photos" / str(digits.target[number]) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((digits.images[number] * 15).astype("uint8")).resize((32, 32)).convert("RGB").save(path)
    return tmp_path / "photos"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_searches_and_says_its_best(name: str, tmp_path: Path) -> None:
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    ran(sys.executable, str(EXAMPLES / name), folder=tmp_path)
    (study,) = (tmp_path / "results").iterdir()
    assert gaopt.open(study).state == "finished"


def test_own_images_become_a_model_in_one_file(photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    ran("bash", str(EXAMPLES / "own_images.sh"), str(photos), *SMALL, "--set", "net.name=resnet20", folder=tmp_path)
    assert list((tmp_path / "photos-onnx").glob("*.onnx"))
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 61


def test_a_network_of_timm_is_fine_tuned(photos: Path, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    from safetensors.torch import save_file

    save_file(timm.create_model("test_convnext").state_dict(), tmp_path / "weights.safetensors")
    own = ["--set", "net.name=timm:test_convnext", "--set", "net.pretrained=weights.safetensors"]
    ran("bash", str(EXAMPLES / "finetune.sh"), str(photos), *SMALL, "--set", "recipe.epochs=3", *own, folder=tmp_path)
    assert (tmp_path / "results" / "finetune" / "best.safetensors").is_file()


@pytest.fixture
def on_ray(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a search of seconds on a Ray that is nobody else's.

    In its HOME lies what stands in for Slurm, and for a `ray stop` that would stop everybody's.
    """
    (tmp_path / "small.toml").write_text(
        """
        study.objective = "gaopt.objectives.toy:sphere"
        study.strategy = "genetic"
        space.x = { low = 0.0, high = 1.0 }
        genetic = { population = 2, generations = 1 }
        pool.gpus = 0.0
        """
    )
    with tempfile.TemporaryDirectory(prefix="gaopt-") as home:  # a socket's path is short
        stand_ins = Path(home, "bin")
        stand_ins.mkdir()
        for name, text in (("ray", RAY), ("srun", SRUN)):
            (stand_ins / name).write_text(text.format(ray=Path(sys.executable).with_name("ray")))
            (stand_ins / name).chmod(0o755)
        own = {"HOME": home, "RAY_TMPDIR": home, "CONFIG": "small.toml", "HEAD": "127.0.0.1"}
        yield own | {"PORT": str(free_port()), "WAIT": "8"}
        subprocess.run(["pkill", "-KILL", "-f", home], check=False)


def test_a_cluster_is_made_and_searched_on(on_ray: dict[str, str], tmp_path: Path) -> None:
    ran("bash", str(EXAMPLES / "cluster.sh"), folder=tmp_path, **on_ray, GAOPT_RESULTS=str(tmp_path / "results"))
    assert gaopt.open(tmp_path / "results" / "cluster").state == "finished"


def test_a_job_of_slurm_searches(on_ray: dict[str, str], tmp_path: Path) -> None:
    slurm = {"SLURM_JOB_ID": on_ray.pop("PORT"), "SLURM_JOB_NUM_NODES": "1", "SLURMD_NODENAME": "here"}
    ran("bash", str(EXAMPLES / "slurm.sh"), folder=tmp_path, **on_ray, **slurm)
    assert gaopt.open(tmp_path / "results" / "slurm").state == "finished"


def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", 4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    pictures = [out for cell in notebook.cells for out in cell.get("outputs", ()) if "image/png" in out.get("data", {})]
    assert len(pictures) == 3


def test_no_example_is_longer_than_sixty_lines() -> None:
    scripts = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*.sh")]
    assert all(len(path.read_text().splitlines()) < 60 for path in scripts)
