"""A small PDF/A-1 of our own, for level 1 documents: a page of text, padded to a size."""

from collections.abc import Sequence

from socle.pdf.writer import Line, write_pdf


def page_of(lines: Sequence[str], size: int = 0) -> bytes:
    """A page that shows `lines`; comment bytes, which readers skip, fill it up to about `size`.

    Below some 7,000 bytes it stays at that: the font is in it.
    """
    shown = [Line(line) for line in lines]
    title = next(iter(lines), "")
    plain = write_pdf(title, shown)
    if size <= len(plain):
        return plain
    return write_pdf(title, shown, padding=size - len(plain))
