"""What is done about a training that went wrong: pure functions of what is in the journal."""

from __future__ import annotations

from collections.abc import Sequence

from gaopt.config import Faults
from gaopt.errors import Hopeless, Unwritable
from gaopt.journal.events import Failed, Outcome, Reason, Retried, Scored
from gaopt.journal.history import History, Individual

MACHINE = ("killed", "node lost", "out of memory", "disk")
"""Reasons that speak of the machine, and may be gone the next time."""
NODES = 10
"""So many nodes may be lost under one individual, whatever `faults.retries` says: hardly ever is it the one's fault."""


def settled(history: History, failed: Failed, config: Faults) -> Failed | Retried:
    """A failure that stands, or another try. How many there were is in the journal, whoever drove the study then.

    Raises:
        Unwritable: the disk was at fault each time, and may fail the others too. It says nothing of the genes.
    """
    if again(failed, history.individuals[failed.individual].retried, config):
        return Retried(failed.individual, failed.reason, failed.message, failed.seconds)
    if failed.reason == "disk" and not _room_for_others(history, failed.individual):
        raise Unwritable(f"individual {failed.individual} cannot be trained: {failed.message}")
    return failed


def _room_for_others(history: History, individual: int) -> bool:
    """Whether a disk that fails this one has room for others: some were begun and trained since its first try. Or there
    are none, and the study was resumed since: it would stop for this one each time."""
    tries = [retried.at for retried in history.individuals[individual].retried if retried.reason == "disk"]
    if not tries:
        return False
    scored = {end.individual for _, end in history.ends if isinstance(end, Scored)} - {individual}
    others = {other.id for other in history.unfinished} - {individual}
    resumed = history.opened is not None and history.opened.at > tries[0]
    return any(history.individuals[id].started >= tries[0] for id in scored) or (resumed and not others)


def doubtful(outcome: Outcome) -> bool:
    """Whether a training may have failed by a signal that all processes of the study were sent: its worker or a process
    that it had begun died of it. Then it is none of its own."""
    return isinstance(outcome, Failed) and outcome.reason != "diverged"


def again(failed: Failed, before: Sequence[Failed | Retried], config: Faults) -> bool:
    """Whether another try is worth it, after those that failed before."""
    tries = [_kind(each.reason) for each in before].count(_kind(failed.reason))
    return failed.reason in MACHINE and tries < (NODES if failed.reason == "node lost" else config.retries)


def _kind(reason: Reason) -> Reason:
    """What tries are counted together: none of these uses up those of a worker that died."""
    return reason if reason in ("disk", "node lost", "out of memory") else "killed"


def alone(individual: Individual) -> bool:
    """Whether nothing else is to be trained beside it: it ran out of memory before."""
    return any(retried.reason == "out of memory" for retried in individual.retried)


def ready(history: History, room: int) -> list[Individual]:
    """Who is to be started now. Those to be trained alone come when all others are through; those that a disk had no
    room for after those who may have it."""
    if any(map(alone, history.running)):
        return []
    together = [individual for individual in history.waiting if not alone(individual)]
    together.sort(key=lambda individual: any(retried.reason == "disk" for retried in individual.retried))
    return together[:room] if together or history.running else history.waiting[:1]


def room(history: History, room: int) -> int:
    """How many individuals could be started now, if so many fit beside those that run."""
    return 0 if any(map(alone, history.running)) else room


def check(history: History, config: Faults) -> None:
    """Stop a study of which nearly all trainings fail.

    Raises:
        Hopeless: since the study was opened nearly all trainings fail: the first `faults.max_alike_failures`; or later
            this many in a row, or three in four of twice as many, otherwise than by diverging, which genes may do.
    """
    most = config.max_alike_failures
    number = len(history.ends) - (history.openings[-1][1] if history.openings else 0)  # since the study was opened
    ended = [outcome for _, outcome in history.ends[len(history.ends) - min(number, 2 * most) :]]
    first = ended if number <= most else []
    for latest, needed, genes in (
        (first, most, True),
        (ended[-most:], most, False),
        (ended[-2 * most :], -(-3 * most // 2), False),
    ):
        failed = [each for each in latest if isinstance(each, Failed) and (genes or each.reason != "diverged")]
        if most and len(failed) >= needed:
            raise Hopeless(_hopeless(failed, len(latest), "first" if len(latest) == number else "last"))


def _hopeless(failed: Sequence[Failed], among: int, which: str) -> str:
    """In words, with the traceback of the first."""
    whole = len(failed) == among
    how = f"the {which} {among} trainings all" if whole else f"{len(failed)} of the {which} {among} trainings"
    reasons = ", ".join(dict.fromkeys(each.reason for each in failed))
    return f"{how} failed: {reasons}. Individual {failed[0].individual}:\n{failed[0].traceback or failed[0].message}"
