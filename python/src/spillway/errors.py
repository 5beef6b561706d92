"""What goes wrong, by whom: a document's author, a coordinator that is away or full, a sweep that did not succeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.message import Message

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class Violation:
    """One rule that a document breaks."""

    field: str
    """Path of the field, such as `base.training.batch_size`; empty for the document itself."""
    message: str
    """What is wrong and what is allowed."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class SpillwayError(Exception):
    """Anything that the cluster refused or could not do; the subclasses are those that a caller may act on."""


class SweepError(SpillwayError, ValueError):
    """A document that breaks rules; `violations` has one entry for each field."""

    violations: tuple[Violation, ...]

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(map(str, self.violations)))


class NotFoundError(SpillwayError, LookupError):
    """There is no such sweep, experiment, job or artifact."""


class AlreadyExistsError(SpillwayError):
    """The name of the sweep, or the key of the submit, belongs to another document."""


class NoRoomError(SpillwayError):
    """The coordinator would take it later: too many submits at once, or a quota."""

    def __init__(self, message: str, retry_after_secs: float) -> None:
        self.retry_after_secs = retry_after_secs
        super().__init__(message)


class UnreachableError(SpillwayError, ConnectionError):
    """No coordinator answers, or the one that does has lost its database."""


class DamagedArtifactError(SpillwayError):
    """The bytes of an artifact do not have its digest."""


class IncompleteError(SpillwayError):
    """A sweep came to its end without all of its results."""

    def __init__(self, sweep: str, unsuccessful: int) -> None:
        self.unsuccessful = unsuccessful
        super().__init__(
            f"{unsuccessful} of the jobs of sweep `{sweep}` did not succeed: `jobs()` says why, `retry()` tries them again"
        )


def of_call(error: grpc.RpcError, endpoint: str) -> SpillwayError:
    """What a call to the coordinator at `endpoint` ended in."""
    code, message = code_of(error), message_of(error)
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        violations = _violations(error)
        if violations:
            return SweepError(violations)
    if code is grpc.StatusCode.NOT_FOUND:
        return NotFoundError(message)
    if code is grpc.StatusCode.ALREADY_EXISTS:
        return AlreadyExistsError(message)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return UnreachableError(f"no coordinator answers at {endpoint}: {message}")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        retry_after_secs = retry_after(error)
        if retry_after_secs is not None:
            return NoRoomError(message, retry_after_secs)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return SpillwayError(f"what answers at {endpoint} is no coordinator of this version: {message}")
    return SpillwayError(f"the coordinator refused ({code.name}): {message}")


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """The status code of a call that failed."""
    return error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN


def message_of(error: grpc.RpcError) -> str:
    """The coordinator's own words."""
    return (error.details() or "") if isinstance(error, grpc.Call) else str(error)


def retry_after(error: grpc.RpcError) -> float | None:
    """When the coordinator says to ask again, in seconds; `None` when it does not say so."""
    found = error_details_pb2.RetryInfo()
    return found.retry_delay.ToNanoseconds() / 1e9 if _detail(error, found) else None


def _violations(error: grpc.RpcError) -> Sequence[Violation]:
    found = error_details_pb2.BadRequest()
    if not _detail(error, found):
        return ()
    return tuple(Violation(each.field, each.description) for each in found.field_violations)


def _detail(error: grpc.RpcError, into: Message) -> bool:
    """Reads the detail of the type of `into`; says whether there was one."""
    if not isinstance(error, grpc.Call):
        return False
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS or not isinstance(value, bytes):
            continue
        try:
            status.ParseFromString(value)
            return any(detail.Is(into.DESCRIPTOR) and detail.Unpack(into) for detail in status.details)
        except DecodeError:
            # The code and the message of the answer stand without its details.
            return False
    return False
