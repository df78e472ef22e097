"""Weights & Biases, and trackio, which has its interface: a group for the study, and in it a run for each training."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from contextvars import Context
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gaopt.export.trials import Trial
from gaopt.journal.events import Closed
from gaopt.journal.individual import Individual
from gaopt.loggers.base import Logger

if TYPE_CHECKING:
    from gaopt.api.study import Study


class WandB(Logger):
    """Writes a group of the study's name, with a run for each training and one for the study: the best so far.

    Args:
        project: of Weights & Biases.
        options: more of `wandb.init`: `entity`, `tags`, `mode="offline"`, `dir` (by default the study's folder), ….

    Examples:
        >>> gaopt.search(objective, space, name="mine", callbacks=[gaopt.loggers.WandB("digits", mode="offline")])
    """

    package = "wandb"

    def __init__(self, project: str = "gaopt", **options: Any) -> None:
        super().__init__()
        self._module: Any = import_module(self.package)
        self._project, self._options = project, options

    def open(self, study: Study) -> Any:
        found = study.history.config
        return self._init(study, name=study.name, config=found, job_type="study", silent=False)

    def begin(self, study: Study, individual: Individual) -> Any:
        birth = individual.birth
        about = {"generation": individual.generation, "origin": birth.origin, "parents": list(birth.parents)}
        config = {**about, **individual.genes}
        return self._init(study, name=f"i{individual.id}", config=config, job_type="training", silent=True)

    def _init(self, study: Study, silent: bool, **options: Any) -> Any:
        # Many at the same time, in one process that is not the one which trains.
        settings = self._module.Settings(console="off", silent=silent, x_disable_stats=True)
        own = {"project": self._project, "group": study.name, "dir": str(study.path), "settings": settings}
        return self._module.init(**own | options | {"reinit": "create_new"} | self._options)

    def log(self, run: Any, at: float, step: int, metrics: Mapping[str, float]) -> None:
        run.log(dict(metrics), step=step)

    def end(self, run: Any, trial: Trial) -> None:
        last = trial.individual.epoch or 1
        if trial.value is not None:
            self.log(run, 0.0, last, {trial.score: trial.value, **trial.late})
        self._finish(run, {key: trial.about[key] for key in ("reason", "message") if key in trial.about}, trial.state)

    def close(self, run: Any, study: Study, event: Closed) -> None:
        best = study.best if study.progress.best else None
        found = {"best": best.value, "best_individual": best.id, **best.genes} if best else {}
        self._finish(run, found, "COMPLETE" if event.reason == "finished" else "FAIL")

    def _finish(self, run: Any, summary: Mapping[str, Any], state: str) -> None:
        """End a run, with what it came to."""
        run.summary.update(dict(summary))
        run.finish(exit_code=0 if state in ("COMPLETE", "PRUNED") else 1)


class Trackio(WandB):
    """The same for trackio, `trackio show --project PROJECT`. Its runs lie where trackio keeps them.

    Args:
        project: of trackio.
        options: more of `trackio.init`: `space_id`, ….

    Examples:
        >>> gaopt.search(objective, space, name="mine", callbacks=[gaopt.loggers.Trackio("digits")])
    """

    package = "trackio"

    def _init(self, study: Study, silent: bool, **options: Any) -> Any:
        own = {"project": self._project, "group": study.name, "embed": False, "resume": "allow"}
        name = options["name"] if options["name"] == study.name else f"{study.name}-{options['name']}"
        options = own | {"name": name, "config": options["config"]} | self._options
        with redirect_stdout(None if silent else sys.stderr):  # six lines a run
            # Its `init` ends the run that was begun last in the same context, which may be another training's.
            return Context().run(lambda: self._module.init(**options))

    def _finish(self, run: Any, summary: Mapping[str, Any], state: str) -> None:
        if summary:  # it has no summary
            run.log(dict(summary))
        with redirect_stdout(None):
            run.finish()
