"""The Annuaire Santé by a client that we did not write: HAPI, which the guide of ANS shows."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from .conftest import Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres, pytest.mark.java]
MAILBOX = "kit.doc0042788@socle.mssante.fr"


def test_hapi_searches_walks_reads_and_patches(java: list[str], vendor: Vendor) -> None:
    made = httpx.post(
        f"{vendor.url}/_sandbox/mss/annuaire/keys", json={"write": True}, timeout=60
    ).raise_for_status()
    setting = {
        "base": f"{vendor.url}/fhir/v2",
        "key": made.json()["key"],
        "rpps": "99700427885",
        "mailbox": MAILBOX,
    }
    done = subprocess.run(
        [*java, "fr.socle.clients.AnnuaireClient"],
        env=vendor.setting(**setting),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)

    assert (told["family"], told["included"], told["address"]) == ("DOC0042788", 2, MAILBOX)
    assert len(told["walked"]) == len(set(told["walked"])) == told["total"] > 4
    assert (told["version"], told["hidden"]) == ("2", "true")
    assert told["refused"].startswith("HTTP 400 Bad Request: HAPI-0524: Unknown search parameter")
