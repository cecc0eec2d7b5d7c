"""Thrift's compact protocol, as much of it as tells what a Parquet file claims.

Belongs here: bytes to numbers, lists and structs, with limits on how deep and how many. Keep out: what they mean
(parquet_files.py).
"""

from __future__ import annotations

from typing import Any

TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
INTEGERS = (4, 5, 6)
MAX_DEPTH = 40


class Compact:
    """Reads values one after another from some bytes; raises ValueError or IndexError for nonsense."""

    def __init__(self, data: bytes | memoryview, at: int = 0, most: int = 500_000) -> None:
        self.data, self.at, self.left = data, at, most

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """A struct as its fields by number; texts only by their length."""
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        fields: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            field = field + step if step else self._signed()
            fields[field] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind, depth + 1)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ValueError("too many values")
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind in INTEGERS:
            return self._signed()
        if kind == DOUBLE:
            self.at += 8
            return None
        if kind == BINARY:
            length = self._unsigned()
            self.at += length
            return length
        if kind in (LIST, SET):
            head = self._byte()
            size = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value_in_list(head & 15, depth + 1) for _ in range(size)]
        if kind == STRUCT:
            return self.struct(depth)
        raise ValueError(f"a value of kind {kind}")

    def _value_in_list(self, kind: int, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")
        return self._value(kind, depth)

    def _byte(self) -> int:
        value = self.data[self.at]
        self.at += 1
        return int(value)

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without end")

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
