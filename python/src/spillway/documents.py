"""Sweep documents, as `tomllib`, `json` and people write them, read into the messages of the wire.

The language is that of sweep files (docs/guide.md), and is read from the descriptions of the messages, so that a field that is
new on the wire is new here too:

- a table has the fields of its message; numbers that the wire does not mark `optional` must be there;
- a choice is a table with one key, or its bare name when it needs no more, in kebab-case: `warm-up-cosine`, `"affine"`;
- a named constant is its name in kebab-case, without the prefix: `"sub-quadrant"`.

What a document means is the coordinator's to say. Here is refused only what could not be sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from google.protobuf import struct_pb2
from google.protobuf.descriptor import FieldDescriptor

from spillway.errors import SweepError, Violation
from spillway.v1 import experiment_pb2, sweep_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, OneofDescriptor
    from google.protobuf.message import Message

_Word = TypeVar("_Word", str, bool)

_MAX_DEPTH: Final = 32
"""Deeper than any document: a dictionary that holds itself ends here."""

_REALS: Final = frozenset({FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT})
_INTEGERS: Final = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}

_NAMED_BY_ANOTHER: Final = frozenset({"spillway.v1.RealNvpSpec.masks"})
"""Fields that documents write under another field's name: a list as `mask`."""
_NULLS: Final = {"spillway.v1.TrainingSpec.gradient_clip_norm": 0.0}
"""What null means where it is more than an absent field: no clipping."""
_NEVER_EMPTY: Final = frozenset(
    {
        "spillway.v1.EvaluationSpec.scores",
        "spillway.v1.InspectionSpec.datasets",
        "spillway.v1.InspectionSpec.images",
        "spillway.v1.InspectionSpec.parts",
    }
)
"""Lists whose default is something: the wire cannot tell an empty one from an absent one."""
_OTHER_SPELLINGS: Final = {"center": "centre"}
_REVERSED: Final = "-reversed"


def sweep_of(document: Mapping[str, Any]) -> sweep_pb2.SweepSpec:
    """The sweep that a document describes.

    Raises `SweepError` with the path of every field that cannot be sent: one that does not exist, or has the wrong kind.
    """
    reader = _Reader()
    sweep = sweep_pb2.SweepSpec()
    reader.table(sweep, document, "", 0)
    if reader.violations:
        raise SweepError(reader.violations)
    return sweep


class _Reader:
    """Fills messages, and keeps what it cannot read as violations."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def refuse(self, at: str, message: str) -> None:
        self.violations.append(Violation(at, message))

    def message(self, into: Message, given: Any, at: str, depth: int) -> None:
        """Reads a message of any kind."""
        if depth > _MAX_DEPTH:
            self.refuse(at, f"more than {_MAX_DEPTH} tables in each other")
        elif isinstance(into, struct_pb2.Struct):
            self.struct(into, given, at, depth)
        elif isinstance(into, struct_pb2.Value):
            self.value(into, given, at, depth)
        elif isinstance(into, experiment_pb2.CouplingMask):
            self.coupling_mask(into, given, at, depth)
        elif (choice := _choice(into)) is not None:
            self.choice(into, choice, given, at, depth)
        else:
            self.table(into, given, at, depth)

    def table(self, into: Message, given: Any, at: str, depth: int) -> None:
        if not isinstance(given, Mapping):
            self.refuse(at, f"{_kind(given)}: a table expected")
            return
        fields = {field.name: field for field in into.DESCRIPTOR.fields if field.full_name not in _NAMED_BY_ANOTHER}
        for key in given:
            if key not in fields:
                known = ", ".join(fields) or "no field"
                self.refuse(_path(at, str(key)), f"unknown field: one of {known} expected")
        for name, field in fields.items():
            if name in given and given[name] is None and field.full_name in _NULLS:
                setattr(into, name, _NULLS[field.full_name])
            else:
                self.field(into, field, given.get(name), _path(at, name), depth)

    def field(self, into: Message, field: FieldDescriptor, given: Any, at: str, depth: int) -> None:
        """Reads a field of a table; one that is absent is `None`."""
        if given is None:
            if _is_number(field) and not field.has_presence and not field.is_repeated:
                self.refuse(at, "missing: a number expected")
        elif isinstance(into, experiment_pb2.RealNvpSpec) and field.name == "mask" and _is_list(given):
            self.items(into.masks, given, at, depth)
        elif not field.is_repeated:
            self.single(into, field, given, at, depth)
        elif not _is_list(given):
            self.refuse(at, f"{_kind(given)}: a list expected")
        elif field.full_name in _NEVER_EMPTY and len(given) == 0:
            self.refuse(at, "empty: give at least one, or leave the field out")
        elif field.message_type is not None:
            self.items(getattr(into, field.name), given, at, depth)
        else:
            read = [self.scalar(field, item, f"{at}[{index}]") for index, item in enumerate(given)]
            getattr(into, field.name).extend(item for item in read if item is not None)

    def items(self, into: Any, given: Any, at: str, depth: int) -> None:
        """Reads a list of messages."""
        for index, item in enumerate(given):
            self.message(into.add(), item, f"{at}[{index}]", depth + 1)

    def single(self, into: Message, field: FieldDescriptor, given: Any, at: str, depth: int) -> None:
        if field.message_type is not None:
            inner = getattr(into, field.name)
            # A table without entries is there all the same.
            inner.SetInParent()
            self.message(inner, given, at, depth + 1)
            return
        read = self.scalar(field, given, at)
        if read is not None:
            setattr(into, field.name, read)

    def choice(self, into: Message, choice: OneofDescriptor, given: Any, at: str, depth: int) -> None:
        """Reads a message that is one of several."""
        members = {_kebab(field.name): field for field in choice.fields}
        known = ", ".join(members)
        if isinstance(given, str):
            field = members.get(given)
            if field is None:
                self.refuse(at, f"unknown choice `{given}`: one of {known} expected")
            elif not _stands_alone(field.message_type):
                self.refuse(at, f"`{given}` has fields of its own: a table expected")
            else:
                getattr(into, field.name).SetInParent()
            return
        if not isinstance(given, Mapping) or len(given) != 1:
            found = f"{len(given)} choices" if isinstance(given, Mapping) else _kind(given)
            self.refuse(at, f"{found}: one of {known} expected")
            return
        (name, inner) = next(iter(given.items()))
        field = members.get(name)
        if field is None:
            self.refuse(at, f"unknown choice `{name}`: one of {known} expected")
        elif not field.message_type.fields:
            self.refuse(at, f"`{name}` is written as a name, without a table")
        else:
            self.single(into, field, inner, _path(at, name), depth)

    def coupling_mask(self, into: experiment_pb2.CouplingMask, given: Any, at: str, depth: int) -> None:
        """Reads the mask of one coupling layer, which a sweep file writes shorter than the wire."""
        if _is_list(given):
            if len(given) == 2:  # noqa: PLR2004
                self.table(into.quadrants, {"from": given[0], "to": given[1]}, at, depth)
            else:
                self.refuse(at, "two quadrants expected, the one that is read and the one that changes")
        elif isinstance(given, str):
            name = given.removesuffix(_REVERSED)
            order = experiment_pb2.MASK_ORDER_PLAIN if name == given else experiment_pb2.MASK_ORDER_REVERSED
            if name in ("checkerboard", "horizontal", "vertical"):
                setattr(into, name, order)
            elif _OTHER_SPELLINGS.get(given, given) == "centre":
                into.centre.SetInParent()
            else:
                self.refuse(at, f"unknown mask `{given}`")
        elif isinstance(given, Mapping) and len(given) == 1:
            (name, inner) = next(iter(given.items()))
            if name == "sub-quadrant":
                self.table(into.sub_quadrant, inner, _path(at, name), depth)
            elif _OTHER_SPELLINGS.get(name, name) == "centre":
                into.centre.SetInParent()
                self.table(into.centre, inner, _path(at, name), depth)
            else:
                self.refuse(at, f"unknown mask `{name}`")
        else:
            self.refuse(at, f"{_kind(given)}: a mask expected")

    def scalar(self, field: FieldDescriptor, given: Any, at: str) -> str | bool | float | None:
        """The value of a field without fields of its own; `None` when it is refused."""
        given = _plain(given)
        if field.type == FieldDescriptor.TYPE_ENUM:
            return self.constant(field, given, at)
        if field.type == FieldDescriptor.TYPE_STRING:
            return self.of_kind(str, given, at, "text")
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self.of_kind(bool, given, at, "true or false")
        if field.type in _INTEGERS:
            low, high = _INTEGERS[field.type]
            if isinstance(given, bool) or not isinstance(given, Integral):
                self.refuse(at, f"{_kind(given)}: a whole number expected")
                return None
            whole = int(given)
            if low <= whole <= high:
                return whole
            self.refuse(at, f"{whole} is out of range: {low} to {high} allowed")
            return None
        return self.real(given, at)

    def real(self, given: Any, at: str) -> float | None:
        if isinstance(given, bool) or not isinstance(given, Real):
            self.refuse(at, f"{_kind(given)}: a number expected")
            return None
        if not math.isfinite(given):
            self.refuse(at, f"{given} is not a finite number")
            return None
        return float(given)

    def of_kind(self, kind: type[_Word], given: Any, at: str, expected: str) -> _Word | None:
        if isinstance(given, kind):
            return given
        self.refuse(at, f"{_kind(given)}: {expected} expected")
        return None

    def constant(self, field: FieldDescriptor, given: Any, at: str) -> int | None:
        """The number of a named constant."""
        prefix = _screaming(field.enum_type.name) + "_"
        # The first one says that nothing was said.
        values: dict[str, int] = {
            _kebab(value.name.removeprefix(prefix)).lower(): value.number for value in field.enum_type.values[1:]
        }
        name = _OTHER_SPELLINGS.get(given, given) if isinstance(given, str) else None
        if name is not None and name in values:
            return values[name]
        found = f"unknown choice `{given}`" if isinstance(given, str) else _kind(given)
        self.refuse(at, f"{found}: one of {', '.join(values)} expected")
        return None

    def struct(self, into: struct_pb2.Struct, given: Any, at: str, depth: int) -> None:
        if not isinstance(given, Mapping):
            self.refuse(at, f"{_kind(given)}: a table expected")
            return
        for key, item in given.items():
            if isinstance(key, str):
                self.message(into.fields[key], item, _path(at, key), depth + 1)
            else:
                self.refuse(at, f"{_kind(key)} as a key: text expected")

    def value(self, into: struct_pb2.Value, given: Any, at: str, depth: int) -> None:
        """Reads a value of any kind, whose field the coordinator knows. The wire's one number is a double."""
        given = _plain(given)
        if given is None:
            into.null_value = struct_pb2.NULL_VALUE
        elif isinstance(given, bool):
            into.bool_value = given
        elif isinstance(given, str):
            into.string_value = given
        elif isinstance(given, Mapping):
            into.struct_value.SetInParent()
            self.struct(into.struct_value, given, at, depth)
        elif _is_list(given):
            into.list_value.SetInParent()
            self.items(into.list_value.values, given, at, depth)
        else:
            read = self.real(given, at)
            if read is not None:
                into.number_value = read


def _choice(message: Message) -> OneofDescriptor | None:
    """The choice that a message is, if it is one. Each `optional` field is a choice of its own to the compiler."""
    descriptor = message.DESCRIPTOR
    choices = [oneof for oneof in descriptor.oneofs if not oneof.name.startswith("_")]
    return choices[0] if len(choices) == 1 and len(choices[0].fields) == len(descriptor.fields) else None


def _stands_alone(descriptor: Descriptor) -> bool:
    """Whether a choice may be written as its bare name: all of its fields have defaults."""
    return all(field.has_presence and field.message_type is None for field in descriptor.fields)


def _is_number(field: FieldDescriptor) -> bool:
    return field.type in _REALS or field.type in _INTEGERS


def _is_list(given: Any) -> bool:
    return isinstance(given, Sequence | np.ndarray) and not isinstance(given, str | bytes)


def _plain(given: Any) -> Any:
    """The Python value of one of numpy's."""
    return given.item() if isinstance(given, np.generic) else given


def _kind(given: Any) -> str:
    """What was given, for people."""
    names = {type(None): "null", bool: "true or false", int: "a number", float: "a number", str: "text"}
    if isinstance(given, Mapping):
        return "a table"
    return "a list" if _is_list(given) else names.get(type(given), f"a {type(given).__name__}")


def _path(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _screaming(name: str) -> str:
    """`MaskScheme` as `MASK_SCHEME`."""
    return "".join(f"_{letter}" if letter.isupper() and index else letter for index, letter in enumerate(name)).upper()
