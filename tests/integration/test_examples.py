"""Every example runs as it stands, small; the notebook from top to bottom."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))
NEEDED = {"lightning_digits.py": "lightning", "hf_trainer.py": "transformers"}
SMALL = ["--generations", "1", "--pop", "2", "--set", "pool.kind=inline", "--set", "recipe.epochs=1"]


def ran(*command: str, folder: Path, **environment: str) -> str:
    """What a command printed, in a folder of its own, with the command `gaopt` on its path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    here = {key: value for key, value in os.environ.items() if key != "GAOPT_RESULTS"}
    env = here | {"PATH": path, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Thirty digits of three classes, as a folder of PNG files."""
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
    assert ran(sys.executable, str(EXAMPLES / name), folder=tmp_path).strip()
    (study,) = (tmp_path / "results").iterdir()
    assert (study / "study.db").is_file()


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
    ran("bash", str(EXAMPLES / "finetune.sh"), str(photos), *SMALL, *own, folder=tmp_path)
    assert (tmp_path / "results" / "finetune" / "best.safetensors").is_file()


@pytest.fixture
def on_ray(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A search of seconds, and the environment of a Ray that is nobody else's."""
    (tmp_path / "small.toml").write_text(
        """
        study.objective = "gaopt.objectives.toy:objective"
        space.x = { low = 0.0, high = 1.0 }
        genetic = { population = 2, generations = 1 }
        study.strategy = "genetic"
        pool.gpus = 0
        """
    )
    with tempfile.TemporaryDirectory(prefix="gaopt-") as home:  # a socket's path has at most 107 characters
        own = {"HOME": home, "RAY_TMPDIR": home, "CONFIG": "small.toml", "PORT": str(free_port()), "WAIT": "8"}
        yield own
        ran("ray", "stop", "--force", folder=tmp_path, **own)
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
