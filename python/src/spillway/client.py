"""The client: submits sweeps, finds stored ones, and fetches artifacts."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from spillway import endpoint as endpoints
from spillway import errors
from spillway.connection import Connection, Patience
from spillway.documents import sweep_of
from spillway.frames import frame
from spillway.sweep import Sweep
from spillway.v1 import artifact_pb2, experiment_pb2, result_pb2, sweep_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import pandas as pd

_DIGEST_BYTES = 32
_MAX_USER_BYTES = 100
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Variant:
    """A point of a sweep: an experiment without its seed."""

    label: str
    """The settings that tell it apart."""
    fingerprint: str
    """SHA-256 of its canonical document, in hexadecimal."""
    spec: experiment_pb2.ExperimentSpec
    """Its document, every default written out."""
    workload: sweep_pb2.Workload
    """Coupling layers, parameters, epochs and FLOPs."""


@dataclass(frozen=True)
class Validation:
    """What a document expands to."""

    variants: tuple[Variant, ...]
    """In table order."""
    experiments: int
    train_jobs: int
    evaluate_jobs: int
    inspect_jobs: int


class Client:
    """A coordinator as users see it. It connects at the first call; threads may share it.

    `endpoint` is an address such as `http://host:7450` or `host:7450`; without one it is found as the `spillway` program finds
    it: `SPILLWAY_ENDPOINT`, else where `spillway up` runs in this folder, else `http://127.0.0.1:7450`. A single call may take
    `timeout_secs`; `patience` is for a coordinator that goes away while a sweep is followed.
    """

    def __init__(
        self, endpoint: str | None = None, *, timeout_secs: float = 300.0, patience: Patience | None = None
    ) -> None:
        found = endpoints.find(endpoint)
        self._connection = Connection(found, timeout_secs=timeout_secs, patience=patience or Patience())

    @property
    def endpoint(self) -> str:
        """Where the coordinator is."""
        return self._connection.endpoint

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.endpoint}>"

    def validate(self, document: Mapping[str, Any]) -> Validation:
        """Expands and counts a sweep without storing anything; `SweepError` says everything that is wrong with it.

        The document is what a sweep file holds: `tomllib.load` of one, or a dictionary of the same shape.
        """
        request = sweep_pb2.ValidateRequest(sweep=sweep_of(document))
        answer = self._connection.call(self._connection.sweeps.Validate, request)
        return Validation(
            variants=tuple(Variant(each.label, each.fingerprint, each.spec, each.workload) for each in answer.variants),
            experiments=answer.experiments,
            train_jobs=answer.train_jobs,
            evaluate_jobs=answer.evaluate_jobs,
            inspect_jobs=answer.inspect_jobs,
        )

    def submit(self, document: Mapping[str, Any], *, idempotency_key: str = "", user: str | None = None) -> Sweep:
        """Stores a sweep and returns it; the same document under the same name, or the same key, is not stored twice.

        `user` is who submits, for shares and quotas: `SPILLWAY_USER`, else the account's name, unless it is given. When the
        coordinator has no room now and says when to come again, the call waits and repeats, up to five minutes in all.

        `SweepError`: the document breaks rules. `AlreadyExistsError`: the name or the key belongs to another document.
        `NoRoomError`: too many submits at once, or a quota.
        """
        named = _account() if user is None else user
        request = sweep_pb2.SubmitRequest(sweep=sweep_of(document), idempotency_key=idempotency_key, user=named)
        answer = self._connection.patiently(self._connection.sweeps.Submit, request)
        return Sweep(self._connection, answer.sweep, created=answer.created)

    def sweep(self, name_or_id: str) -> Sweep:
        """A stored sweep; `NotFoundError` when there is none of this name or id."""
        request = sweep_pb2.GetSweepRequest(sweep=name_or_id)
        return Sweep(self._connection, self._connection.call(self._connection.sweeps.Get, request))

    def sweeps(self, limit: int = 50) -> pd.DataFrame:
        """The newest sweeps, at most `limit` (500 is the most), with their job counts as columns."""
        request = sweep_pb2.ListSweepsRequest(limit=limit)
        answer = self._connection.call(self._connection.sweeps.List, request)
        return frame(sweep_pb2.SweepSummary, answer.sweeps)

    def training_curve(self, experiment_id: int) -> pd.DataFrame:
        """The training curve of an experiment, which `Sweep.jobs` numbers: step, loss, bits per dimension, gradient norm."""
        request = result_pb2.TrainingCurveRequest(experiment_id=experiment_id)
        answer = self._connection.call(self._connection.results.TrainingCurve, request)
        return frame(result_pb2.TrainingCurvePoint, answer.points)

    def artifact(self, digest: str | bytes, *, limit_bytes: int = 1024 * _MEBIBYTE) -> bytes:
        """The bytes of an artifact, by its SHA-256 (64 hexadecimal digits, or 32 bytes), checked against it.

        `NotFoundError`: there is none. `DamagedArtifactError`: what came is something else. `ValueError`: the artifact is larger
        than `limit_bytes`, which guard the memory of this program.
        """
        wanted = _digest(digest)
        found = hashlib.sha256()
        content = bytearray()
        call = self._connection.artifacts.Get(
            artifact_pb2.GetRequest(digest=wanted), timeout=self._connection.timeout_secs
        )
        try:
            for piece in call:
                found.update(piece.chunk)
                content += piece.chunk
                if len(content) > limit_bytes:
                    raise ValueError(f"artifact {wanted.hex()} has more than {limit_bytes} bytes: raise limit_bytes")
        except grpc.RpcError as error:
            raise errors.of_call(error, self.endpoint) from error
        finally:
            call.cancel()
        if found.digest() != wanted:
            raise errors.DamagedArtifactError(
                f"artifact {wanted.hex()} is damaged: found SHA-256 {found.hexdigest()} ({len(content)} bytes)"
            )
        return bytes(content)


def _digest(given: str | bytes) -> bytes:
    try:
        digest = bytes.fromhex(given) if isinstance(given, str) else bytes(given)
    except ValueError:
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        raise ValueError(f"{given!r} is no SHA-256: 64 hexadecimal digits expected, or {_DIGEST_BYTES} bytes")
    return digest


def _account() -> str:
    """Who runs this; empty when the environment does not tell."""
    name = os.environ.get("SPILLWAY_USER") or os.environ.get("USER") or ""
    return name if len(name.encode()) <= _MAX_USER_BYTES else ""
