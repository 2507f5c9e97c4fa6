from typing import Any

import pytest

from gateway.headers import forwarded, returned, text
from socle.settings import Settings

SETTINGS = Settings()


def scope(*fields: tuple[bytes, bytes], **changes: Any) -> dict[str, Any]:
    return {"headers": list(fields), "client": ("192.0.2.7", 4242), "scheme": "http", **changes}


class TestForwarded:
    def test_keeps_repeated_fields_in_order(self) -> None:
        fields = forwarded(scope((b"accept", b"a"), (b"accept", b"b")), "id", SETTINGS)
        assert fields.getall("Accept") == ["a", "b"]

    def test_drops_the_fields_that_connection_names(self) -> None:
        fields = forwarded(
            scope((b"connection", b"close, X-One ,x-two"), (b"x-one", b"1"), (b"x-two", b"2")),
            "id",
            SETTINGS,
        )
        assert {"Connection", "X-One", "X-Two"} & {name.title() for name in fields} == set()

    def test_sets_its_own_fields_even_when_connection_names_them(self) -> None:
        fields = forwarded(
            scope((b"connection", b"x-correlation-id, x-forwarded-for")), "id", SETTINGS
        )
        assert fields.getall("X-Correlation-Id") == ["id"]
        assert fields.getall("X-Forwarded-For") == ["192.0.2.7"]

    @pytest.mark.parametrize(
        "name", [b"client-cert", b"client-cert-chain", b"x-forwarded-client-cert", b"x-real-ip"]
    )
    def test_drops_what_only_a_proxy_can_say(self, name: bytes) -> None:
        assert name.decode() not in {
            field.lower() for field in forwarded(scope((name, b"forged")), "id", SETTINGS)
        }

    def test_keeps_the_host_of_the_head_when_a_trailer_names_another(self) -> None:
        fields = forwarded(
            scope((b"host", b"socle.example"), (b"host", b"evil.example")), "id", SETTINGS
        )
        assert fields.getall("X-Forwarded-Host") == ["socle.example"]

    def test_says_unknown_when_the_client_has_no_address(self) -> None:
        assert forwarded(scope(client=None), "id", SETTINGS)["X-Forwarded-For"] == "unknown"

    def test_leaves_the_length_to_whoever_sends_the_body(self) -> None:
        assert "Content-Length" not in forwarded(scope((b"content-length", b"3")), "id", SETTINGS)


class TestReturned:
    def test_keeps_every_cookie_in_order(self) -> None:
        raw = [(b"Set-Cookie", b"a=1"), (b"ETag", b"x"), (b"Set-Cookie", b"b=2")]
        assert returned(raw) == [(b"set-cookie", b"a=1"), (b"etag", b"x"), (b"set-cookie", b"b=2")]

    def test_drops_the_hop_and_what_the_gateway_writes_itself(self) -> None:
        raw = [
            (b"Connection", b"X-Mine"), (b"X-Mine", b"1"), (b"Transfer-Encoding", b"chunked"),
            (b"Date", b"now"), (b"X-Socle", b"0"), (b"X-Correlation-Id", b"i"), (b"Allow", b"GET"),
        ]  # fmt: skip
        assert returned(raw) == [(b"allow", b"GET")]


class TestText:
    @pytest.mark.parametrize("value", [b"plain", "été".encode(), b""])
    def test_comes_back_as_the_same_bytes(self, value: bytes) -> None:
        assert text(value).encode() == value

    def test_is_still_readable_when_it_is_not_utf_8(self) -> None:
        assert text("été".encode("latin-1")) == "été"
