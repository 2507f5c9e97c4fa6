"""Locust: laboratories deposit biology reports through the gateway.

locust -f loadtests/locustfile.py --host http://localhost:8080 --users 16 --run-time 1m --headless
"""

import os
from itertools import count

import httpx
from locust import FastHttpUser, constant, events, task
from locust.env import Environment

from loadtests.documents import new_deposit
from socle.clock import monotonic
from socle.demo.document import DEMO_INSTANT
from socle.demo.identity import Patient, make_known
from socle.demo.login import Session, log_in
from socle.demo.walk import AUTHOR

SPACE = os.environ.get("SOCLE_LOAD_SPACE", "load")
DOCUMENT_BYTES = int(os.environ.get("SOCLE_LOAD_BYTES", "12000"))
# PSC's access tokens live 120 s; each user logs in anew before that.
TOKEN_SECONDS = 90
_users = count()


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def prepare_space(environment: Environment, **_: object) -> None:
    """The space's clock stands in a period of SUN-ES, and its patient is qualified."""
    with httpx.Client(base_url=environment.host or "", timeout=30) as http:
        clock = {"now": DEMO_INSTANT.isoformat()}
        http.put(f"/s/{SPACE}/_sandbox/clock", json=clock).raise_for_status()
        make_known(http, f"/s/{SPACE}", Patient())


class Laboratory(FastHttpUser):
    wait_time = constant(0)

    def on_start(self) -> None:
        self.number = next(_users)
        self.login()

    def login(self) -> None:
        with httpx.Client(base_url=self.host or "", timeout=30) as http:
            self.session: Session = log_in(http, f"/s/{SPACE}", AUTHOR)
        self.logged_in_at = monotonic()

    @task
    def deposit(self) -> None:
        if monotonic() - self.logged_in_at > TOKEN_SECONDS:
            self.login()
        self.client.post(
            f"/s/{SPACE}/dmp/fhir",
            data=new_deposit(DOCUMENT_BYTES).body.decode(),
            headers={**self.session.headers, "Content-Type": "application/fhir+json"},
            name="ITI-65",
        )
