"""Calls against a scripted coordinator: refusals that a real one gives too rarely, and streams that break."""

from __future__ import annotations

import hashlib
from concurrent import futures
from typing import TYPE_CHECKING

import grpc
import pytest
from documents import tiny_sweep
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from spillway import (
    Client,
    DamagedArtifactError,
    IncompleteError,
    NoRoomError,
    Patience,
    SpillwayError,
    UnreachableError,
)
from spillway.connection import Connection
from spillway.v1 import artifact_pb2, artifact_pb2_grpc, sweep_pb2, sweep_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

QUICK = Patience(first_pause_secs=0.01, longest_pause_secs=0.02, in_all_secs=0.1)

Step = sweep_pb2.WatchResponse | grpc.StatusCode


def snapshot(*, finished: bool = False, **counts: int) -> sweep_pb2.WatchResponse:
    summary = sweep_pb2.SweepSummary(name="tiny", jobs=sweep_pb2.JobCounts(**counts))
    return sweep_pb2.WatchResponse(sweep=summary, finished=finished)


RUNNING = snapshot(running=1)
FINISHED = snapshot(succeeded=1, finished=True)


class Sweeps(sweep_pb2_grpc.SweepServiceServicer):
    """Answers as it is told."""

    def __init__(self) -> None:
        self.refusals: list[Message] = []
        self.streams: list[list[Step]] = []
        self.submits = 0

    def Submit(  # noqa: N802
        self, request: sweep_pb2.SubmitRequest, context: grpc.ServicerContext
    ) -> sweep_pb2.SubmitResponse:
        self.submits += 1
        if self.refusals:
            refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, self.refusals.pop(0))
        return sweep_pb2.SubmitResponse(sweep=sweep_pb2.SweepSummary(id="1", name=request.sweep.name), created=True)

    def Get(  # noqa: N802
        self, request: sweep_pb2.GetSweepRequest, _context: grpc.ServicerContext
    ) -> sweep_pb2.SweepSummary:
        return sweep_pb2.SweepSummary(id="1", name=request.sweep)

    def Watch(  # noqa: N802
        self, _request: sweep_pb2.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[sweep_pb2.WatchResponse]:
        for step in self.streams.pop(0):
            if isinstance(step, grpc.StatusCode):
                context.abort(step, "told to")
            else:
                yield step


class Artifacts(artifact_pb2_grpc.ArtifactServiceServicer):
    """Gives whatever it has for any digest."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def Get(  # noqa: N802
        self, _request: artifact_pb2.GetRequest, _context: grpc.ServicerContext
    ) -> Iterator[artifact_pb2.GetResponse]:
        for chunk in self.chunks:
            yield artifact_pb2.GetResponse(chunk=chunk)


class Coordinator:
    """A server with both on a port of its own."""

    def __init__(self) -> None:
        # What is not scripted answers UNIMPLEMENTED.
        self.sweeps = Sweeps()  # type: ignore[abstract]
        self.artifacts = Artifacts()  # type: ignore[abstract]
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        sweep_pb2_grpc.add_SweepServiceServicer_to_server(self.sweeps, self.server)
        artifact_pb2_grpc.add_ArtifactServiceServicer_to_server(self.artifacts, self.server)
        self.endpoint = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, detail: Message) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status = status_pb2.Status(code=code.value[0], message="no room", details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, "no room")


def come_again(secs: float) -> Message:
    delay = Duration()
    delay.FromNanoseconds(int(secs * 1e9))
    return error_details_pb2.RetryInfo(retry_delay=delay)


@pytest.fixture
def coordinator() -> Iterator[Coordinator]:
    running = Coordinator()
    yield running
    running.server.stop(grace=None)


@pytest.fixture
def client(coordinator: Coordinator) -> Iterator[Client]:
    with Client(coordinator.endpoint, patience=QUICK) as connected:
        yield connected


def test_a_submit_comes_again_when_it_is_told_to(coordinator: Coordinator, client: Client) -> None:
    coordinator.sweeps.refusals = [come_again(0.01), come_again(0.01)]

    sweep = client.submit(tiny_sweep("tiny"))

    assert (sweep.name, sweep.created, coordinator.sweeps.submits) == ("tiny", True, 3)


def test_a_submit_that_is_told_to_come_much_later_gives_up_at_once(coordinator: Coordinator, client: Client) -> None:
    coordinator.sweeps.refusals = [come_again(3600)]

    with pytest.raises(NoRoomError, match="no room") as refused:
        client.submit(tiny_sweep("tiny"))

    assert (refused.value.retry_after_secs, coordinator.sweeps.submits) == (3600, 1)


def test_repeats_are_bounded_and_never_sooner_than_told(coordinator: Coordinator) -> None:
    coordinator.sweeps.refusals = [come_again(2.0) for _ in range(10)]
    connection = Connection(coordinator.endpoint, timeout_secs=60, patience=QUICK)
    pauses: list[float] = []

    with pytest.raises(NoRoomError):
        connection.patiently(connection.sweeps.Submit, sweep_pb2.SubmitRequest(), sleep=pauses.append)

    connection.close()
    assert coordinator.sweeps.submits == 6
    assert len(pauses) == 5
    assert all(pause > 2.0 for pause in pauses)


def test_exhaustion_without_a_time_to_come_again_is_no_lack_of_room(coordinator: Coordinator, client: Client) -> None:
    coordinator.sweeps.refusals = [error_details_pb2.BadRequest()]

    with pytest.raises(SpillwayError, match="RESOURCE_EXHAUSTED") as refused:
        client.submit(tiny_sweep("tiny"))

    assert type(refused.value) is SpillwayError


def test_following_goes_on_after_the_coordinator_went_away(coordinator: Coordinator, client: Client) -> None:
    lost = grpc.StatusCode.UNAVAILABLE
    coordinator.sweeps.streams = [[RUNNING, lost], [lost], [RUNNING], [RUNNING, FINISHED]]

    seen = [snapshot.finished for snapshot in client.sweep("tiny").follow()]

    assert seen == [False, False, False, True]


def test_following_ends_when_the_coordinator_stays_away(coordinator: Coordinator, client: Client) -> None:
    away: list[list[Step]] = [[grpc.StatusCode.UNAVAILABLE]] * 100
    coordinator.sweeps.streams = [[RUNNING], *away]

    with pytest.raises(UnreachableError, match="told to"):
        list(client.sweep("tiny").follow())


def test_what_cannot_pass_ends_following(coordinator: Coordinator, client: Client) -> None:
    coordinator.sweeps.streams = [[RUNNING, grpc.StatusCode.NOT_FOUND]]

    with pytest.raises(LookupError, match="told to"):
        list(client.sweep("tiny").follow())


def test_a_coordinator_that_was_never_heard_is_not_waited_for(coordinator: Coordinator, client: Client) -> None:
    sweep = client.sweep("tiny")
    coordinator.sweeps.streams = [[grpc.StatusCode.UNAVAILABLE], [FINISHED]]

    with pytest.raises(ConnectionError):
        list(sweep.follow())


def test_waiting_gives_the_last_snapshot_or_says_what_did_not_succeed(coordinator: Coordinator, client: Client) -> None:
    sweep = client.sweep("tiny")
    ended = snapshot(succeeded=2, failed=1, cancelled=2, stopped=4, finished=True)
    coordinator.sweeps.streams = [[RUNNING, FINISHED], [ended], [ended]]

    last = sweep.wait()
    assert (last.finished, str(last)) == (True, "tiny: 1 succeeded")
    with pytest.raises(IncompleteError, match="3 of the jobs of sweep `tiny`"):
        sweep.wait()
    assert sweep.wait(check=False).unsuccessful == 3


def test_waiting_has_an_end(coordinator: Coordinator, client: Client) -> None:
    coordinator.sweeps.streams = [[RUNNING]] * 100

    with pytest.raises(TimeoutError, match=r"sweep `tiny` has not ended within 0\.03 s"):
        client.sweep("tiny").wait(timeout_secs=0.03)


def test_nobody_at_the_endpoint_is_said_with_its_address() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9"):
        client.sweeps()


def test_artifacts_are_checked_against_their_digest(coordinator: Coordinator, client: Client) -> None:
    content = b"some bytes in two chunks"
    digest = hashlib.sha256(content)
    coordinator.artifacts.chunks = [content[:7], content[7:]]

    assert client.artifact(digest.hexdigest()) == content
    assert client.artifact(digest.digest()) == content
    with pytest.raises(DamagedArtifactError, match=f"{'0' * 64} is damaged: found SHA-256 {digest.hexdigest()}"):
        client.artifact("0" * 64)


def test_artifacts_larger_than_the_limit_are_refused(coordinator: Coordinator, client: Client) -> None:
    coordinator.artifacts.chunks = [b"12345678"] * 4

    with pytest.raises(ValueError, match="more than 16 bytes"):
        client.artifact("0" * 64, limit_bytes=16)


@pytest.mark.parametrize("digest", ["", "xyz", "00", b"short"])
def test_what_is_no_digest_is_refused(client: Client, digest: str | bytes) -> None:
    with pytest.raises(ValueError, match="is no SHA-256"):
        client.artifact(digest)
