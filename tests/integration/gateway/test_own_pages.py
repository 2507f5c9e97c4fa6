"""What the gateway answers itself: probes, the landing page, the merged journal."""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from socle.testing.tokens import TokenMint

from .conftest import Running, Service, Start


class TestReadiness:
    async def test_is_true_when_every_service_is_ready(self, running: Running) -> None:
        answer = await running.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})

    async def test_names_the_service_that_is_away(self, start: Start, closed_port: str) -> None:
        async with start(ins_url=closed_port) as running:
            answer = await running.http.get("/readyz")
        assert answer.status_code == 503
        assert [problem["path"] for problem in answer.json()["problems"]] == ["ins"]

    async def test_is_false_when_a_service_is_not_ready_yet(
        self, running: Running, service: Service
    ) -> None:
        async def answer(_request: Request) -> Response:
            return Response(status_code=503)

        service.answer = answer
        assert (await running.http.get("/readyz")).status_code == 503
        assert (await running.http.get("/livez")).status_code == 200


class TestMetrics:
    async def test_counts_the_requests_of_the_gateway(self, running: Running) -> None:
        await running.http.get("/auth/x")
        text = (await running.http.get("/metrics")).text
        assert 'socle_requests_total{method="GET",service="gateway",status="200"}' in text


class TestLandingPage:
    async def test_shows_what_to_configure_for_the_space_of_the_path(
        self, running: Running
    ) -> None:
        page = (await running.http.get("/s/acme/")).text
        for shown in (
            "http://localhost:8080/s/acme/dmp/fhir",
            "899700427885",
            "robert.specialiste0021889@socle.mssante.fr",
            "socle-demo-secret",
            "socle demo",
        ):
            assert shown in page

    async def test_loads_nothing_and_runs_nothing(self, running: Running) -> None:
        answer = await running.http.get("/")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert re.findall(r"<(?:script|link|img|iframe)|\son\w+=|\sstyle=|url\(", answer.text) == []
        assert '<html lang="fr">' in answer.text

    async def test_says_which_service_is_away(self, start: Start, closed_port: str) -> None:
        async with start(mss_url=closed_port) as running:
            page = (await running.http.get("/")).text
        assert page.count("injoignable") == 1
        assert page.count(">prêt<") == 4

    async def test_answers_head_without_a_body(self, running: Running) -> None:
        answer = await running.http.head("/")
        assert (answer.status_code, answer.content) == (200, b"")


class TestJournal:
    async def test_merges_all_processes_newest_first(
        self, start: Start, service: Service, closed_port: str, mint: TokenMint
    ) -> None:
        async def answer(request: Request) -> Response:
            if not request.url.path.endswith("/_sandbox/journal"):
                return Response()
            old = {"at": "2001-01-01T00:00:00Z", "path": "/old"}
            new = {"at": "2099-01-01T00:00:00+00:00", "path": "/new"}
            return JSONResponse([new, old])

        service.answer = answer
        async with start(psc_url=closed_port) as running:
            await running.http.get("/s/acme/usage/x?patient=1", headers=mint.headers("acme"))
            await running.http.get("/s/other/usage/x", headers=mint.headers("other"))
            found = (await running.http.get("/s/acme/_sandbox/journal?limit=50")).json()
        assert found["missing"] == ["psc"]
        assert [entry["path"] for entry in found["entries"]] == (
            ["/new"] * 4 + ["/usage/x"] + ["/old"] * 4
        )
        assert found["entries"][4]["service"] == "gateway"
        assert service.seen[-1].target == b"/s/acme/_sandbox/journal?limit=50"

    async def test_holds_the_refusals_of_the_gateway(self, running: Running) -> None:
        await running.http.get("/usage/x")
        found = (await running.http.get("/_sandbox/journal?refused=true")).json()
        assert [entry["refusal"] for entry in found["entries"]] == ["token_missing"]

    async def test_is_refused_when_sandbox_mode_is_off(self, start: Start) -> None:
        async with start(sandbox=False) as running:
            answer = await running.http.get("/_sandbox/journal")
        assert (answer.status_code, answer.json()["error"]) == (403, "sandbox_off")


class TestUnknownPath:
    async def test_answers_404(self, running: Running, service: Service) -> None:
        for path in ("/nothing", "/insight", "/dmp", "/s/acme/nothing"):
            assert (await running.http.get(path)).status_code == 404
        assert service.seen == []

    async def test_answers_400_when_the_space_cannot_be_one(self, running: Running) -> None:
        answer = await running.http.get("/s/Not_A_Space/auth/x")
        assert (answer.status_code, answer.json()["error"]) == (400, "space_name")
