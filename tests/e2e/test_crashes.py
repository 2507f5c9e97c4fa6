"""Processes die at the worst moments; nothing acknowledged is lost, nothing is counted twice."""

import threading
import time
from pathlib import Path

import pytest

from socle.testing.stack import Stack
from tests.e2e.support import eventually
from tests.e2e.vendor import Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres, pytest.mark.timeout(400)]

# Each process dies by SIGKILL the n-th time it passes the place, then again n passes after its
# restart: between commit and answer, between send and mark, inside a consumer's transaction.
FAILPOINTS = "dmp.committed=9,relay.sent=6,consumer.applied=5"
DOCUMENTS = 40


def deposit_all(vendor: Vendor) -> None:
    for _ in range(DOCUMENTS):
        vendor.deposit()


class TestKilledProcesses:
    def test_lose_no_acknowledged_document_and_count_each_once(
        self, home: Path, log_environment: dict[str, str], space: str
    ) -> None:
        extra = {**log_environment, "SOCLE_FAILPOINTS": FAILPOINTS}
        with Stack(home, extra) as stack, Vendor(stack.url, space) as vendor:
            vendor.prepare()
            deposit_all(vendor)

            assert eventually(lambda: vendor.count() == DOCUMENTS), stack.last_lines()
            time.sleep(2)  # a second count of the same event would come now
            assert vendor.count() == DOCUMENTS
            acknowledged = vendor.acknowledged
            log = stack.log_file.read_text()
        # The failpoints did strike.
        assert "dmp was killed by SIGKILL" in log
        # Reading is told too: with the failpoints in place it would be struck down again and again.
        with Stack(home, log_environment) as stack, Vendor(stack.url, space) as vendor:
            vendor.acknowledged = acknowledged
            assert eventually(lambda: vendor.readable() == DOCUMENTS), stack.last_lines()

    def test_of_postgresql_loses_nothing(
        self, home: Path, log_environment: dict[str, str], space: str
    ) -> None:
        with Stack(home, log_environment) as stack, Vendor(stack.url, space) as vendor:
            vendor.prepare()
            sender = threading.Thread(target=deposit_all, args=(vendor,))
            sender.start()
            for _ in range(2):
                time.sleep(0.7)
                stack.kill_postgres()
                time.sleep(3)
            sender.join(120)

            assert eventually(lambda: vendor.count() == DOCUMENTS), stack.last_lines()
            assert eventually(lambda: vendor.readable() == DOCUMENTS), stack.last_lines()
