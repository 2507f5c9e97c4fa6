"""Further mail processes: SMTP and IMAP on the sockets that the first one has bound, and nothing else.

HTTP, MLLP, the couriers and the workers stay in the first, which starts the others again when they end;
they end with it. The kernel gives a connection to whichever process is free. All that they share lies in
PostgreSQL: mail that one accepts wakes who waits for it at another (changes.py). They read the settings of
the environment.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import uvloop

from services.mss.front import Addresses, Front, front_of
from services.mss.listening import Address
from services.mss.seed import seed
from services.mss.settings import MssSettings
from socle.clock import monotonic
from socle.kernel import Kernel
from socle.logs import configure_logging, get_logger
from socle.pki import IssuingCa, SandboxCa
from socle.supervisor import ProcessSpec, RestartPolicy

STOP_SECONDS = 10.0
_PLACES: Final = ("smtp", "imap", "peer", "smtps", "imaps")
_IMPLICIT_TLS: Final = ("smtps", "imaps")
log = get_logger("mss.processes")


@asynccontextmanager
async def further_processes(settings: MssSettings, first: Front) -> AsyncIterator[None]:
    """They run while the block does: SOCLE_MSS_PROCESSES with the one that calls this."""
    shared = {name: [one.fileno() for one in getattr(first, name)] for name in _PLACES}
    tasks = [
        asyncio.create_task(_kept_running(number, shared), name=f"mss.process.{number}")
        for number in range(2, settings.mss_processes + 1)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept_running(number: int, shared: Mapping[str, list[int]]) -> None:
    policy, failures = RestartPolicy(), 0
    while True:
        started = monotonic()
        try:
            code: int | None = await _one_life(number, shared)
        except OSError:  # out of processes or memory
            code = None
        failures = 1 if monotonic() - started >= policy.calm_after else failures + 1
        delay = policy.delay_after(failures)
        log.error("mail_process_ended", process=number, code=code, restarts_in=delay)
        await asyncio.sleep(delay)


async def _one_life(number: int, shared: Mapping[str, list[int]]) -> int:
    """How the process ended. Cancelled, it is asked to stop, and killed where it does not."""
    places = [f"{name}={','.join(map(str, found))}" for name, found in shared.items()]
    argv = [sys.executable, "-m", "services.mss.processes", *places]
    child = await asyncio.create_subprocess_exec(
        *ProcessSpec(f"mss-{number}", argv).launch_command(),
        stdin=asyncio.subprocess.DEVNULL,
        pass_fds=[one for found in shared.values() for one in found],
    )
    try:
        return await child.wait()
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await child.wait()
            except TimeoutError:
                child.kill()
                await child.wait()


def main(places: list[str]) -> None:
    """`places` are `smtp=7`, `imap=8,9`, `smtps=`: the descriptors of the sockets."""
    settings = MssSettings()
    configure_logging(settings, "mss")
    settings.require_database_url()
    shared = dict(place.split("=") for place in places)
    addresses = Addresses(*(_address(name, shared[name]) for name in _PLACES))
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, addresses))


def _address(place: str, shared: str) -> Address:
    descriptors = tuple(int(one) for one in shared.split(",") if one)
    return Address("", None, descriptors, implicit_tls=place in _IMPLICIT_TLS)


async def _serve(settings: MssSettings, addresses: Addresses) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    authority = IssuingCa.open(SandboxCa.open(settings.home / "ca"))
    kernel = Kernel.build("mss", settings, seed)
    try:
        async with front_of(kernel, settings, authority, addresses):
            log.info("mail_process_ready", process=os.getpid())
            await stop.wait()
    finally:
        await kernel.close()


if __name__ == "__main__":
    main(sys.argv[1:])
