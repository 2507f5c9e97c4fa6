"""The settings of a broker that is alone, on loopback, and keeps what it is given."""

from pathlib import Path

HOST = "127.0.0.1"


def server_properties(log_dir: Path, port: int, controller_port: int) -> str:
    listeners = f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller_port}",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(log_dir),
        # Topics are made on purpose, with the number of partitions that their keys need.
        "auto.create.topics.enable": "false",
        # The log is the truth that counters are recounted from (DESIGN.md §4).
        "log.retention.ms": "-1",
        "log.retention.bytes": "-1",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        # One partition: when the coordinator of one group has loaded, all have.
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        # A consumer that joins an empty group is served at once.
        "group.initial.rebalance.delay.ms": "0",
        # Sized for a laptop; the cleaner alone would take a quarter of the heap.
        "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
