"""The rules between operators, without a socket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from services.mss.domain.trust import Certificate, comparable, is_dn, judge
from services.mss.domain.whitelist import Entry, whitelist

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DN = "CN=smtp.exemple.fr,OU=318003502400041,O=Exemple,ST=Haute-Garonne (31),C=FR"


def certificate(subject: str = DN, **changes: Any) -> Certificate:
    dates: dict[str, Any] = {
        "not_before": NOW - timedelta(1),
        "not_after": NOW + timedelta(1),
        **changes,
    }
    return Certificate(subject, **dates)


def broken(presented: Certificate | None, *listed: str) -> list[str]:
    return [one.rule for one in judge(presented, "exemple.mssante.fr", listed, NOW)]


class TestJudge:
    def test_finds_nothing_when_one_of_several_entries_fits(self) -> None:
        assert broken(certificate(), "CN=other,C=FR", DN) == []

    def test_compares_names_without_case_and_blanks(self) -> None:
        assert broken(certificate(), DN.lower().replace("exemple,st", "EXEMPLE , st")) == []

    def test_holds_the_order_of_the_parts(self) -> None:
        assert comparable("C=FR,CN=a") != comparable("CN=a,C=FR")

    @pytest.mark.parametrize(
        ("changes", "rule"),
        [
            ({"not_after": NOW - timedelta(seconds=1)}, "TRUST-EXPIRY"),
            ({"not_before": NOW + timedelta(seconds=1)}, "TRUST-EXPIRY"),
            ({"revoked_at": NOW}, "TRUST-REVOCATION"),
        ],
    )
    def test_names_what_is_broken(self, changes: dict[str, Any], rule: str) -> None:
        assert broken(certificate(**changes), DN) == [rule]

    def test_takes_what_is_revoked_later(self) -> None:
        assert broken(certificate(revoked_at=NOW + timedelta(seconds=1)), DN) == []

    def test_names_everything_at_once(self) -> None:
        bad = certificate("CN=other,C=FR", not_after=NOW - timedelta(1), revoked_at=NOW)
        assert broken(bad, DN) == ["TRUST-EXPIRY", "TRUST-REVOCATION", "TRUST-DN"]
        assert broken(None) == ["TRUST-DOMAIN", "TRUST-CERTIFICATE"]

    def test_knows_a_name_from_a_text(self) -> None:
        assert is_dn(DN)
        assert not is_dn("smtp.exemple.fr")


class TestWhitelist:
    def test_keeps_every_entry_of_a_domain(self) -> None:
        entries = [Entry("a.mssante.fr", "", dn, "", "", NOW) for dn in ("CN=1", "CN=2")]
        names = [child.text for child in whitelist(entries, NOW).iter("{*}Nom")]
        assert names == ["a.mssante.fr", "a.mssante.fr"]

    def test_writes_instants_as_published(self) -> None:
        root = whitelist([], NOW + timedelta(microseconds=5))
        assert etree.tostring(root[0]).endswith(b">2026-11-29T12:00:00Z</DateDeGeneration>")
