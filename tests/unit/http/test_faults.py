"""Rules of faults: which are coherent, whom they strike, and how often."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from socle.clock import SpaceClock
from socle.faults import FaultInjector, FaultRule, InjectedFault
from socle.http.faults import RequestFaults
from socle.spaces import Space


def request(
    *rules: FaultRule, injector: FaultInjector | None = None, client: str = "", **scope: Any
) -> RequestFaults:
    space = Space("acme", SpaceClock(), rules)
    asked = {"method": "POST", "path": "/auth/token", **scope}
    return RequestFaults(injector or FaultInjector(), "psc", space, asked, client)


class TestRule:
    @pytest.mark.parametrize(
        "fields",
        [
            {"effect": "slow_down", "status": 503},
            {"effect": "acr"},
            {"effect": "clock_skew", "value": "soon"},
            {"effect": "clock_skew", "value": "9" * 20},
            {"effect": "drop_state", "value": "x"},
            {"value": "x"},
            {"effect": "drop_sate"},
            {"service": "gateway"},
            {"status": 200},
            {"probability": 2},
            {"id": "a\r\nSet-Cookie: x"},
            {"value": "\x00", "effect": "acr"},
            {"effect": "drop"},
            {"sender": "kit@socle.mssante.fr"},
            {"method": "SMTP", "status": 555},
            {"method": "SMTP", "path": "/token"},
            {"method": "SMTP", "effect": "acr", "value": "x"},
            {"method": "SMTP", "effect": "rate_limit", "value": "often"},
            {"method": "SMTP", "effect": "imap_no", "value": "x"},
            {"method": "SMTP", "path": "/mail", "effect": "refuse_token"},
            {"method": "SMTP", "recipient": "somebody"},
            {"method": "IMAP", "status": 451},
            {"method": "IMAP", "effect": "rate_limit", "value": "1/1"},
            {"method": "IMAP", "effect": "imap_no"},
        ],
    )
    def test_refused_when_it_means_nothing(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            FaultRule.model_validate({"id": "r", **fields})

    def test_skew_may_be_negative(self) -> None:
        assert FaultRule(id="r", effect="clock_skew", value="-300").value == "-300"

    def test_of_mail_does_not_strike_http(self) -> None:
        rule = FaultRule(id="r", method="SMTP", path="/", status=451)
        assert not rule.matches("mss", "POST", "/mss/messages")

    @pytest.mark.parametrize(
        ("fields", "meant"),
        [
            ({}, True),
            ({"sender": "KIT@socle.mssante.fr"}, True),
            ({"sender": "@mssante.fr"}, False),
            ({"recipient": "@patient.mssante.fr"}, True),
            ({"recipient": "a@socle.mssante.fr"}, False),
        ],
    )
    def test_of_mail_is_about_addresses(self, fields: dict[str, str], meant: bool) -> None:
        rule = FaultRule.model_validate({"id": "r", "method": "SMTP", "status": 451, **fields})
        assert rule.is_between("kit@socle.mssante.fr", ["1@patient.mssante.fr"]) is meant


class TestStrikes:
    async def test_status_is_raised_with_the_name_of_the_rule(self) -> None:
        faults = request(FaultRule(id="down", status=503))
        with pytest.raises(InjectedFault) as raised:
            await faults.on_the_wire()
        assert raised.value.status == 503
        assert faults.scope["state"]["faults"] == ["down"]

    @pytest.mark.parametrize(
        "fields",
        [{"service": "dmp"}, {"method": "GET"}, {"path": "/auth/userinfo"}, {"probability": 0}],
    )
    async def test_other_requests_are_left_alone(self, fields: dict[str, Any]) -> None:
        faults = request(FaultRule.model_validate({"id": "r", "status": 500, **fields}))
        await faults.on_the_wire()
        assert "state" not in faults.scope

    async def test_personal_rule_waits_until_the_caller_is_known(self) -> None:
        rule = FaultRule(id="r", client="lps", person="899", status=500)
        await request(rule, client="lps").on_the_wire()
        await request(rule, client="other").strike("899")
        await request(rule, client="lps").strike("898")
        with pytest.raises(InjectedFault):
            await request(rule, client="lps").strike("899")

    async def test_count_is_of_one_space_and_starts_anew_when_armed_again(self) -> None:
        injector = FaultInjector()
        rule = FaultRule(id="r", effect="slow_down", count=2)
        hits = [request(rule, injector=injector).effect("slow_down") for _ in range(4)]
        assert [hit is not None for hit in hits] == [True, True, False, False]
        again = rule.model_copy(update={"armed_at": datetime(2026, 11, 27, tzinfo=UTC)})
        assert request(again, injector=injector).effect("slow_down") is not None
        elsewhere = RequestFaults(
            injector, "psc", Space("other", SpaceClock(), (rule,)),
            {"method": "POST", "path": "/auth"},
        )  # fmt: skip
        assert elsewhere.effect("slow_down") is not None

    async def test_probability_is_kept_over_many_requests(self) -> None:
        injector, rule = FaultInjector(), FaultRule(id="r", effect="slow_down", probability=0.25)
        hits = sum(
            request(rule, injector=injector).effect("slow_down") is not None for _ in range(4000)
        )
        assert 900 < hits < 1100
