"""A vendor's client that never gives up: it repeats a submission until it is answered."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self, TypeVar

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

T = TypeVar("T")


class Vendor:
    def __init__(self, url: str, space: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        self._prefix = f"/s/{space}"
        self._session: Session | None = None
        self._logged_in_at = 0.0
        self.acknowledged: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def prepare(self, at: datetime = DEMO_INSTANT) -> None:
        """The space lives in the first period of SUN-ES, and its patient is qualified."""
        self.set_clock(at)
        self._patiently(lambda: make_known(self._http, self._prefix, Patient()))

    def set_clock(self, at: datetime) -> None:
        clock = {"now": at.isoformat()}
        self._until_answered(lambda: self._http.put(f"{self._prefix}/_sandbox/clock", json=clock))

    def deposit(self, content: bytes | None = None) -> None:
        content = content or laboratory_report()
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

    def get(self, path: str, **query: str) -> httpx.Response:
        """Of the usage service."""
        url = f"{self._prefix}/usage/{path}"
        return self._until_answered(
            lambda: self._http.get(url, params=query, headers=self._headers())
        )

    def put(self, path: str, body: dict[str, object]) -> None:
        self._http.put(
            f"{self._prefix}/usage/{path}", json=body, headers=self._headers()
        ).raise_for_status()

    def declare(self, file: str) -> int:
        """Acts of a CSV file; gives how many were taken."""
        answer = self._http.post(
            f"{self._prefix}/usage/activity",
            content=file.encode(),
            headers={**self._headers(), "Content-Type": "text/csv; charset=utf-8"},
        )
        answer.raise_for_status()
        declared: int = answer.json()["declared"]
        return declared

    def ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        """Of any service, without its space; the JSON of the answer."""
        answer = self._http.request(
            method, f"{self._prefix}{path}", json=body, headers=self._headers()
        )
        answer.raise_for_status()
        return answer.json()

    def count(self) -> int:
        measure = self.get("indicators/SU4", structure=DEMO_STRUCTURE.number, window="F1").json()
        numerator: int = measure["numerator"]["value"]
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
            self._session = self._patiently(lambda: log_in(self._http, self._prefix, AUTHOR))
            self._logged_in_at = monotonic()
        return self._session.headers

    def _patiently(self, step: Callable[[], T]) -> T:
        """A step of the demo, again until every service that it asks is up."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return step()
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
