"""A TrueType font, as far as a PDF needs it: advance widths, and the glyphs that a text uses.

It is Bitstream Vera, which comes with reportlab. The subset has another name than the font, as the font's licence asks of anything modified.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Final

ENCODING: Final = "cp1252"
"""WinAnsiEncoding of PDF."""

# What TrueType fonts in a PDF must hold (PDF 1.4 §5.8) but for their hinting, which is left out, and
# `cmap`, by which WinAnsi is looked up.
_KEPT: Final = ("cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp")
_GLYPH_HEADER: Final = 10
_COMPOSITE_MORE: Final = 0x20
_COMPOSITE_HINTED: Final = 0x100
_WORD_ARGUMENTS: Final = 0x01
_SCALES: Final = ((0x08, 2), (0x40, 4), (0x80, 8))
_CHECKSUM: Final = 0xB1B0AFBA


@dataclass(frozen=True)
class Font:
    units: int
    ascent: int
    descent: int
    box: tuple[int, int, int, int]
    tables: dict[str, bytes] = field(repr=False)
    glyph_of: dict[int, int] = field(repr=False)
    """By the code of a character in WinAnsi."""
    advances: tuple[int, ...] = field(repr=False)

    def width(self, code: int) -> int:
        """In thousandths of the size, as PDF counts; 0 for a code without a character."""
        glyph = self.glyph_of.get(code)
        return 0 if glyph is None else round(self.advances[glyph] * 1000 / self.units)

    def scaled(self, value: int) -> int:
        return round(value * 1000 / self.units)

    def subset(self, codes: Iterable[int]) -> bytes:
        """The font with the outlines of these characters only; numbers of glyphs stay as they are."""
        offsets = self._offsets()
        wanted = {0} | {self.glyph_of[code] for code in codes if code in self.glyph_of}
        pending = list(wanted)
        while pending:
            for part in self._components(self._glyph(offsets, pending.pop())):
                if part not in wanted:
                    wanted.add(part)
                    pending.append(part)
        outlines, loca = bytearray(), [0]
        for glyph in range(len(offsets) - 1):
            if glyph in wanted:
                outline = self._unhinted(self._glyph(offsets, glyph))
                outlines += outline + bytes(-len(outline) % 4)
            loca.append(len(outlines))
        head = bytearray(self.tables["head"])
        head[8:12] = bytes(4)  # checkSumAdjustment: set below
        head[50:52] = struct.pack(">h", 1)  # loca in long offsets
        kept: dict[str, bytes] = {name: self.tables[name] for name in _KEPT if name in self.tables}
        kept |= {
            "glyf": bytes(outlines),
            "loca": struct.pack(f">{len(loca)}L", *loca),
            "head": bytes(head),
        }
        return _assembled(kept)

    def _offsets(self) -> tuple[int, ...]:
        loca = self.tables["loca"]
        if struct.unpack_from(">h", self.tables["head"], 50)[0]:
            return struct.unpack(f">{len(loca) // 4}L", loca)
        return tuple(2 * it for it in struct.unpack(f">{len(loca) // 2}H", loca))

    def _glyph(self, offsets: tuple[int, ...], glyph: int) -> bytes:
        return self.tables["glyf"][offsets[glyph] : offsets[glyph + 1]]

    def _components(self, outline: bytes) -> Iterable[int]:
        """The glyphs that a composite one is made of (an accent and its letter)."""
        return (glyph for _, glyph, _ in self._parts(outline))

    def _parts(self, outline: bytes) -> Iterator[tuple[int, int, int]]:
        """Of a composite glyph: where each part starts, its glyph, and where it ends."""
        if len(outline) < _GLYPH_HEADER or struct.unpack_from(">h", outline)[0] >= 0:
            return
        position, more = _GLYPH_HEADER, True
        while more:
            start = position
            flags, glyph = struct.unpack_from(">HH", outline, position)
            position += 4 + (4 if flags & _WORD_ARGUMENTS else 2)
            position += next((size for mark, size in _SCALES if flags & mark), 0)
            more = bool(flags & _COMPOSITE_MORE)
            yield start, glyph, position

    def _unhinted(self, outline: bytes) -> bytes:
        """Without its instructions, which are half of it and nothing to a printed page."""
        if len(outline) < _GLYPH_HEADER:
            return outline
        parts = list(self._parts(outline))
        if parts:
            plain = bytearray(outline[: parts[-1][2]])
            for start, _, _ in parts:
                flags = struct.unpack_from(">H", plain, start)[0] & ~_COMPOSITE_HINTED
                struct.pack_into(">H", plain, start, flags)
            return bytes(plain)
        contours = struct.unpack_from(">h", outline)[0]
        at = _GLYPH_HEADER + 2 * contours
        instructions = struct.unpack_from(">H", outline, at)[0]
        return outline[:at] + bytes(2) + outline[at + 2 + instructions :]


@lru_cache
def vera() -> Font:
    raw = files("reportlab").joinpath("fonts/Vera.ttf").read_bytes()
    count = struct.unpack_from(">H", raw, 4)[0]
    tables = {}
    for entry in range(count):
        name, _, start, length = struct.unpack_from(">4sLLL", raw, 12 + 16 * entry)
        tables[name.decode("ascii")] = raw[start : start + length]
    head, hhea = tables["head"], tables["hhea"]
    glyphs = struct.unpack_from(">H", tables["maxp"], 4)[0]
    metrics = struct.unpack_from(">H", hhea, 34)[0]
    advances = [struct.unpack_from(">H", tables["hmtx"], 4 * it)[0] for it in range(metrics)]
    advances += advances[-1:] * (glyphs - metrics)
    unicode_map = _unicode_map(tables["cmap"])
    codes = {code: bytes([code]).decode(ENCODING, "replace") for code in range(32, 256)}
    return Font(
        units=struct.unpack_from(">H", head, 18)[0],
        ascent=struct.unpack_from(">h", hhea, 4)[0],
        descent=struct.unpack_from(">h", hhea, 6)[0],
        box=struct.unpack_from(">4h", head, 36),
        tables=tables,
        glyph_of={
            code: unicode_map[ord(char)] for code, char in codes.items() if ord(char) in unicode_map
        },
        advances=tuple(advances),
    )


def _unicode_map(cmap: bytes) -> dict[int, int]:
    """The subtable of Windows and Unicode, in format 4 (OpenType §cmap)."""
    count = struct.unpack_from(">H", cmap, 2)[0]
    records = [struct.unpack_from(">HHL", cmap, 4 + 8 * it) for it in range(count)]
    start = next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
    segments = struct.unpack_from(">H", cmap, start + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", cmap, start + 14)
    first = start + 16 + 2 * segments
    starts = struct.unpack_from(f">{segments}H", cmap, first)
    deltas = struct.unpack_from(f">{segments}H", cmap, first + 2 * segments)
    ranges_at = first + 4 * segments
    ranges = struct.unpack_from(f">{segments}H", cmap, ranges_at)
    found = {}
    for segment in range(segments):
        for char in range(starts[segment], min(ends[segment], 0xFFFE) + 1):
            glyph = char
            if ranges[segment]:
                place = ranges_at + 2 * segment + ranges[segment] + 2 * (char - starts[segment])
                glyph = struct.unpack_from(">H", cmap, place)[0]
                if not glyph:
                    continue
            found[char] = (glyph + deltas[segment]) & 0xFFFF
    return found


def _assembled(tables: dict[str, bytes]) -> bytes:
    """The file around the tables, with its checksums (OpenType §"Organization of an OpenType font")."""
    power = 1 << (len(tables).bit_length() - 1)
    file = bytearray(
        struct.pack(
            ">LHHHH", 0x00010000, len(tables), 16 * power, power.bit_length() - 1,
            16 * (len(tables) - power),
        )
    )  # fmt: skip
    start, bodies = 12 + 16 * len(tables), bytearray()
    head_at = 0
    for name in sorted(tables):
        body = tables[name]
        if name == "head":
            head_at = start + len(bodies)
        file += struct.pack(
            ">4sLLL", name.encode("ascii"), _sum(body), start + len(bodies), len(body)
        )
        bodies += body + bytes(-len(body) % 4)
    file += bodies
    file[head_at + 8 : head_at + 12] = struct.pack(">L", (_CHECKSUM - _sum(file)) & 0xFFFFFFFF)
    return bytes(file)


def _sum(body: bytes | bytearray) -> int:
    padded = bytes(body) + bytes(-len(body) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}L", padded)
    return sum(words) & 0xFFFFFFFF
