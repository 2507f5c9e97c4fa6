"""In which of the encodings that spreadsheets write a file is: UTF-8, UTF-16, or Windows-1252."""

import codecs
import io
from collections.abc import Iterable, Iterator
from typing import Final

_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
UTF_8: Final = "utf-8-sig"
EXCEL: Final = "cp1252"
FEW: Final = 10
"""Letters that are no UTF-8 for one that is."""
_ASCII: Final = bytes(range(128))
_WITHOUT_ASCII: Final = dict.fromkeys(range(128))


def encoding_of(chunks: Iterable[bytes]) -> str:
    """By its mark; else UTF-8, unless hardly a letter beyond ASCII is UTF-8: then Windows-1252, where
    É and a no-break space look like one. A file that mixes the two is read as UTF-8, and its other
    lines are told."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    valid = broken = 0
    for number, chunk in enumerate(chunks):
        if number == 0:
            marked = next((name for mark, name in _MARKS.items() if chunk.startswith(mark)), None)
            if marked is not None:
                return marked
        if not chunk.translate(None, _ASCII) and not decoder.getstate()[0]:
            continue
        for letter in decoder.decode(chunk).translate(_WITHOUT_ASCII):
            if "\udc80" <= letter <= "\udcff":
                broken += 1
            else:
                valid += 1
    broken += len(decoder.decode(b"", final=True))
    return EXCEL if broken > FEW * valid else UTF_8


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Text whose lines end in line feeds. What is no text in the encoding stays as lone surrogates, or
    as U+FFFD in UTF-16: one bad line does not keep the others from being read."""
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(errors=errors), translate=True
    )
    for chunk in chunks:
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text
