"""The text of a mail (ECO.2.2.3, ECO.2.2.4)."""

from collections.abc import Iterator
from typing import Final

from services.mss.domain.line_ends import bare_ends
from services.mss.domain.lint.mail import Mail
from services.mss.domain.lint.reading import decode, file_name
from services.mss.domain.lint.rules import Finding, Rule, rule
from services.mss.domain.mime import Part

_UTF8: Final = ("utf-8", "utf8")
_MAX_LINE: Final = 998


@rule("MSS-BODY", "the body is text/plain, or alternatives of it",
      eco="ECO.2.2.4", segur="MSS/va1.11")  # fmt: skip
def body(mail: Mail) -> Iterator[Finding]:
    part, kind = mail.root, "/".join(mail.root.content_type)
    if kind == "multipart/report":  # receipts have a form of their own (RFC 6522)
        return
    while part.is_multipart and kind not in ("multipart/alternative",):
        part = part.children[0]
        kind = "/".join(part.content_type)
    expected = "text/plain, or multipart/alternative with text/plain in it"
    if kind == "multipart/alternative":
        if not any(leaf.content_type == ("text", "plain") for leaf in _leaves(part)):
            yield Finding("body", "no alternative is text/plain", expected)
    elif kind != "text/plain" or file_name(part):
        yield Finding("body", f"the first part is {kind[:60]}", expected)


def _leaves(part: Part) -> Iterator[Part]:
    for child in part.children:
        yield from _leaves(child) if child.is_multipart else (child,)


@rule("MSS-CHARSET", "texts are in UTF-8", eco="ECO.2.2.3")
def charset(mail: Mail) -> Iterator[Finding]:
    for number, part in enumerate(mail.leaves, start=1):
        if part.content_type[0] != "text" or file_name(part):
            continue
        path = f"part[{number}]"
        named = part.charset
        content, problem = decode(part)
        if problem:
            yield Finding(path, problem, "7bit, 8bit, quoted-printable or base64, whole")
        elif named not in _UTF8 and not (named in ("", "us-ascii") and content.isascii()):
            yield Finding(path, f"its charset is {named[:40] or 'not named'}", "charset=utf-8")
        elif not _is_utf8(content):
            yield Finding(path, "it says UTF-8, and its octets are not", "UTF-8")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@rule("MSS-LINES", "lines end with CRLF, hold no NUL and are 998 octets long at most",
      source="RFC 5321 §2.3.8; RFC 5322 §2.1.1, §4", confidence="primary")  # fmt: skip
def lines(mail: Mail) -> Iterator[Finding]:
    """Taken in as they are; many operators refuse such a mail, or change it and so break a signature."""
    raw = mail.root.raw
    returns, feeds = bare_ends(raw)
    if returns or feeds:
        yield Finding(
            "body", f"{returns} CR and {feeds} LF stand alone", "CRLF at the end of each line"
        )
    if nuls := raw.count(b"\0"):
        yield Finding("body", f"{nuls} octets are NUL", "base64 for what is no text")
    longest = max(map(len, raw.split(b"\r\n")))
    if longest > _MAX_LINE:
        yield Finding(
            "body", f"a line has {longest} octets", f"{_MAX_LINE} octets, without its CRLF"
        )


RULES: tuple[Rule, ...] = (body, charset, lines)
