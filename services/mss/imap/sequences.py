"""Sequence sets such as `1,3:5,8:*` (RFC 3501 §9, seq-number)."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from services.mss.imap.errors import Bad


class SequenceSet:
    """`*` is the largest number in use; a range may be written from either end."""

    def __init__(self, text: str) -> None:
        self.ranges: list[tuple[int | None, int | None]] = []
        for part in text.split(","):
            first, _, last = part.partition(":")
            self.ranges.append((_end(first), _end(last or first)))

    def select(self, numbers: Sequence[int]) -> list[int]:
        """Those of the sorted `numbers` that are in the set, each once. A command holds thousands of
        ranges, a folder thousands of messages: both are walked once."""
        if not numbers:
            return []
        largest = numbers[-1]
        bounds = sorted(sorted((first or largest, last or largest)) for first, last in self.ranges)
        chosen: list[int] = []
        done = 0
        for low, high in bounds:
            start = max(done, bisect_left(numbers, low))
            done = max(done, bisect_right(numbers, high))
            chosen += numbers[start:done]
        return chosen


def _end(text: str) -> int | None:
    if text == "*":
        return None
    value = int(text)
    if value == 0:
        raise Bad("sequence numbers start at 1")
    return value


def compact(numbers: list[int]) -> str:
    """The shortest set of the sorted `numbers`, as COPYUID and SEARCH answers write it."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in parts)
