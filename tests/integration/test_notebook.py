"""Notebooks: a search in a kernel of Jupyter's, interrupted and run again."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import gaopt

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

SEARCH = """
import time, gaopt
space = gaopt.Space(x=gaopt.Gene(-1, 1), y=gaopt.Gene(-1, 1))
def objective(task, report):
    for epoch in range(1, 3):
        time.sleep({sleep})
        report(epoch, {{"loss": task.genes["x"] ** 2}})
    return task.genes["x"] ** 2 + task.genes["y"] ** 2
study = gaopt.search(objective, space, 8, name="mine", minimize=True)
study
"""


def html(cell: Any) -> list[str]:
    return [output["data"].get("text/html", "") for output in cell.outputs if "data" in output]


@pytest.mark.parametrize("widgets", [True, False])
def test_a_cell_that_was_interrupted_goes_on_when_it_is_run_again(widgets: bool, tmp_path: Path) -> None:
    hide = "import sys; sys.modules['ipywidgets'] = None\n" * (not widgets)
    cells = [hide + SEARCH.format(sleep=sleep) for sleep in (0.2, 0.2)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": tmp_path}}
    )

    mine = tmp_path / "results" / "mine"

    def interrupt() -> None:
        deadline = time.monotonic() + 100  # then it is interrupted anyway, and the assertions show what the cell did
        while time.monotonic() < deadline and not ((mine / "study.db").is_file() and gaopt.open(mine).history.scored):
            time.sleep(0.05)
        os.kill(client.km.provisioner.pid, signal.SIGINT)  # what the stop button does

    with client.setup_kernel():
        thread = threading.Thread(target=interrupt)
        thread.start()
        stopped = client.execute_cell(notebook.cells[0], 0)
        thread.join()
        again = client.execute_cell(notebook.cells[1], 1)
    assert stopped.outputs[-1]["ename"] == "KeyboardInterrupt"
    assert "the same call goes on" in stopped.outputs[-1]["evalue"]
    assert "interrupted" in html(stopped)[0]
    assert not [output for output in again.outputs if output["output_type"] == "error"]
    assert [("finished" in found, "8/8 trained" in found) for found in html(again)] == [(True, True)] * 2
