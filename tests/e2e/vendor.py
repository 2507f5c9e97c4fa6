"""A vendor's client that never gives up: it repeats a submission until it is answered."""

import time
from collections.abc import Callable
from typing import Self

import httpx

from socle.cda.header import read_header
from socle.cda.metadata import metadata_of
from socle.clock import monotonic
from socle.demo.bundle import provide_bundle
from socle.demo.document import DEMO_INSTANT, DEMO_STRUCTURE, laboratory_report
from socle.demo.errors import DemoError
from socle.demo.identity import Patient, make_known
from socle.demo.login import Session, log_in
from socle.demo.walk import AUTHOR

PATIENCE_SECONDS = 90


class Vendor:
    def __init__(self, url: str, space: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=20)
        self._prefix = f"/s/{space}"
        self._session: Session | None = None
        self._logged_in_at = 0.0
        self.acknowledged: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def prepare(self) -> None:
        """The space lives in the first period of SUN-ES, and its patient is qualified."""
        clock = {"now": DEMO_INSTANT.isoformat()}
        self._http.put(f"{self._prefix}/_sandbox/clock", json=clock).raise_for_status()
        make_known(self._http, self._prefix, Patient())

    def deposit(self) -> None:
        content = laboratory_report()
        bundle = provide_bundle(content, metadata_of(read_header(content), content), AUTHOR)
        answer = self._until_answered(
            lambda: self._http.post(
                f"{self._prefix}/dmp/fhir",
                json=bundle,
                headers={**self._headers(), "Content-Type": "application/fhir+json"},
            )
        )
        location = answer.json()["entry"][2]["response"]["location"]
        self.acknowledged[location.partition("/_history")[0]] = content

    def delete_one(self) -> None:
        """As TD3.3c by FHIR, of the document that was acknowledged first."""
        binary = next(iter(self.acknowledged))
        self._http.patch(
            f"{self._prefix}/dmp/fhir/DocumentReference/{binary.removeprefix('Binary/')}",
            json=[{"op": "replace", "path": "/status", "value": "entered-in-error"}],
            headers={**self._headers(), "Content-Type": "application/json-patch+json"},
        ).raise_for_status()

    def count(self) -> int:
        response = self._http.get(
            f"{self._prefix}/usage/indicators/SU4",
            params={"structure": DEMO_STRUCTURE.number, "window": "F1"},
            headers=self._headers(),
        )
        response.raise_for_status()
        numerator: int = response.json()["numerator"]["value"]
        return numerator

    def readable(self) -> int:
        """How many acknowledged documents read back byte for byte."""
        return sum(
            self._http.get(f"{self._prefix}/dmp/fhir/{binary}", headers=self._headers()).content
            == content
            for binary, content in self.acknowledged.items()
        )

    def _headers(self) -> dict[str, str]:
        """Access tokens live 120 s; this client logs in again in good time."""
        if self._session is None or monotonic() - self._logged_in_at > 60:
            self._session = self._logged_in()
            self._logged_in_at = monotonic()
        return self._session.headers

    def _logged_in(self) -> Session:
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return log_in(self._http, self._prefix, AUTHOR)
            except (httpx.TransportError, DemoError):
                if monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def _until_answered(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                response = send()
                if response.status_code < 500:
                    response.raise_for_status()
                    return response
                failure: Exception = httpx.HTTPError(response.text)
            except httpx.TransportError as error:
                failure = error
            if monotonic() > deadline:
                raise failure
            time.sleep(0.3)
