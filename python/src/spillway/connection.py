"""A connection to one coordinator: its services, and calls whose errors are ours."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import grpc

from spillway import endpoint as endpoints
from spillway import errors
from spillway.v1.artifact_pb2_grpc import ArtifactServiceStub
from spillway.v1.result_pb2_grpc import ResultServiceStub
from spillway.v1.sweep_pb2_grpc import SweepServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable

Request = TypeVar("Request")
Answer = TypeVar("Answer")

log = logging.getLogger("spillway")

_KEEPALIVE_MILLIS = 10_000
# Ten thousand jobs with their last words.
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Details of a refusal travel in a header, up to 6 KiB of them before two encodings.
_MAX_HEADER_BYTES = 64 * 1024
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
    ("grpc.max_metadata_size", _MAX_HEADER_BYTES),
    # A machine that was unplugged sends no farewell.
    ("grpc.keepalive_time_ms", _KEEPALIVE_MILLIS),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_MILLIS),
    ("grpc.http2.max_pings_without_data", 0),
    # Waits between two tries are ours to choose; gRPC's own grow to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A cluster is a neighbour; proxies are for the web.
    ("grpc.enable_http_proxy", 0),
)

_MAX_REPEATS = 5
_FIRST_PAUSE_SECS = 0.1
_LONGEST_PAUSE_SECS = 5.0
_LONGEST_WAIT_SECS = 300.0


@dataclass(frozen=True)
class Patience:
    """How long a coordinator that went away is waited for while a sweep is followed."""

    first_pause_secs: float = 0.5
    """The pause before the first try; each one after it is twice as long."""
    longest_pause_secs: float = 10.0
    in_all_secs: float = 600.0
    """After so long without an answer, following ends with `UnreachableError`."""


class Connection:
    """The services of one coordinator; opened by the first call, and again after it broke."""

    def __init__(self, endpoint: str, *, timeout_secs: float, patience: Patience) -> None:
        self.endpoint = endpoint
        self.timeout_secs = timeout_secs
        self.patience = patience
        self._channel = grpc.insecure_channel(endpoints.target(endpoint), options=_OPTIONS)
        self.sweeps = SweepServiceStub(self._channel)
        self.results = ResultServiceStub(self._channel)
        self.artifacts = ArtifactServiceStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def call(self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request) -> Answer:
        """One call; its errors are `SpillwayError`s."""
        try:
            return method(request, timeout=self.timeout_secs)
        except grpc.RpcError as error:
            raise errors.of_call(error, self.endpoint) from error

    def patiently(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Answer:
        """One call, repeated a bounded number of times while the coordinator says to come again."""
        waited, own_pause = 0.0, _FIRST_PAUSE_SECS
        for repeat in range(1, _MAX_REPEATS + 1):
            try:
                return self.call(method, request)
            except errors.NoRoomError as refusal:
                # Never sooner than told, and spread: those who were refused together do not come together again.
                pause = refusal.retry_after_secs + own_pause * random.uniform(1, 2)  # noqa: S311
                own_pause = min(2 * own_pause, _LONGEST_PAUSE_SECS)
                if waited + pause > _LONGEST_WAIT_SECS:
                    raise
                log.warning("%s; trying again in %.0f s (%d of %d)", refusal, pause, repeat, _MAX_REPEATS)
                sleep(pause)
                waited += pause
        return self.call(method, request)


def may_pass(error: grpc.RpcError) -> bool:
    """Whether the same call may succeed later."""
    return errors.code_of(error) in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    )
