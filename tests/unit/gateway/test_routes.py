import pytest

from gateway.routes import ROUTES, Access, find
from socle.http.render import render_json, render_outcome, render_soap


class TestFind:
    @pytest.mark.parametrize(
        ("path", "service", "access"),
        [
            ("/auth/realms/esante-wallet", "psc", Access.OPEN),
            ("/auth", "psc", Access.OPEN),
            ("/lps", "ins", Access.SERVICE),
            ("/ins/identities/status", "ins", Access.BEARER),
            ("/dmp/fhir", "dmp", Access.BEARER),
            ("/dmp/fhir/DocumentReference/1", "dmp", Access.BEARER),
            ("/dmp/fhir/metadata", "dmp", Access.OPEN),
            ("/dmp/fhir/metadata2", "dmp", Access.BEARER),
            ("/si-dmp-server/v2/services/repository", "dmp", Access.SERVICE),
            ("/mss/messages", "mss", Access.BEARER),
            ("/fhir/v2/Practitioner", "mss", Access.SERVICE),
            ("/usage/indicators/SU4", "usage", Access.BEARER),
            ("/_sandbox/ins/people", "ins", Access.SERVICE),
            ("/_sandbox/psc/docs", "psc", Access.SERVICE),
            ("/_sandbox/clock", "usage", Access.SERVICE),
            ("/_sandbox/faults", "usage", Access.SERVICE),
        ],
    )
    def test_gives_the_most_specific_route(self, path: str, service: str, access: Access) -> None:
        route = find(path)
        assert route is not None
        assert (route.service, route.access) == (service, access)

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "",
            "/insight",
            "/DMP/fhir",
            "/dmp",
            "/_sandbox",
            "/_sandbox/journal",
            "/_sandbox/clocks",
            "/readyz",
            "//auth",
            "/fhir/v1/Practitioner",
        ],
    )
    def test_gives_none_when_no_service_holds_the_path(self, path: str) -> None:
        assert find(path) is None


class TestTable:
    def test_holds_no_prefix_twice(self) -> None:
        prefixes = [route.prefix for route in ROUTES]
        assert len(set(prefixes)) == len(prefixes)

    @pytest.mark.parametrize(
        ("path", "render"),
        [
            ("/dmp/fhir/metadata", render_outcome),
            ("/fhir/v2/x", render_outcome),
            ("/lps", render_soap),
            ("/si-dmp-server/x", render_soap),
            ("/usage/x", render_json),
        ],
    )
    def test_refuses_in_the_dialect_of_the_path(self, path: str, render: object) -> None:
        route = find(path)
        assert route is not None
        assert route.render is render
