"""No port for Ray's dashboard."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from gaopt.cli import run as driver
from gaopt.journal.paths import StudyDir
from gaopt.study.loop import run
from tests.conftest import ROOT
from tests.ends import lost
from tests.faults.row import Tally
from tests.faults.studies import left_alone, on_ray, same, study
from tests.witness import finished


def taken(folder: Path, times: int = 2) -> Tally:
    """All ports are taken of which the dashboard takes one."""
    from gaopt.execution.ray.session import DASHBOARD

    config = on_ray(study("sound", population=2))
    alone, before, well, gone = left_alone(folder, config), os.getcwd(), 0, 0
    os.chdir(ROOT)
    with ExitStack() as held:
        held.callback(os.chdir, before)
        for port in DASHBOARD:
            with suppress(OSError):  # taken by another
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        for number in range(times):
            home = StudyDir(folder / str(number))
            with closing(driver.open_pool(config, None)) as pool:
                run(config, home, pool=pool)
                well += not pool.dashboard and same(home, alone) == 2
            gone += lost(home, finished(home))
    return Tally(times, well, gone, f"a server on each of the ports {DASHBOARD[0]} to {DASHBOARD[-1]}")
