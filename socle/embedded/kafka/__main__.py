"""`scripts/kafka`: start, stop and status of the broker, and Kafka's own command-line tools."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from socle.embedded.errors import EmbeddedServerError
from socle.embedded.kafka.answers import answers
from socle.embedded.kafka.broker import DEFAULT_PORT, EmbeddedKafka
from socle.embedded.kafka.jars import ensure_jars, java_command

TOOLS = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
}
TOOL_HEAP = "256m"

USAGE = """scripts/kafka start | stop | status
       scripts/kafka tool console-consumer --topic socle.dmp.documents --from-beginning
       scripts/kafka tool console-producer | groups | topics [options of Kafka]
       scripts/kafka tool <class> [options of Kafka]"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/kafka",
        usage=USAGE,
        description="One Kafka broker (KRaft) without Docker. Settings: SOCLE_HOME (.socle), "
        "SOCLE_KAFKA_PORT (9092), SOCLE_KAFKA_BOOTSTRAP (use that broker and start none).",
    )
    parser.add_argument("command", choices=["start", "stop", "status", "tool"])
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    given = os.environ.get("SOCLE_KAFKA_BOOTSTRAP")
    try:
        kafka = EmbeddedKafka(Path(os.environ.get("SOCLE_HOME") or ".socle"), port=_port())
        if asked.command in ("start", "stop", "status"):
            if asked.rest:
                parser.error(f"{asked.command} takes no further arguments")
            return _control(asked.command, kafka, given)
        return _tool(asked.rest, kafka, given or kafka.bootstrap)
    except (EmbeddedServerError, OSError) as error:
        _say(f"kafka: {error}")
        return 1


def _port() -> int:
    text = os.environ.get("SOCLE_KAFKA_PORT") or str(DEFAULT_PORT)
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise EmbeddedServerError(f"SOCLE_KAFKA_PORT is {text!r}; a port is a number up to 65535.")
    return int(text)


def _control(command: str, kafka: EmbeddedKafka, given: str | None) -> int:
    if given:
        return _control_given(command, given)
    if command == "start":
        _say(f"Starting Kafka in {kafka.folder} (the first time, Maven brings 45 MB of jars) …")
        kafka.start()
        _say(f"Kafka runs (process {kafka.pid}, log {kafka.log_file}).")
        _print_setting(kafka.bootstrap)
        return 0
    if command == "stop":
        _say("Kafka has stopped." if kafka.stop() else "Kafka does not run.")
        return 0
    if not kafka.running:
        _say("Kafka does not run.")
        return 3  # as in LSB: "program is not running"
    usable = answers(kafka.bootstrap)
    state = "answers" if usable else "runs but does not answer"
    _say(f"Kafka {state} on {kafka.bootstrap} (process {kafka.pid}).")
    return 0 if usable else 1


def _control_given(command: str, bootstrap: str) -> int:
    """A broker that is not ours is looked at, neither started nor stopped."""
    if command == "stop":
        _say(f"SOCLE_KAFKA_BOOTSTRAP is set: {bootstrap} is not ours to stop.")
        return 0
    if not answers(bootstrap):
        raise EmbeddedServerError(
            f"no broker answers at {bootstrap} (SOCLE_KAFKA_BOOTSTRAP). Start it, or unset the "
            "variable to have one started here."
        )
    _say(f"The broker of SOCLE_KAFKA_BOOTSTRAP answers at {bootstrap}.")
    if command == "start":
        _print_setting(bootstrap)
    return 0


def _tool(rest: list[str], kafka: EmbeddedKafka, bootstrap: str) -> int:
    """Becomes the tool. Those we name are told where the broker is; a class gets what it is given."""
    if not rest or (rest[0] not in TOOLS and "." not in rest[0]):
        raise EmbeddedServerError(f"`tool` needs one of {', '.join(TOOLS)}, or a Java class.")
    ensure_jars(kafka.libs)
    name, *options = rest
    if name in TOOLS and "--bootstrap-server" not in options:
        options = ["--bootstrap-server", bootstrap, *options]
    java_class = TOOLS.get(name, name)
    command = [*java_command(kafka.libs, heap=TOOL_HEAP), java_class, *options]
    os.execv(command[0], command)  # noqa: S606 - a terminal program takes our place


def _say(text: str) -> None:
    """For people. Standard output carries the setting alone, for `eval "$(scripts/kafka start)"`."""
    sys.stderr.write(f"{text}\n")


def _print_setting(bootstrap: str) -> None:
    sys.stdout.write(f"SOCLE_KAFKA_BOOTSTRAP={bootstrap}\n")


if __name__ == "__main__":
    sys.exit(main())
