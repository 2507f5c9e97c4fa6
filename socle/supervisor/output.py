"""Log lines of many processes on one terminal, each with the coloured name of its process."""

import os
import zlib
from collections import deque
from collections.abc import Sequence
from typing import BinaryIO

LONGEST_LINE = 1024 * 1024
LINES_REMEMBERED = 20

# 256-colour codes that read on dark and on light backgrounds.
PALETTE = (33, 35, 37, 65, 67, 98, 103, 130, 132, 136, 139, 161, 166, 172, 29, 62)
SUPERVISOR_COLOUR = 244


class Console:
    """Writes whole lines only; what it cannot write (closed terminal) is dropped, never raised."""

    def __init__(self, stream: BinaryIO, names: Sequence[str], *, colour: bool | None = None):
        self._stream = stream
        self._width = max((len(name) for name in names), default=0)
        self._colour = _wants_colour(stream) if colour is None else colour
        self._colours = stable_colours(names)

    def line(self, name: str, text: bytes) -> None:
        """One write per line, so that nothing else written to the terminal can come between."""
        try:
            self._stream.write(self._prefix(name) + text + b"\n")
            self._stream.flush()
        except (OSError, ValueError):
            # The reader went away (`socle up | head`). The processes go on, and their pipes
            # must be emptied all the same, otherwise they would block at their next line.
            return

    def _prefix(self, name: str) -> bytes:
        label = f"{name:<{self._width}} │ "
        if self._colour:
            label = f"\x1b[38;5;{self._colours.get(name, SUPERVISOR_COLOUR)}m{label}\x1b[0m"
        return label.encode()


def _wants_colour(stream: BinaryIO) -> bool:
    """https://no-color.org: any non-empty value of NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def stable_colours(names: Sequence[str]) -> dict[str, int]:
    """A name has the same colour in every run; where two would share one, the later takes the next."""
    colours: dict[str, int] = {}
    for name in sorted(names):
        first = zlib.crc32(name.encode()) % len(PALETTE)
        by_preference = PALETTE[first:] + PALETTE[:first]
        free = (colour for colour in by_preference if colour not in colours.values())
        colours[name] = next(free, by_preference[0])
    return colours


class LineSplitter:
    """Cuts a stream of bytes into lines, and remembers the last ones for a report."""

    def __init__(self) -> None:
        self._rest = b""
        self.last: deque[bytes] = deque(maxlen=LINES_REMEMBERED)

    def feed(self, chunk: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        lines = [line.removesuffix(b"\r") for line in lines]
        self.last.extend(lines)
        return lines

    def end(self) -> list[bytes]:
        """What the process wrote after its last line break."""
        rest, self._rest = self._rest, b""
        if rest:
            self.last.append(rest)
        return [rest] if rest else []
