"""Rows of the wire as data frames.

A frame has a column for each field of its row's message, named as in SQL, so that it grows with the wire: text is `string`
(absent: `<NA>`, where SQL says null), numbers are `float64` (absent: NaN) and `int64` (`Int64` where they may be absent), times
are UTC, digests are hexadecimal text. A message inside a row gives its own fields as columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import pandas as pd
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

TIMES: Final = "datetime64[us, UTC]"
"""The type of columns of times; Postgres's clock counts microseconds."""

_INTEGERS: Final = frozenset(
    {
        FieldDescriptor.TYPE_INT32,
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT32,
        FieldDescriptor.TYPE_UINT64,
    }
)


def frame(of: type[Message], rows: Iterable[Message]) -> pd.DataFrame:
    """The rows, messages of the type `of`, in their order; without rows, still every column with its type."""
    kept = list(rows)
    return pd.DataFrame(dict(_columns(cast("Descriptor", of.DESCRIPTOR), kept)))


def _columns(descriptor: Descriptor, rows: list[Message]) -> Iterable[tuple[str, pd.Series[Any]]]:
    for field in descriptor.fields:
        inner = field.message_type
        if inner is None or inner.full_name == Timestamp.DESCRIPTOR.full_name:
            yield field.name, _column(field, rows)
        else:
            yield from _columns(inner, [getattr(row, field.name) for row in rows])


def _column(field: FieldDescriptor, rows: list[Message]) -> pd.Series[Any]:
    dtype, read = _kind(field)
    return pd.Series([read(row) for row in rows], dtype=dtype)


def _kind(field: FieldDescriptor) -> tuple[Any, Callable[[Message], Any]]:
    """The type of a field's column, and the value of one row."""
    name = field.name

    def given(row: Message) -> Any:
        """The value; `None` when it is absent."""
        return getattr(row, name) if not field.has_presence or row.HasField(name) else None

    def word(row: Message) -> str | None:
        """Text; the wire's empty string is SQL's null."""
        return given(row) or None

    def digest(row: Message) -> str | None:
        return (given(row) or b"").hex() or None

    def time(row: Message) -> pd.Timestamp | None:
        at = given(row)
        return None if at is None else pd.Timestamp(at.ToMicroseconds(), unit="us", tz="UTC")

    if field.message_type is not None:
        return TIMES, time
    if field.is_repeated:
        return "object", lambda row: list(getattr(row, name))
    if field.type in _INTEGERS:
        return ("Int64" if field.has_presence else "int64"), given
    if field.type == FieldDescriptor.TYPE_BOOL:
        return ("boolean" if field.has_presence else "bool"), given
    if field.type == FieldDescriptor.TYPE_STRING:
        return "string", word
    if field.type == FieldDescriptor.TYPE_BYTES:
        return "string", digest
    return "float64", given
