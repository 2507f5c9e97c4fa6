"""Addresses to which a client may be answered."""

import pytest
from pydantic import ValidationError

from services.psc.domain.client import Client
from services.psc.domain.enrolment import Enrolment
from services.psc.domain.secrets import digest

WEB = "https://lps.example/callback"


def client(**changes: object) -> Client:
    values: dict[str, object] = {
        "space": "demo", "client_id": "c", "name": "c", "secret_digest": digest("s3cret"),
        "redirect_uris": (WEB,), "post_logout_redirect_uris": (), "loopback": False,
        "pkce": "optional",
    }  # fmt: skip
    return Client(**{**values, **changes})  # type: ignore[arg-type]


class TestRedirect:
    def test_registered_address_passes(self) -> None:
        assert client().may_redirect_to(WEB)

    @pytest.mark.parametrize(
        "uri", [WEB + "/", WEB + "?a=b", WEB.upper(), WEB.replace("https", "http"), ""]
    )
    def test_every_other_address_is_refused(self, uri: str) -> None:
        assert not client().may_redirect_to(uri)

    @pytest.mark.parametrize(
        "uri", ["http://127.0.0.1:1/", "http://localhost/a?b=c", "http://[::1]:5000/x"]
    )
    def test_loopback_passes_only_when_marked(self, uri: str) -> None:
        assert client(loopback=True).may_redirect_to(uri)
        assert not client().may_redirect_to(uri)

    @pytest.mark.parametrize(
        "uri",
        [
            "http://127.0.0.1@evil.example/", "http://localhost.evil.example/",
            "http://evil.example#localhost", "http://127.0.0.2/", "https://localhost/",
            "http://localhost:x/", "http://localhost/\r\nSet-Cookie: a=b", "http:localhost",
            "http://local\thost/", "http://u:p@localhost/",
        ],
    )  # fmt: skip
    def test_disguised_address_is_refused_when_loopback(self, uri: str) -> None:
        assert not client(loopback=True).may_redirect_to(uri)


class TestSecret:
    def test_only_the_secret_passes(self) -> None:
        assert client().knows_secret("s3cret")
        assert not client().knows_secret("s3cret ")
        assert not client(secret_digest=None).knows_secret("")

    def test_secret_is_not_in_repr(self) -> None:
        assert digest("s3cret").hex() not in repr(client())
        assert repr(digest("s3cret")) not in repr(client())


class TestEnrolment:
    @pytest.mark.parametrize(
        "changes",
        [
            {"redirect_uris": []},
            {"redirect_uris": ["javascript:alert(1)"]},
            {"redirect_uris": ["data:text/html,x"]},
            {"redirect_uris": ["/relative"]},
            {"redirect_uris": [WEB + "#f"]},
            {"public": True, "secret": "long-enough"},
            {"public": True, "pkce": "off"},
            {"client_id": "../x"},
            {"secret": "short"},
            {"unknown": 1},
        ],
    )
    def test_refused_when_incoherent(self, changes: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Enrolment.model_validate(
                {"client_id": "c", "name": "n", "redirect_uris": [WEB], **changes}
            )

    def test_private_use_scheme_of_native_app_passes(self) -> None:
        uri = "fr.editeur.lps:/callback"
        enrolment = Enrolment(client_id="c", name="n", redirect_uris=(uri,))
        assert client(redirect_uris=enrolment.redirect_uris).may_redirect_to(uri)
