"""Whether a broker can be used: it answers, and the coordinator of its consumer groups has loaded."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

PROBE_GROUP = "socle-readiness"
NO_ERROR, GROUP_ID_NOT_FOUND = 0, 69  # of the Kafka protocol; both come from a loaded coordinator
TIMEOUT_MS = 3000


def answers(bootstrap: str) -> bool:
    """For callers with or without a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coordinator_answers(bootstrap)).result()


async def coordinator_answers(bootstrap: str) -> bool:
    if not await _port_is_open(bootstrap):
        return False  # the usual case while a broker starts; aiokafka would log it as an error
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    try:
        await client.start()
        coordinator = await client.find_coordinator(PROBE_GROUP)
        described = await client.describe_consumer_groups([PROBE_GROUP], coordinator)
        return all(
            group[0] in (NO_ERROR, GROUP_ID_NOT_FOUND)
            for response in described
            for group in response.groups
        )
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
        logger.setLevel(level)


async def _port_is_open(bootstrap: str) -> bool:
    """Of any of the servers, which are separated by commas."""
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(TIMEOUT_MS / 1000):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
            return True
        except (OSError, TimeoutError, ValueError):
            continue
    return False
