"""The walk itself, in the order in which a day at the laboratory goes."""

import os
import time
from imaplib import IMAP4
from pathlib import Path
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.markup import escape

from socle.clock import monotonic
from socle.demo.bundle import provide_bundle
from socle.demo.document import DEMO_INSTANT, DemoDocument, from_file, generated
from socle.demo.errors import DemoError, expect
from socle.demo.identity import find_at_insi, make_known, qualify
from socle.demo.login import Session, log_in
from socle.demo.mail import Mail
from socle.demo.screen import Screen
from socle.idgen import random_uuid
from socle.settings import Settings

AUTHOR, AUTHOR_BOX = "899700427885", "kit.doc0042788@socle.mssante.fr"
READER, READER_BOX = "899700218896", "robert.specialiste0021889@socle.mssante.fr"
COUNTING_PATIENCE_SECONDS = 60


def run_demo(*, document: Path | None, space: str | None, url: str | None) -> int:
    """The exit code: 0 when the document was counted as the rules say."""
    screen = Screen()
    try:
        chosen = from_file(document) if document else generated()
        gateway = (url or Settings().public_url).rstrip("/")
        prefix = f"/s/{space or f'demo-{random_uuid().hex[:8]}'}"
        with screen.http_client(gateway) as http:
            return Walk(screen, http, gateway, prefix, chosen).run()
    except httpx.TransportError as error:
        screen.end(
            f"No answer from the gateway ({escape(str(error))}).\n"
            "Start Socle in another shell (socle up, or make run), or name it with --url.",
            good=False,
        )
    except (DemoError, OSError, SMTPException, IMAP4.error) as error:
        screen.end(f"The demo stopped.\n{escape(str(error))}", good=False)
    return 1


class Walk:
    def __init__(
        self, screen: Screen, http: httpx.Client, gateway: str, prefix: str, document: DemoDocument
    ) -> None:
        self.screen, self.http, self.gateway = screen, http, gateway
        self.prefix, self.document = prefix, document

    def run(self) -> int:
        self.screen.title(
            f"One biology report, from its author's login to the indicator. Space {self.prefix[3:]}."
        )
        self.set_clock()
        author = self.log_in_author()
        self.qualify_patient(author)
        self.deposit(author)
        self.send_by_mail(author)
        return self.show_indicator(author)

    def set_clock(self) -> None:
        instant = self.document.metadata.creation_time if self.document.is_own else DEMO_INSTANT
        self.screen.step("Clock", f"the space lives on {instant:%d %B %Y}")
        expect(
            self.http.put(f"{self.prefix}/_sandbox/clock", json={"now": instant.isoformat()}), 200
        )

    def log_in_author(self) -> Session:
        self.screen.step("Pro Santé Connect", "the author logs in (code, PKCE, e-CPS approved)")
        author = log_in(self.http, self.prefix, AUTHOR)
        self.screen.fact("professional", author.userinfo.get("preferred_username"))
        self.screen.fact("access token lives", f"{author.expires_in} s")
        return author

    def qualify_patient(self, author: Session) -> None:
        patient = self.document.patient
        if self.document.is_own:
            self.screen.step("INS", "the patient of this document is made known as qualified")
            make_known(self.http, self.prefix, patient)
            return
        self.screen.step("INS", "the patient is searched by traits, then qualified")
        ins = find_at_insi(self.http, self.prefix, author, patient)
        self.screen.fact("INS", f"{ins.with_key} (OID {ins.oid})")
        self.screen.fact("status", qualify(self.http, self.prefix, author, patient))

    def deposit(self, author: Session) -> None:
        content, metadata = self.document.content, self.document.metadata
        self.screen.step(
            "DMP", f"ITI-65: a CDA R2 {metadata.level} report of {len(content)} bytes is deposited"
        )
        base = f"{self.prefix}/dmp/fhir"
        bundle = provide_bundle(content, metadata, AUTHOR)
        answer = expect(
            self.http.post(
                base,
                json=bundle,
                headers={**author.headers, "Content-Type": "application/fhir+json"},
            ),
            200,
        ).json()
        self.screen.fact("registered", answer["entry"][1]["response"]["location"])
        self.screen.step("DMP", "ITI-67 finds it, ITI-68 reads it back")
        self._read_back(base, author)

    def _read_back(self, base: str, author: Session) -> None:
        ins = self.document.patient.ins
        found = expect(
            self.http.post(
                f"{base}/DocumentReference/_search",
                data={
                    "patient.identifier": f"urn:oid:{ins.oid}|{ins.with_key}",
                    "status": "current",
                },
                headers=author.headers,
            ),
            200,
        ).json()
        master = found["entry"][0]["resource"]["content"][0]["attachment"]["url"]
        read = expect(self.http.get(master, headers=author.headers), 200)
        if read.content != self.document.content:
            raise DemoError("The bytes that were read are not the bytes that were deposited.")
        self.screen.fact("documents of the patient", found["total"])
        self.screen.fact("read back", f"{len(read.content)} bytes, identical")

    def send_by_mail(self, author: Session) -> None:
        self.screen.step("MSSanté", "the same document goes to a colleague")
        root = expect(self.http.get(f"{self.prefix}/_sandbox/mss/ca.pem"), 200).text
        host = urlsplit(self.gateway).hostname or "localhost"
        mail = Mail(
            self.screen,
            host,
            int(os.environ.get("SOCLE_MSS_SMTP_PORT", "1587")),
            int(os.environ.get("SOCLE_MSS_IMAP_PORT", "1143")),
            root,
        )
        message_id = mail.submit(author, AUTHOR_BOX, READER_BOX, self.document.content)
        reader = log_in(self.http, self.prefix, READER)
        if mail.read(reader, READER_BOX, message_id) != self.document.content:
            raise DemoError("The attachment that was read is not the document that was sent.")
        self.screen.fact("read by the colleague", "identical bytes")

    def show_indicator(self, author: Session) -> int:
        structure = self.document.structure.number
        self.screen.step("Usage", f"the laboratory of {structure} declares the report that it made")
        if self.document.is_own:
            expect(
                self.http.put(
                    f"{self.prefix}/usage/structures/{structure}",
                    json={"name": self.document.structure_name},
                    headers=author.headers,
                ),
                200,
            )
        act = {
            "kind": "report.validated",
            "domain": "biology",
            "structure": structure,
            "act_id": self.document.metadata.unique_id,
            "act_at": self.document.metadata.creation_time.isoformat(),
        }
        expect(
            self.http.post(
                f"{self.prefix}/usage/activity", json={"acts": [act]}, headers=author.headers
            ),
            201,
        )
        return self._end(self._wait_for_count(author, structure))

    def _wait_for_count(self, author: Session, structure: str) -> dict[str, Any]:
        """The event travels by outbox, relay and log: a moment, not an instant.

        The space may hold earlier walks, so what is waited for is that every declared report
        which can count has been counted.
        """
        start, end = self.document.semester
        period = {"structure": structure, "from": start.isoformat(), "to": end.isoformat()}
        deadline = monotonic() + COUNTING_PATIENCE_SECONDS
        while True:
            measure: dict[str, Any] = expect(
                self.http.get(
                    f"{self.prefix}/usage/indicators/SU4", params=period, headers=author.headers
                ),
                200,
            ).json()
            if self._is_counted(measure) or monotonic() > deadline:
                return measure
            time.sleep(0.3)

    def _is_counted(self, measure: dict[str, Any]) -> bool:
        """A level 1 body never counts for SU4, so there is nothing to wait for."""
        numerator, denominator = measure["numerator"]["value"], measure["denominator"]["value"]
        if self.document.metadata.level == "N1":
            return bool(numerator < denominator)
        return bool(numerator == denominator)

    def _end(self, measure: dict[str, Any]) -> int:
        numerator, denominator = measure["numerator"]["value"], measure["denominator"]["value"]
        verdict = "met" if measure["met"] else "not met"
        lines = [
            f"[bold]SU4[/]  {measure['title']}",
            f"{measure['structure']['name']} ({measure['structure']['finess']})",
            f"from {measure['period']['from']} to {measure['period']['to']},"
            f" target of window {measure['window']}",
            f"[bold]{numerator} of {denominator}[/] = {measure['value']['percent']} %,"
            f" target {measure['target']['percent']} %: [bold]{verdict}[/]",
        ]
        if self.document.metadata.level == "N1":
            lines.append("A level 1 body (N1) is kept by the DMP and does not count for SU4.")
        good = self._is_counted(measure)
        self.screen.end("\n".join(lines), good=good)
        return 0 if good else 1
