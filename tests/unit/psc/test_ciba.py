from datetime import timedelta

import pytest

from services.psc.domain.ciba import MAX_EXPIRY, read_request
from services.psc.domain.parameters import Parameters
from services.psc.domain.refusals import OAuthError

RIGHT = {
    "scope": "openid scope_all",
    "acr_values": "eidas1",
    "login_hint": "899700427885",
    "binding_message": "07",
    "channel": "CARD",
}


def parameters(**changes: str | None) -> Parameters:
    merged = {**RIGHT, **changes}
    return Parameters.of([(name, value) for name, value in merged.items() if value is not None])


class TestReadRequest:
    def test_reads_what_the_proxy_of_ans_sends(self) -> None:
        asked = read_request(parameters())
        assert (asked.national_id, asked.number, asked.channel) == ("899700427885", "07", "CARD")
        assert asked.scope == "openid scope_all"
        assert asked.expiry is None

    def test_takes_the_phone_when_no_channel_is_named(self) -> None:
        assert read_request(parameters(channel=None)).channel == "MOBILE"

    @pytest.mark.parametrize(("seconds", "expected"), [("30", 30), ("9999", 300)])
    def test_honours_the_requested_expiry_within_its_limit(
        self, seconds: str, expected: int
    ) -> None:
        asked = read_request(parameters(requested_expiry=seconds))
        assert asked.expiry == timedelta(seconds=expected) <= MAX_EXPIRY

    @pytest.mark.parametrize(
        ("changes", "error", "description"),
        [
            ({"scope": None}, "invalid_request", "missing parameter : scope"),
            ({"scope": "openid"}, "invalid_scope", "Invalid scopes: openid"),
            (
                {"scope": "openid scope_all x"},
                "invalid_scope",
                "Invalid scopes: openid scope_all x",
            ),
            ({"login_hint": None}, "invalid_request", "missing parameter : login_hint"),
            ({"id_token_hint": "x"}, "invalid_request", "Unsupported parameter : id_token_hint"),
            ({"user_code": "1"}, "invalid_request", "User code not supported"),
            ({"acr_values": "eidas2"}, "invalid_request", "Invalid parameter: acr_values"),
            ({"binding_message": "7"}, "invalid_binding_message", "Invalid binding_message"),
            ({"binding_message": "٠٧"}, "invalid_binding_message", "Invalid binding_message"),
            ({"binding_message": "07\n"}, "invalid_binding_message", "Invalid binding_message"),
            ({"channel": "PHONE"}, "invalid_request", "Invalid parameter: channel"),
            ({"requested_expiry": "0"}, "invalid_request", "Invalid parameter: requested_expiry"),
            ({"requested_expiry": "²"}, "invalid_request", "Invalid parameter: requested_expiry"),
            (
                {"client_notification_token": "t"},
                "invalid_request",
                "Client Notification Token not supported",
            ),
        ],
    )
    def test_names_the_fault(
        self, changes: dict[str, str | None], error: str, description: str
    ) -> None:
        with pytest.raises(OAuthError) as refused:
            read_request(parameters(**changes))
        assert (refused.value.code, refused.value.detail) == (error, description)
        assert refused.value.hint
