from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.psc.domain.ecps import AuthenticationRequest, Phone, Status, choices_of

NOW = datetime(2026, 11, 26, tzinfo=UTC)
REQUEST = AuthenticationRequest(
    space="demo",
    id=UUID(int=1),
    client_id="client",
    national_id="899700427885",
    channel="MOBILE",
    number="07",
    choices=("07", "08", "10"),
    scope="openid scope_all",
    issuer="http://127.0.0.1/auth/realms/esante-wallet",
    status="pending",
    wrong_numbers=0,
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=2),
    last_polled_at=None,
)


class TestChoices:
    @given(st.integers(0, 99), st.uuids())
    def test_are_three_different_numbers_with_the_shown_one(self, shown: int, id_: UUID) -> None:
        choices = choices_of(f"{shown:02d}", id_)
        assert len(set(choices)) == 3
        assert f"{shown:02d}" in choices
        assert all(len(choice) == 2 and choice.isdigit() for choice in choices)

    def test_put_the_shown_number_at_each_place(self) -> None:
        places = {
            choices_of("42", UUID(bytes=bytes([0, 0, n]) + bytes(13))).index("42") for n in range(3)
        }
        assert places == {0, 1, 2}


class TestVerdict:
    @pytest.mark.parametrize("status", ["pending", "approved"])
    def test_is_expired_when_nobody_fetched_it_in_time(self, status: Status) -> None:
        request = replace(REQUEST, status=status)
        assert request.verdict(request.expires_at) == "expired"
        assert request.verdict(request.expires_at - timedelta(seconds=1)) == status

    @pytest.mark.parametrize("status", ["refused", "used"])
    def test_stays_when_the_request_was_over_before(self, status: Status) -> None:
        assert replace(REQUEST, status=status).verdict(NOW + timedelta(days=1)) == status


class TestPhone:
    def test_is_locked_until_the_instant(self) -> None:
        phone = Phone(0, NOW)
        assert phone.is_locked(NOW - timedelta(seconds=1))
        assert not phone.is_locked(NOW)
        assert not Phone(4).is_locked(NOW)
