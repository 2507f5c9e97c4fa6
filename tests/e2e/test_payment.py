"""What the programme pays for, from the first report to the euro, through the real services."""

from datetime import datetime
from typing import Any

import pytest

from socle.clock import PARIS
from socle.demo.document import DEMO_STRUCTURE, laboratory_report
from socle.testing.stack import Stack
from tests.e2e.support import eventually
from tests.e2e.vendor import Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres]

FEBRUARY = datetime(2022, 2, 15, 9, tzinfo=PARIS)
AFTER = datetime(2022, 7, 1, tzinfo=PARIS)
STRUCTURE = f"structures/{DEMO_STRUCTURE.number}"
PROGRAMME = "sun-es-volet-1"
PREREQUISITES = {f"P{number}": True for number in range(1, 7)}


def produced(reports: int) -> str:
    """The laboratory's own file of what it validated."""
    lines = ["kind;domain;structure;act_id;act_at"]
    lines += [
        f"report.validated;biology;{DEMO_STRUCTURE.number};CR-{number};{FEBRUARY.isoformat()}"
        for number in range(reports)
    ]
    return "\r\n".join(lines)


class TestBiology:
    """Vectors S01 and S02 (spec: usage.md §10)."""

    @pytest.mark.timeout(600)
    def test_pays_the_base_at_450_of_a_thousand_reports_and_nothing_at_449(
        self, stack: Stack, space: str
    ) -> None:
        with Vendor(stack.url, space) as vendor:
            vendor.prepare(FEBRUARY)
            assert vendor.declare(produced(1000)) == 1000
            body = {"base": {"biology": 60_000}, "prerequisites": PREREQUISITES}
            vendor.put(f"{STRUCTURE}/dossiers/{PROGRAMME}", body)
            for _ in range(449):
                vendor.deposit(laboratory_report(created_at=FEBRUARY))
            for _ in range(10):  # a report without structured body is none of the 450
                vendor.deposit(laboratory_report(created_at=FEBRUARY, level="N1"))
            assert eventually(lambda: vendor.count() == 449)

            short = self._window(vendor)
            assert short["state"] == "open"
            assert short["indicators"]["SU4"]["value"] == "44.90"
            assert short["indicators"]["SU4"]["status"] == "not_met"

            vendor.deposit(laboratory_report(created_at=FEBRUARY))
            assert eventually(lambda: vendor.count() == 450)
            vendor.set_clock(AFTER)
            met = self._window(vendor)
            assert met["state"] == "closed"
            assert met["indicators"]["SU4"]["value"] == "45.00"
            assert met["amount"]["eur"] == "60000.00"

            report = vendor.get(f"{STRUCTURE}/report", programme=PROGRAMME, format="pdf")
            assert report.content.startswith(b"%PDF-")

    @staticmethod
    def _window(vendor: Vendor) -> Any:
        found = vendor.get(f"{STRUCTURE}/payments", programme=PROGRAMME, window="F1").json()
        return next(it for it in found["windows"] if it["window"] == "F1")
