"""The journey as a newcomer takes it: `socle up`, then `socle demo`."""

import json
import os
from pathlib import Path

import pytest

from socle.testing.stack import Stack
from tests.e2e.support import eventually
from tests.e2e.vendor import Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres]


class TestDemo:
    def test_ends_with_the_indicator_at_one_of_one(self, stack: Stack) -> None:
        demo = stack.run("demo", "--url", stack.url)

        assert demo.returncode == 0, demo.stdout + demo.stderr + stack.last_lines()
        assert "1 of 1" in demo.stdout
        assert "identical bytes" in demo.stdout

    def test_leaves_its_event_on_the_log(self, stack: Stack, space: str) -> None:
        demo = stack.run("demo", "--url", stack.url, "--space", space)
        assert demo.returncode == 0, demo.stdout

        tail = stack.run("events", "tail", "socle.dmp.documents", "--limit", "10000")

        events = [json.loads(line) for line in tail.stdout.splitlines()]
        ours = [event for event in events if event["space"] == space]
        assert ours, tail.stdout + tail.stderr
        # The reading that follows may or may not have been told by now.
        assert ours[0]["type"] == "dmp.document.registered.v1"
        letters = stack.run("events", "dlq", "list").stdout.splitlines()
        # A broker that tests share holds the broken records of others on other topics.
        assert "socle.dmp.documents" not in {json.loads(letter)["topic"] for letter in letters}

    def test_counts_each_walk_in_a_space_of_its_own(self, stack: Stack, space: str) -> None:
        first = stack.run("demo", "--url", stack.url, "--space", f"{space}-one")
        second = stack.run("demo", "--url", stack.url, "--space", f"{space}-two")

        assert first.returncode == second.returncode == 0, first.stdout + second.stdout
        assert "1 of 1" in second.stdout

    def test_counts_no_more_what_the_dmp_deletes(self, stack: Stack, space: str) -> None:
        with Vendor(stack.url, space) as vendor:
            vendor.prepare()
            for _ in range(2):
                vendor.deposit()
            assert eventually(lambda: vendor.count() == 2)
            vendor.delete_one()
            assert eventually(lambda: vendor.count() == 1)

    def test_says_what_to_start_when_nothing_listens(self, stack: Stack) -> None:
        demo = stack.run("demo", "--url", "http://127.0.0.1:9")

        assert demo.returncode == 1
        assert "socle up" in demo.stdout


@pytest.mark.samples
class TestDemoWithOwnDocument:
    @pytest.mark.timeout(600)
    def test_takes_every_published_biology_report(self, stack: Stack, space: str) -> None:
        folder = os.environ.get("SOCLE_SAMPLES")
        if not folder:
            pytest.skip("SOCLE_SAMPLES names no folder of published documents")
        reports = [
            path
            for path in sorted(Path(folder).rglob("*.xml"))
            if b'code="11502-2"' in path.read_bytes()[:20_000]
        ]
        assert reports

        for number, report in enumerate(reports):
            demo = stack.run(
                "demo",
                "--url",
                stack.url,
                "--document",
                str(report),
                "--space",
                f"{space}-{number}",
            )
            assert demo.returncode == 0, f"{report.name}\n{demo.stdout}{demo.stderr}"


class TestStop:
    def test_is_clean_and_data_is_there_again(self, home: Path) -> None:
        with Stack(home) as stack:
            assert stack.run("demo", "--url", stack.url, "--space", "kept").returncode == 0
            assert stack.stop() == 0
            stack.start()
            again = stack.run("demo", "--url", stack.url, "--space", "kept")
        # A second report in the same space: two of two, so the first was kept.
        assert "2 of 2" in again.stdout, again.stdout
