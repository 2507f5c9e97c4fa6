"""Multipart bodies as SOAP stacks write them, and as none should."""

import base64

import pytest

from socle.soap.mtom import (
    Attachment,
    SoapBody,
    UnreadableMultipartError,
    read_soap_body,
    write_multipart,
)

TYPE = 'multipart/related; type="application/xop+xml"; boundary="abc"; start="<root>"'
ROOT = b"Content-ID: <root>\r\n\r\n<Envelope/>"
BINARY = b"%PDF\r\n\r\n\x00\xff--abc not a line\n\n--ab\r\n--abcd\r\nend"


def read(*parts: bytes, end: bytes = b"\r\n", content_type: str = TYPE) -> SoapBody:
    delimiter = b"--abc" + end
    body = b"".join(delimiter + part + end for part in parts) + b"--abc--" + end
    return read_soap_body(content_type, body)


def part(content: bytes, *headers: str, end: bytes = b"\r\n") -> bytes:
    lines = ["Content-ID: <doc>", "Content-Type: text/xml", *headers]
    return end.join(line.encode() for line in lines) + end + end + content


class TestRead:
    @pytest.mark.parametrize("end", [b"\r\n", b"\n"])
    def test_gives_each_part_byte_for_byte(self, end: bytes) -> None:
        root = b"Content-ID: <root>" + end + end + b"<Envelope/>"
        message = read(root, part(BINARY, end=end), end=end)
        assert message.root == b"<Envelope/>"
        found = message.attachment("cid:doc")
        assert found == Attachment("doc", "text/xml", BINARY)
        assert message.is_multipart

    def test_takes_the_first_part_where_no_start_is_named(self) -> None:
        content_type = TYPE.partition("; start")[0]
        assert read(ROOT, part(BINARY), content_type=content_type).root == b"<Envelope/>"

    def test_finds_the_root_wherever_it_stands(self) -> None:
        assert read(part(BINARY), ROOT).root == b"<Envelope/>"

    def test_reads_a_part_without_headers(self) -> None:
        content_type = TYPE.partition("; start")[0]
        message = read(b"\r\n<Envelope>\r\n\r\n</Envelope>", content_type=content_type)
        assert message.root == b"<Envelope>\r\n\r\n</Envelope>"

    def test_unfolds_headers(self) -> None:
        folded = b'Content-Type: application/xop+xml;\r\n\taction="urn:a"\r\n' + ROOT
        assert read(folded).action == "urn:a"

    def test_passes_over_what_stands_before_and_after(self) -> None:
        body = (
            b"a preamble\r\n--abc \r\n" + ROOT + b"\r\n--abc--\r\nan epilogue\r\n--abc\r\nno part"
        )
        assert read_soap_body(TYPE, body).root == b"<Envelope/>"

    def test_finds_an_encoded_content_id(self) -> None:
        headers = b"Content-ID: <a b@c>\r\n\r\nx"
        assert read(ROOT, headers).attachment("cid:a%20b%40c") is not None

    @pytest.mark.parametrize(
        ("encoding", "written"),
        [
            ("base64", base64.encodebytes(BINARY).replace(b"\n", b"\r\n")),
            ("BASE64", base64.b64encode(BINARY)),
            ("quoted-printable", b"%PDF=0D=0A=0D=0A=00=FF--abc not a line=0A=0A--ab=0D=0A--abcd="
             b"\r\n=0D=0Aend"),
            ("binary", BINARY),
            ("8bit", BINARY),
        ],
    )  # fmt: skip
    def test_undoes_the_transfer_encoding(self, encoding: str, written: bytes) -> None:
        found = read(ROOT, part(written, f"Content-Transfer-Encoding: {encoding}"))
        assert found.attachments["doc"].content == BINARY

    def test_keeps_an_empty_part(self) -> None:
        assert read(ROOT, part(b"")).attachments["doc"].content == b""

    def test_takes_what_is_no_multipart_as_the_envelope(self) -> None:
        message = read_soap_body('application/soap+xml; action="urn:a"', b"<Envelope/>")
        assert message == SoapBody(b"<Envelope/>", action="urn:a")

    @pytest.mark.parametrize(
        ("content_type", "body", "message"),
        [
            ("multipart/related", b"", "no boundary"),
            (TYPE.replace("abc", "a" * 71), b"", "no boundary"),
            (TYPE, b"", "no part"),
            (TYPE, b"--abc--", "no part"),
            (TYPE, b"--abcd\r\n" + ROOT, "no part"),
            (TYPE, b"--abc", "ends inside a part"),
            (TYPE, b"--abc\r\n" + ROOT, "cut short"),
            (TYPE, b"--abc\r\n" + ROOT + b"\r\n--ab", "cut short"),
            (TYPE, b"--abc\r\n\r\n" * 1001 + b"--abc--", "more than 1000 parts"),
        ],
    )
    def test_says_what_cannot_be_read(self, content_type: str, body: bytes, message: str) -> None:
        with pytest.raises(UnreadableMultipartError, match=message):
            read_soap_body(content_type, body)

    @pytest.mark.parametrize(
        ("encoding", "content", "message"),
        [("base64", b"abc", "no base64"), ("x-uuencode", b"", "x-uuencode")],
    )
    def test_says_what_cannot_be_decoded(self, encoding: str, content: bytes, message: str) -> None:
        with pytest.raises(UnreadableMultipartError, match=message):
            read(ROOT, part(content, f"Content-Transfer-Encoding: {encoding}"))

    def test_refuses_two_parts_of_one_name(self) -> None:
        with pytest.raises(UnreadableMultipartError, match="one Content-ID"):
            read(ROOT, part(b"a"), part(b"b"))


def test_what_is_written_is_read() -> None:
    attachments = [Attachment("doc", "text/xml", BINARY), Attachment("b", "application/pdf", b"")]
    content_type, body = write_multipart(b"<Envelope/>", attachments, "urn:answer")
    message = read_soap_body(content_type, body)
    assert (message.root, message.action) == (b"<Envelope/>", "urn:answer")
    assert list(message.attachments.values()) == attachments
