"""A stored sweep: following it, its tables, and steering it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from spillway import errors
from spillway.connection import Connection, log, may_pass
from spillway.frames import frame
from spillway.v1 import result_pb2, sweep_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

# gRPC's clock may ring this much before ours.
_CLOCK_SLACK_SECS = 0.01
# A sweep has no more.
_MAX_JOBS = 10_000


@dataclass(frozen=True)
class Snapshot:
    """A sweep as it stood at one moment."""

    message: sweep_pb2.WatchResponse
    """All that the coordinator said."""

    @property
    def name(self) -> str:
        return self.message.sweep.name

    @property
    def counts(self) -> sweep_pb2.JobCounts:
        """How many jobs stand where."""
        return self.message.sweep.jobs

    @property
    def running(self) -> Sequence[sweep_pb2.RunningJob]:
        """Attempts that run now."""
        return self.message.running

    @property
    def ended(self) -> Sequence[sweep_pb2.EndedJob]:
        """Jobs that ended without a result, with the reason."""
        return self.message.ended

    @property
    def finished(self) -> bool:
        """Every job has ended: there is no snapshot after this one."""
        return self.message.finished

    @property
    def unsuccessful(self) -> int:
        """Jobs that failed, were cancelled or are quarantined; what early stopping ended is none of them."""
        return self.counts.failed + self.counts.cancelled + self.counts.quarantined

    def table(self) -> pd.DataFrame:
        """The AUROC table so far, as `Sweep.table`."""
        return frame(sweep_pb2.AurocRow, self.message.auroc)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {field.name}" for field, count in self.counts.ListFields())
        return f"{self.name}: {counts}"


class Sweep:
    """A stored sweep. Made by `Client.submit` and `Client.sweep`."""

    id: str
    name: str
    created: bool
    """Whether this submit stored it, rather than an earlier one."""

    def __init__(self, connection: Connection, summary: sweep_pb2.SweepSummary, *, created: bool = False) -> None:
        self._connection = connection
        self.id = summary.id
        self.name = summary.name
        self.created = created

    def __repr__(self) -> str:
        return f"<Sweep {self.name!r} {self.id} at {self._connection.endpoint}>"

    def summary(self) -> sweep_pb2.SweepSummary:
        """Its counts of variants, experiments and jobs."""
        sweeps = self._connection.sweeps
        return self._connection.call(sweeps.Get, sweep_pb2.GetSweepRequest(sweep=self.id))

    def follow(self, *, timeout_secs: float | None = None) -> Iterator[Snapshot]:
        """A snapshot at once and after every change, until every job has ended; the last one is `finished`.

        A coordinator that goes away is waited for, as long as the client's `Patience` says. `TimeoutError` after
        `timeout_secs`: the sweep goes on, and can be followed again.
        """
        outage = _Outage(self._connection, timeout_secs)
        heard = False
        while True:
            call = self._connection.sweeps.Watch(sweep_pb2.WatchRequest(sweep=self.id), timeout=outage.remaining_secs())
            cause = "the stream ended before the sweep did"
            try:
                for message in call:
                    heard = True
                    outage.end()
                    yield Snapshot(message)
                    if message.finished:
                        return
            except grpc.RpcError as error:
                # Until something was heard, an error is the user's to know.
                if not outage.is_late() and not (heard and may_pass(error)):
                    raise errors.of_call(error, self._connection.endpoint) from error
                cause = errors.message_of(error)
            finally:
                call.cancel()
            outage.pause(self.name, cause)

    def wait(self, *, timeout_secs: float | None = None, check: bool = True) -> Snapshot:
        """Waits until every job has ended, as `follow`; the last snapshot.

        With `check`, a sweep that ends with failed, cancelled or quarantined jobs raises `IncompleteError`.
        """
        last = None
        for snapshot in self.follow(timeout_secs=timeout_secs):
            last = snapshot
        if last is None:
            raise errors.SpillwayError("the coordinator sent no snapshot")
        if check and last.unsuccessful:
            raise errors.IncompleteError(self.name, last.unsuccessful)
        return last

    def table(self) -> pd.DataFrame:
        """The AUROC table: a row for each variant, OOD dataset and score, over seeds; partial while jobs run.

        Columns are those of the SQL view `auroc`, which documents them.
        """
        results = self._connection.results
        answer = self._connection.call(results.QueryAuroc, result_pb2.QueryAurocRequest(sweep=self.id))
        return frame(sweep_pb2.AurocRow, answer.rows)

    def evaluations(self) -> pd.DataFrame:
        """Every number, a row each: columns of the SQL view `evaluation`."""
        results = self._connection.results
        answer = self._connection.call(results.QueryEvaluations, result_pb2.QueryEvaluationsRequest(sweep=self.id))
        return frame(result_pb2.EvaluationRow, answer.rows)

    def jobs(self, state: str = "") -> pd.DataFrame:
        """The jobs, or those in one state: columns of the SQL view `job_overview`."""
        results = self._connection.results
        request = result_pb2.ListJobsRequest(sweep=self.id, state=state, limit=_MAX_JOBS)
        return frame(result_pb2.JobRow, self._connection.call(results.ListJobs, request).jobs)

    def figures(self) -> pd.DataFrame:
        """The pictures that inspect jobs drew: columns of the SQL view `figure_overview`. `Client.artifact` has their bytes."""
        results = self._connection.results
        answer = self._connection.call(results.ListFigures, result_pb2.ListFiguresRequest(sweep=self.id))
        return frame(result_pb2.FigureRow, answer.figures)

    def statistics(self) -> pd.DataFrame:
        """What the flows make of each example: an artifact a row, columns of the SQL view `statistics`."""
        results = self._connection.results
        answer = self._connection.call(results.ListStatistics, result_pb2.ListStatisticsRequest(sweep=self.id))
        return frame(result_pb2.StatisticsRow, answer.statistics)

    def cancel(self, reason: str = "", *, job_id: int = 0) -> int:
        """Cancels every job that has not ended, or one job and those that wait for it; how many that were."""
        sweeps = self._connection.sweeps
        request = sweep_pb2.CancelRequest(sweep=self.id, reason=reason, job_id=job_id)
        return self._connection.call(sweeps.Cancel, request).cancelled

    def retry(self, *, failed_only: bool = False, job_id: int = 0) -> int:
        """Tries jobs that ended without a result again, with fresh budgets; how many that are.

        With `failed_only`, what a user cancelled stays cancelled. What early stopping ended always stays so.
        """
        sweeps = self._connection.sweeps
        scope = sweep_pb2.RETRY_SCOPE_FAILED if failed_only else sweep_pb2.RETRY_SCOPE_MISSING
        request = sweep_pb2.RetryRequest(sweep=self.id, scope=scope, job_id=job_id)
        return self._connection.call(sweeps.Retry, request).retried


class _Outage:
    """How long the coordinator has been away, and how long the next pause is."""

    def __init__(self, connection: Connection, timeout_secs: float | None) -> None:
        self._connection = connection
        self._timeout_secs = timeout_secs
        self._deadline = None if timeout_secs is None else time.monotonic() + timeout_secs
        self.end()

    def end(self) -> None:
        self._since: float | None = None
        self._next_secs = self._connection.patience.first_pause_secs

    def remaining_secs(self) -> float | None:
        """Until the caller's deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def is_late(self) -> bool:
        remaining = self.remaining_secs()
        return remaining is not None and remaining <= _CLOCK_SLACK_SECS

    def pause(self, sweep: str, cause: str) -> None:
        """Waits for the next try, unless there is none."""
        if self.is_late():
            raise TimeoutError(f"sweep `{sweep}` has not ended within {self._timeout_secs} s")
        patience = self._connection.patience
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now + self._next_secs - self._since > patience.in_all_secs:
            raise errors.UnreachableError(f"no coordinator answers at {self._connection.endpoint}: {cause}")
        log.warning("lost the coordinator (%s): trying again in %.1f s", cause, self._next_secs)
        remaining = self.remaining_secs()
        time.sleep(self._next_secs if remaining is None else min(self._next_secs, remaining))
        self._next_secs = min(2 * self._next_secs, patience.longest_pause_secs)
