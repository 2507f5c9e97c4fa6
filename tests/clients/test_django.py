"""mozilla-django-oidc (PyPI): a Django site, its session refresh and its logout."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import GENERALIST, Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
PARTY = Path(__file__).parent / "django_party.py"


def test_visitor_is_logged_in_renewed_silently_and_logged_out(vendor: Vendor) -> None:
    done = subprocess.run(
        [sys.executable, str(PARTY)],
        env=vendor.setting(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {
        "callback": 302,
        "asks_again_silently": True,
        "again": 302,
        "id_token": True,
        "users": [[GENERALIST, "DOC0042788"]],
        "session_after_logout": False,
    }
