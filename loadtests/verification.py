"""`python -m loadtests.verification`: what the gateway's check of an access token costs, a call each.

A token is verified in full when it is first seen, and found by its hash until it expires.
"""

import asyncio
import platform
from statistics import quantiles
from time import perf_counter

from rich.console import Console
from rich.table import Table

from loadtests.bench import processor
from socle.auth.tokens import TokenVerifier
from socle.testing.tokens import TokenMint

TOKENS = 3000
ROUNDS = 20


async def measure() -> dict[str, list[float]]:
    """Microseconds of each call."""
    mint = TokenMint()
    tokens = [mint.token("bench", nonce=str(number)) for number in range(TOKENS)]
    verifier = TokenVerifier(mint, mint.public_url, "bench")  # type: ignore[arg-type]
    return {
        "first time (RS256)": [await _timed(verifier, token) for token in tokens],
        "remembered": [await _timed(verifier, token) for token in tokens * ROUNDS],
    }


async def _timed(verifier: TokenVerifier, token: str) -> float:
    started = perf_counter()
    await verifier.verify(token)
    return (perf_counter() - started) * 1e6


def main() -> None:
    table = Table(title="Verification of an access token")
    for column in ("", "per second", "p50 µs", "p95 µs", "p99 µs"):
        table.add_column(column, justify="right")
    for name, microseconds in asyncio.run(measure()).items():
        cuts = quantiles(microseconds, n=100)
        rate = len(microseconds) / sum(microseconds) * 1e6
        table.add_row(name, f"{rate:,.0f}", *(f"{cuts[p - 1]:.1f}" for p in (50, 95, 99)))
    console = Console(width=100)
    console.print(table)
    console.print(f"One core of {processor()}, Python {platform.python_version()}.")


if __name__ == "__main__":
    main()
