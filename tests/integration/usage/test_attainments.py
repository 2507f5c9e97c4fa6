"""Attestations over the API: deposited, examined by a sample, corrected, validated, paid, each once."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from socle.events.envelope import Event
from tests.contract.events import faults
from tests.unit.usage.test_pieces import A_PDF

from .conftest import FINESS, Usage
from .test_candidatures import strict  # noqa: F401 (a fixture)
from .test_payments import SUN, biology, dossier, freeze, get, paid

F1 = f"/usage/structures/{FINESS}/attainments/{SUN}/F1"
DRAFT = {"figures": {"SU4": {"numerator": 10, "denominator": 20}}}
DEPOSIT = {"function": "Directrice générale", "attested": True}
EXAMINATION = {"authority": "ARS", "seed": "controle-1", "size": 4}
DECISION = {"authority": "ARS"}
ADVANCE = {"option": "payment-steps:advance", "allow_unverified": "true"}


async def send(
    usage: Usage, action: str, body: Any = None, path: str = F1, **query: Any
) -> httpx.Response:
    if action == "rediger":
        return await usage.http.put(path, json=body or DRAFT, headers=usage.headers, params=query)
    return await usage.http.post(f"{path}/{action}", json=body, headers=usage.headers, params=query)


async def act(usage: Usage, action: str, body: Any = None, **query: Any) -> Any:
    response = await send(usage, action, body, **query)
    assert response.status_code == 200, response.text
    return response.json()


async def examined(usage: Usage, good: int = 10, all_: int = 20) -> Any:
    """Of a structure that reached F1, with a base of 60,000 euros; until the sample is drawn."""
    await biology(usage, good, all_)
    await dossier(usage, base={"biology": 60_000})
    await act(usage, "rediger")
    await act(usage, "deposer", DEPOSIT)
    return await act(usage, "instruire", EXAMINATION)


async def reject(usage: Usage, found: Any, number: int) -> Any:
    some = found["sample"]["drawn"]["SU4"][:number]
    findings = [
        {
            "indicator": "SU4",
            "document": it["document"],
            "kept": False,
            "reason": "INS non qualifiée",
        }
        for it in some
    ]
    return await act(usage, "constater", {"findings": findings})


class TestWay:
    async def test_leads_from_the_draft_to_the_payment_by_the_clock_of_the_space(
        self, usage: Usage
    ) -> None:
        await biology(usage, 10, 20)
        await dossier(usage, base={"biology": 60_000})
        acts: list[tuple[str, Any]] = [
            ("rediger", DRAFT), ("deposer", DEPOSIT), ("instruire", EXAMINATION),
            ("valider", DECISION), ("payer", {"step": "solde"}),
        ]  # fmt: skip
        for day, (action, body) in enumerate(acts, start=1):
            await freeze(usage, f"2022-07-0{day}T09:00:00+02:00")
            found = await act(usage, action, body)
        assert found["state"] == "paye"
        assert [(it["action"], it["state"], it["at"][:10]) for it in found["history"]] == [
            ("rediger", "brouillon", "2022-07-01"), ("deposer", "depose", "2022-07-02"),
            ("instruire", "instruit", "2022-07-03"), ("valider", "valide", "2022-07-04"),
            ("payer", "paye", "2022-07-05"),
        ]  # fmt: skip
        assert found["payments"] == [
            {"step": "solde", "amount": "60000.00", "paid_at": "2022-07-05T07:00:00Z"}
        ]

    async def test_takes_the_same_act_again_without_doing_it_again(self, usage: Usage) -> None:
        await examined(usage)
        await act(usage, "valider", DECISION)
        await act(usage, "payer", {"step": "solde"})
        before = await get(usage, F1.removeprefix("/usage/"))
        for action, body in (
            ("deposer", DEPOSIT), ("instruire", EXAMINATION), ("valider", DECISION),
            ("payer", {"step": "solde"}),
        ):  # fmt: skip
            again = await act(usage, action, body)
            assert again.pop("changed") is False
            assert again == before

    @pytest.mark.parametrize(
        ("action", "body", "possible"),
        [
            ("valider", DECISION, "retirer, instruire, payer"),
            ("corriger", {"method": "montant", "figures": {"SU4": 1}, "reason": "x"}, "retirer, instruire, payer"),
            ("rediger", {"figures": {"SU4": {"numerator": 1, "denominator": 2}}}, "retirer, instruire, payer"),
            ("reprendre", None, "retirer, instruire, payer"),
        ],
    )  # fmt: skip
    async def test_says_what_is_possible_instead(
        self, usage: Usage, action: str, body: Any, possible: str
    ) -> None:
        await act(usage, "rediger")
        await act(usage, "deposer", DEPOSIT)
        response = await send(usage, action, body)
        assert (response.status_code, response.json()["error"]) == (409, "transition_refusee")
        assert response.json()["problems"][0]["expected"] == possible

    async def test_goes_back_before_it_is_examined_and_after_a_refusal(self, usage: Usage) -> None:
        await act(usage, "rediger")
        await act(usage, "deposer", DEPOSIT)
        assert (await act(usage, "retirer"))["state"] == "brouillon"
        await act(usage, "deposer", DEPOSIT)
        await act(usage, "instruire", EXAMINATION)
        without = await send(usage, "refuser", DECISION)
        assert (without.status_code, without.json()["error"]) == (400, "motif_absent")
        refused = await act(usage, "refuser", {**DECISION, "reason": "pièces illisibles"})
        assert (refused["state"], refused["refused_for"]) == ("refuse", "pièces illisibles")
        resumed = await act(usage, "reprendre")
        assert (resumed["state"], resumed["sample"]) == ("brouillon", None)
        assert len(resumed["history"]) == 7

    async def test_tells_the_log_of_each_act_once(self, usage: Usage) -> None:
        await examined(usage)
        await act(usage, "valider", DECISION)
        for _ in range(2):
            await act(usage, "payer", {"step": "solde"})
        async with usage.database.read() as session:
            rows = await session.execute(
                text(
                    "SELECT value FROM usage.outbox WHERE topic = 'socle.usage.activity' ORDER BY id"
                )
            )
            told = [Event.parse(row.value) for row in rows if b"usage.attestation." in row.value]
        mine = [it for it in told if it.space == usage.space]
        assert [it.data["action"] for it in mine] == [
            "rediger", "deposer", "instruire", "valider", "payer",
        ]  # fmt: skip
        assert [faults(it.type, it.data) for it in mine] == [[]] * 5
        assert (mine[-1].data["amount"], mine[-1].data["step"]) == ("60000.00", "solde")

    async def test_holds_no_number_of_a_person(self, usage: Usage) -> None:
        await act(usage, "rediger")
        response = await send(usage, "deposer", {**DEPOSIT, "function": "x 255069999999934"})
        assert (response.status_code, response.json()["error"]) == (422, "donnee_interdite")
        assert "255069999999934" not in response.text

    async def test_is_of_its_space_alone(self, usage: Usage, neighbour: Usage) -> None:
        await act(usage, "rediger")
        response = await neighbour.http.get(F1, headers=neighbour.headers)
        assert (response.status_code, response.json()["error"]) == (404, "attestation_inconnue")


class TestDeposit:
    async def test_submits_the_pieces_and_asks_for_those_that_are_named(self, usage: Usage) -> None:
        await dossier(usage, prerequisites={"P1": {"fulfilled": True, "evidence_ref": "p1"}})
        await act(usage, "rediger")
        missing = await send(usage, "deposer", DEPOSIT)
        assert (missing.status_code, missing.json()["error"]) == (422, "piece_absente")

        pieces = f"/usage/structures/{FINESS}/dossiers/{SUN}/pieces"
        await usage.http.put(f"{pieces}/p1", content=A_PDF, headers=usage.headers)
        found = await act(usage, "deposer", DEPOSIT)
        assert found["history"][-1]["result"]["pieces"][0]["reference"] == "p1"
        changed = await usage.http.put(
            f"{pieces}/p1", content=A_PDF + b" %%EOF", headers=usage.headers
        )
        assert changed.status_code == 409

    async def test_shows_what_was_declared_beside_what_was_observed(self, usage: Usage) -> None:
        await biology(usage, 9, 20)
        await act(usage, "rediger")
        result = (await act(usage, "deposer", DEPOSIT))["history"][-1]["result"]
        assert result["figures"]["SU4"] == {
            "declared": {"numerator": 10, "denominator": 20},
            "retained": {"numerator": 9, "denominator": 20},
            "gap": 1,
            "status": "met",
        }

    async def test_is_refused_before_the_window_begins(self, usage: Usage) -> None:
        await freeze(usage, "2021-12-31T23:59:59+01:00")
        await act(usage, "rediger")
        early = await send(usage, "deposer", DEPOSIT)
        assert (early.status_code, early.json()["error"]) == (422, "fenetre_a_venir")

    async def test_needs_an_application_where_they_are_enforced(
        self,
        strict: Usage,  # noqa: F811 (the fixture)
    ) -> None:
        await act(strict, "rediger")
        response = await send(strict, "deposer", DEPOSIT)
        assert (response.status_code, response.json()["error"]) == (422, "candidature_absente")

    @pytest.mark.parametrize(
        ("action", "body", "status"),
        [
            ("rediger", {"figures": {"SU9": {"numerator": 1}}}, 400),
            ("rediger", {"figures": {"SU4": {"numerator": 1}}}, 400),
            ("rediger", {"figures": {}}, 400),
            ("deposer", {"function": "x", "attested": False}, 400),
            ("deposer", DEPOSIT, 404),
        ],
    )
    async def test_is_refused_with_what_is_wrong(
        self, usage: Usage, action: str, body: Any, status: int
    ) -> None:
        assert (await send(usage, action, body)).status_code == status


class TestSample:
    async def test_is_drawn_the_same_by_the_same_seed(self, usage: Usage) -> None:
        first = (await examined(usage))["sample"]
        assert (len(first["drawn"]["SU4"]), first["out_of"]) == (4, {"SU4": 10})
        drawn = {}
        for seed in ("controle-1", "controle-2"):
            await act(usage, "refuser", {**DECISION, "reason": "x"})
            await act(usage, "reprendre")
            await act(usage, "deposer", DEPOSIT)
            drawn[seed] = (await act(usage, "instruire", {**EXAMINATION, "seed": seed}))["sample"]
        assert drawn["controle-1"]["drawn"] == first["drawn"]
        assert drawn["controle-2"]["drawn"] != first["drawn"]

    async def test_holds_only_documents_that_count(self, usage: Usage) -> None:
        await usage.consume(*(usage.registered(level="N1") for _ in range(20)))
        found = await examined(usage, good=3)
        assert len(found["sample"]["drawn"]["SU4"]) == 3

    async def test_takes_findings_on_what_was_drawn_alone(self, usage: Usage) -> None:
        await examined(usage)
        other = {
            "indicator": "SU4",
            "document": "00000000-0000-0000-0000-000000000000",
            "kept": False,
        }
        response = await send(usage, "constater", {"findings": [other]})
        assert (response.status_code, response.json()["error"]) == (422, "hors_echantillon")


class TestCorrection:
    async def test_lowers_the_figure_and_pays_by_it_with_both_results(self, usage: Usage) -> None:
        """10 of 20 is 50 %; without two documents 40 %, and 45 were asked for."""
        found = await examined(usage)
        await reject(usage, found, 2)
        corrected = await act(usage, "corriger", {"reason": "INS non qualifiée"})

        result = corrected["history"][-1]["result"]
        assert result["changes"] == [
            {
                "indicator": "SU4", "before": 10, "after": 8, "method": "retrait",
                "reason": "INS non qualifiée", "rejected": 2, "sample": 4,
            }
        ]  # fmt: skip
        assert [result[side]["amount"] for side in ("before", "after")] == ["60000.00", "0.00"]
        assert result["after"]["indicators"]["SU4"]["status"] == "not_met"
        assert result["after"]["groups"]["biology"]["reason"] == "not_reached"

        report = await usage.http.get(
            f"/usage/structures/{FINESS}/report",
            params={"programme": SUN, "window": "F1", "format": "pdf"},
            headers=usage.headers,
        )
        assert report.status_code == 200
        window = (await paid(usage, window="F1"))["windows"][0]
        assert window["indicators"]["SU4"]["value"] == "40.00"
        assert window["control"] == {
            "state": "instruit", "corrected": {"SU4": 8}, "validated": None, "paid": "0",
        }  # fmt: skip
        assert (await act(usage, "valider", DECISION))["amount"] == "0.00"

    async def test_takes_the_share_of_the_sample_from_the_whole(self, usage: Usage) -> None:
        """One of four rejected: three quarters of ten, rounded down."""
        found = await examined(usage)
        await reject(usage, found, 1)
        corrected = await act(usage, "corriger", {"method": "extrapolation", "reason": "x"})
        assert corrected["corrected"] == {"SU4": 7}

    async def test_never_raises_a_figure(self, usage: Usage) -> None:
        await examined(usage)
        more = {"method": "montant", "figures": {"SU4": 11}, "reason": "x"}
        response = await send(usage, "corriger", more)
        assert (response.status_code, response.json()["error"]) == (422, "correction_refusee")
        same = await act(usage, "corriger", {**more, "figures": {"SU4": 10}})
        assert (same["changed"], same["corrected"]) == (False, {})


class TestPayment:
    async def test_pays_an_advance_then_the_balance_each_once(self, usage: Usage) -> None:
        await examined(usage)
        for _ in range(2):
            await act(usage, "payer", {"step": "avance"}, **ADVANCE)
        early = await send(usage, "payer", {"step": "solde"}, **ADVANCE)
        assert (early.status_code, early.json()["error"]) == (409, "etape_prematuree")
        await act(usage, "valider", DECISION)
        for _ in range(2):
            found = await act(usage, "payer", {"step": "solde"}, **ADVANCE)
        assert [(it["step"], it["amount"]) for it in found["payments"]] == [
            ("avance", "30000.00"), ("solde", "30000.00"),
        ]  # fmt: skip
        assert (found["state"], found["paid"]) == ("paye", "60000.00")

    async def test_pays_once_however_many_ask_at_once(self, usage: Usage) -> None:
        await examined(usage)
        await act(usage, "valider", DECISION)
        answers = await asyncio.gather(*(act(usage, "payer", {"step": "solde"}) for _ in range(6)))
        assert sum(it["changed"] for it in answers) == 1
        assert {it["paid"] for it in answers} == {"60000.00"}

    async def test_takes_back_what_a_correction_after_the_payment_leaves_too_much(
        self, usage: Usage
    ) -> None:
        await examined(usage)
        await act(usage, "valider", DECISION)
        await act(usage, "payer", {"step": "solde"})
        nothing = await act(usage, "payer", {"step": "regularisation"})
        assert nothing["changed"] is False
        corrected = await act(
            usage, "corriger", {"method": "montant", "figures": {"SU4": 8}, "reason": "contrôle"}
        )
        assert (corrected["amount"], corrected["paid"]) == ("0.00", "60000.00")
        for _ in range(2):
            found = await act(usage, "payer", {"step": "regularisation"})
        assert [(it["step"], it["amount"]) for it in found["payments"]] == [
            ("solde", "60000.00"), ("regularisation-1", "-60000.00"),
        ]  # fmt: skip
        assert found["paid"] == "0.00"

    async def test_is_told_by_the_payments_whatever_would_be_computed_today(
        self, usage: Usage
    ) -> None:
        await examined(usage)
        await act(usage, "valider", DECISION)
        await act(usage, "payer", {"step": "solde"})
        await dossier(usage, base={"biology": 70_000})

        found = await paid(usage)
        window = found["windows"][0]
        assert window["amount"]["eur"] == "70000.00"
        assert (window["control"]["validated"], window["control"]["paid"]) == ("60000.00",) * 2
        assert found["paid"] == "60000.00"
        text = await usage.http.get(
            f"/usage/structures/{FINESS}/report", params={"programme": SUN, "format": "csv"},
            headers=usage.headers,
        )  # fmt: skip
        assert "F1,attestation,montant payé,60000.00" in text.text

    async def test_is_corrected_by_the_answers_that_it_was_validated_by(self, usage: Usage) -> None:
        """Else what another answer changes would pass for a consequence of the control."""
        await biology(usage, 10, 20)
        await dossier(usage, base={"biology": 150_000})
        await act(usage, "rediger")
        await act(usage, "deposer", DEPOSIT)
        await act(usage, "instruire", EXAMINATION)
        asked = {"option": "K3:none", "allow_unverified": "true"}
        assert (await act(usage, "valider", DECISION, **asked))["amount"] == "150000.00"
        await act(usage, "payer", {"step": "solde"})
        lower = {"method": "montant", "figures": {"SU4": 9}, "reason": "un document"}
        found = await act(usage, "corriger", lower, allow_unverified="true")
        assert (found["amount"], found["options"]) == ("150000.00", {"K3": "none"})

    async def test_takes_back_the_advance_of_what_was_refused(self, usage: Usage) -> None:
        await examined(usage)
        await act(usage, "payer", {"step": "avance"}, **ADVANCE)
        await act(usage, "refuser", {**DECISION, "reason": "x"})
        resumed = await send(usage, "reprendre")
        assert (resumed.status_code, resumed.json()["error"]) == (409, "avance_versee")
        balance = await send(usage, "payer", {"step": "solde"}, **ADVANCE)
        assert balance.status_code == 409
        found = await act(usage, "payer", {"step": "regularisation"})
        assert found["paid"] == "0.00"

    async def test_of_an_advance_is_not_kept_by_withdrawing(self, usage: Usage) -> None:
        await biology(usage, 10, 20)
        await dossier(usage, base={"biology": 60_000})
        await act(usage, "rediger")
        await act(usage, "deposer", DEPOSIT)
        await act(usage, "payer", {"step": "avance"}, **ADVANCE)
        withdrawn = await send(usage, "retirer")
        assert (withdrawn.status_code, withdrawn.json()["error"]) == (409, "avance_versee")

    async def test_of_a_refused_window_leaves_the_domain_to_the_next(self, usage: Usage) -> None:
        await examined(usage)
        await act(usage, "refuser", {**DECISION, "reason": "x"})
        windows = {it["window"]: it for it in (await paid(usage))["windows"]}
        assert windows["F1"]["control"]["state"] == "refuse"
        assert windows["F2"]["groups"]["biology"]["reason"] != "already_paid"
        assert (await paid(usage))["paid"] != "60000.00"

    async def test_needs_an_amount_and_a_step_that_exists(self, usage: Usage) -> None:
        await act(usage, "rediger")
        await act(usage, "deposer", DEPOSIT)
        await act(usage, "instruire", EXAMINATION)
        await act(usage, "valider", DECISION)
        unknown = await send(usage, "payer", {"step": "acompte"})
        assert (unknown.status_code, unknown.json()["error"]) == (400, "etape_inconnue")
        without = await send(usage, "payer", {"step": "solde"})
        assert (without.status_code, without.json()["error"]) == (422, "montant_inconnu")
