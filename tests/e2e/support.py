"""What the tests of the whole stack share besides fixtures."""

import time
from collections.abc import Callable

import httpx

from socle.clock import monotonic


def kafka_environment(bootstrap: str) -> dict[str, str]:
    return {"SOCLE_EVENTS": "kafka", "SOCLE_KAFKA_BOOTSTRAP": bootstrap}


def eventually(check: Callable[[], bool], seconds: float = 120) -> bool:
    """`seconds` bound failures alone."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        try:
            if check():
                return True
        except httpx.HTTPError:
            pass  # a service is being restarted
        time.sleep(0.5)
    return False
