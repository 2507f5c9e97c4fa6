"""The initial responses that carry the token."""

import pytest

from services.mss.domain.sasl import MalformedResponseError, decode_base64, parse_response


class TestParse:
    def test_reads_xoauth2(self) -> None:
        found = parse_response("XOAUTH2", b"user=A@b.fr\x01auth=Bearer t.o.k\x01\x01")
        assert (found.user, found.token) == ("a@b.fr", "t.o.k")

    def test_reads_oauthbearer(self) -> None:
        found = parse_response("OAUTHBEARER", b"n,a=a@b.fr,\x01port=143\x01auth=Bearer t\x01\x01")
        assert (found.user, found.token) == ("a@b.fr", "t")

    def test_shows_neither_user_nor_token(self) -> None:
        shown = repr(parse_response("XOAUTH2", b"user=a@b.fr\x01auth=Bearer tok\x01\x01"))
        assert "a@b.fr" not in shown
        assert "tok" not in shown

    @pytest.mark.parametrize(
        "response",
        [b"", b"user=a", b"user=a\x01\x01", b"user=a\x01auth=Basic x\x01\x01", b"\xff\x01\x01",
         b"user=a\x01auth=Bearer x\x01auth=Bearer y\x01\x01", b"n,,\x01auth=Bearer x\x01\x01"],
    )  # fmt: skip
    def test_is_refused_when_malformed(self, response: bytes) -> None:
        with pytest.raises(MalformedResponseError):
            parse_response("XOAUTH2", response)

    def test_is_refused_when_not_base64(self) -> None:
        with pytest.raises(MalformedResponseError):
            decode_base64(b"*not base64*")
