"""Where parts lie, and how structure and envelope are shown."""

from services.mss.domain.mime import MAX_DEPTH, parse
from services.mss.imap.fetch_items import Fetched, parse_items, render, section
from services.mss.imap.parser import Parser
from services.mss.imap.structure import body_structure, envelope
from socle.clock import wall

INNER = b"Subject: dedans\r\n\r\nle corps"
RAW = (
    b'From: "Marie M" <marie@x.mssante.fr>\r\nTo: a@b.fr, c@d.fr\r\nSubject: essai\r\n'
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour\r\n\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + INNER + b"\r\n--b--\r\nepilogue"
)


def read(item: bytes, raw: bytes = RAW) -> bytes | None:
    (parsed,) = parse_items(Parser(item))
    return section(parsed, parse(raw))


class TestSections:
    def test_are_cut_byte_for_byte(self) -> None:
        assert read(b"BODY[]") == RAW
        assert read(b"BODY[1]") == b"Bonjour\r\n"
        assert read(b"BODY[1.MIME]") == b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
        assert read(b"BODY[2]") == INNER
        assert read(b"BODY[2.HEADER]") == b"Subject: dedans\r\n\r\n"
        assert read(b"BODY[2.1]") == b"le corps"
        assert read(b"BODY[HEADER.FIELDS (subject)]") == b"Subject: essai\r\n\r\n"

    def test_begin_a_field_where_a_line_begins(self) -> None:
        assert (
            read(b"BODY[HEADER.FIELDS (to)]", b"Subject: a\r\n to: b\r\nx to: c\r\n\r\n") == b"\r\n"
        )

    def test_are_nil_when_there_is_no_such_part(self) -> None:
        assert read(b"BODY[3]") is None
        assert read(b"BODY[1.HEADER]") is None

    def test_take_a_lone_body_as_part_one(self) -> None:
        assert read(b"BODY[1]", INNER) == b"le corps"
        assert read(b"BODY[2]", INNER) is None

    def test_are_cut_further_when_partial(self) -> None:
        items = parse_items(Parser(b"BODY[1]<2.3>"))
        shown = b"".join(render(items, Fetched(1, [], wall(), len(RAW), b"", RAW)))
        assert shown == b"(BODY[1]<2> {3}\r\nnjo)"


class TestStructure:
    def test_shows_every_part(self) -> None:
        shown = body_structure(parse(RAW), extended=True)
        assert shown.startswith(
            b'(("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 9 1 NIL NIL NIL NIL)'
            b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 27 (NIL "dedans"'
        )
        assert shown.endswith(b'"MIXED" ("BOUNDARY" "b") NIL NIL NIL)')

    def test_leaves_file_names_as_they_are_encoded(self) -> None:
        """What a client decodes by RFC 2231; a text of 8 bits would be in a charset that it must guess."""
        header = (
            b"Content-Type: application/pdf;\r\n name*0*=utf-8''r%C3%A9sum;\r\n name*1=e.pdf\r\n"
            b'Content-Disposition: attachment; filename="=?utf-8?q?r=C3=A9sum=C3=A9?=.pdf"\r\n\r\n'
        )
        shown = body_structure(parse(header), extended=True)
        assert b"""("NAME*0*" "utf-8''r%C3%A9sum" "NAME*1" "e.pdf")""" in shown
        assert b'("ATTACHMENT" ("FILENAME" "=?utf-8?q?r=C3=A9sum=C3=A9?=.pdf"))' in shown

    def test_survives_when_the_message_is_hostile(self) -> None:
        nested = b""
        for depth in range(MAX_DEPTH * 3):
            name = b"b%d" % depth
            nested += (
                b"Content-Type: multipart/mixed; boundary=" + name + b"\r\n\r\n--" + name + b"\r\n"
            )
        for raw in (
            nested,
            b"",
            b"\r\n",
            b"Content-Type: multipart/mixed\r\n\r\nx",
            b"\xff\xfe: \x00",
        ):
            assert body_structure(parse(raw), extended=True).startswith(b"(")
            assert envelope(parse(raw)).startswith(b"(")


class TestEnvelope:
    def test_repeats_from_when_there_is_no_sender(self) -> None:
        person = b'(("Marie M" NIL "marie" "x.mssante.fr"))'
        assert envelope(parse(RAW)) == (
            b'(NIL "essai" '
            + b" ".join([person] * 3)
            + b' ((NIL NIL "a" "b.fr")(NIL NIL "c" "d.fr")) NIL NIL NIL NIL)'
        )
