"""The log on Kafka, through aiokafka: idempotent producer, acks=all, offsets kept by consumers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from aiokafka.structs import ConsumerRecord

from socle.events.log import Batch, LoadPosition, LogUnavailableError, Record, StoredRecord
from socle.events.topics import ALL_TOPICS
from socle.logs import get_logger

log = get_logger("events.kafka_log")


class KafkaLog:
    def __init__(self, bootstrap: str, *, client: str, partitions: int = 6) -> None:
        self._bootstrap = bootstrap
        self._client = client
        self._partitions = partitions
        self._producer: AIOKafkaProducer | None = None

    async def identity(self) -> str:
        """By the cluster's own id: a broker that was made anew begins at offset 0 again."""
        async with self._admin() as admin:
            cluster = await admin.describe_cluster()
        return f"kafka:{cluster['cluster_id']}"

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, client_id=self._client)
        try:
            await admin.start()
            yield admin
        except (KafkaError, OSError) as error:
            raise LogUnavailableError(str(error)) from error
        finally:
            await admin.close()

    async def ensure_topics(self) -> None:
        """Creates the topics that are missing; their records are kept for ever by default.

        The log is the truth that counters are recounted from (DESIGN.md §4).
        """
        async with self._admin() as admin:
            existing = set(await admin.list_topics())
            missing = [
                NewTopic(
                    name=name,
                    num_partitions=self._partitions,
                    replication_factor=-1,
                    replica_assignments={},  # with -1: the broker's own default, as aiokafka wants it
                    topic_configs={"retention.ms": "-1"},
                )
                for name in ALL_TOPICS
                if name not in existing
            ]
            if missing:
                _check_created(await admin.create_topics(missing))

    async def _started_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            await self.ensure_topics()
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client,
                enable_idempotence=True,
                acks="all",
                request_timeout_ms=10_000,
            )
            # Known before it starts, so that `close` stops it in any case.
            self._producer = producer
            await producer.start()
        return self._producer

    async def append(self, records: Sequence[Record]) -> None:
        """Sends the whole batch, then awaits it: an await per record costs a round trip each."""
        try:
            producer = await self._started_producer()
            sent = [
                await producer.send(
                    record.topic,
                    key=record.key.encode(),
                    value=record.value,
                    headers=[(name, value.encode()) for name, value in record.headers.items()],
                )
                for record in records
            ]
            async with asyncio.timeout(30):
                await asyncio.gather(*sent)
        except (KafkaError, OSError, TimeoutError) as error:
            # What was sent is unknown: the producer is thrown away with its buffer, and the
            # relay sends the batch again, in order. Consumers drop what they have seen.
            await self._discard()
            raise LogUnavailableError(repr(error)) from error

    @asynccontextmanager
    async def reader(
        self, consumer: str, topics: Sequence[str], load_position: LoadPosition
    ) -> AsyncIterator["KafkaReader"]:
        client = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client,
            group_id=consumer,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        reader = KafkaReader(client, load_position)
        client.subscribe(list(topics), listener=_SeekToStored(reader))
        try:
            await self.ensure_topics()
            await client.start()
            yield reader
        except (KafkaError, OSError) as error:
            raise LogUnavailableError(repr(error)) from error
        finally:
            await client.stop()

    async def read(self, topic: str, after: int, limit: int) -> list[StoredRecord]:
        client = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, client_id=self._client)
        try:
            await client.start()
            await client._client.force_metadata_update()  # no public way in 0.14
            partitions = sorted(client.partitions_for_topic(topic) or ())
            wanted = [TopicPartition(topic, partition) for partition in partitions]
            # Assigned once: with a new assignment per partition, aiokafka 0.14 can hang in `stop`.
            client.assign(wanted)
            ends = await client.end_offsets(wanted)
            found: list[StoredRecord] = []
            for where in wanted:
                client.seek(where, after)
                while len(found) < limit and await client.position(where) < ends[where]:
                    messages = await client.getmany(where, timeout_ms=2000, max_records=limit)
                    found += [_stored(message) for message in messages.get(where, [])]
            return found[:limit]
        except (KafkaError, OSError) as error:
            raise LogUnavailableError(repr(error)) from error
        finally:
            await client.stop()

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._stop(producer)

    async def _stop(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(5):
                await producer.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("producer_not_stopped_cleanly", error=repr(error))

    async def _discard(self) -> None:
        """Ends the producer without the flush that its `stop` waits for.

        Left to itself it would go on sending, behind its successor's back, when the broker returns.
        """
        producer, self._producer = self._producer, None
        if producer is None:
            return
        # aiokafka 0.14 has no public way. The sender goes first: it would trip over failed batches.
        with suppress(KafkaError):
            await producer._sender.close()
        producer._message_accumulator.fail_all(KafkaError("given up"))
        await self._stop(producer)


@dataclass
class KafkaReader:
    client: AIOKafkaConsumer
    _load_position: LoadPosition

    async def fetch(self, limit: int, wait_seconds: float) -> list[Batch]:
        found = await self.client.getmany(timeout_ms=int(wait_seconds * 1000), max_records=limit)
        return [
            Batch(where.topic, where.partition, [_stored(message) for message in messages])
            for where, messages in found.items()
            if messages
        ]

    async def committed(self, batch: Batch) -> None:
        """Tells Kafka too, for its lag tools; what counts is the offset beside the results."""
        where = TopicPartition(batch.topic, batch.partition)
        try:
            await self.client.commit({where: batch.next_offset})
        except KafkaError as error:
            log.info("offset_not_shown_to_kafka", error=repr(error))

    async def reload(self, topic: str, partition: int) -> None:
        where = TopicPartition(topic, partition)
        if where in self.client.assignment():
            self.client.seek(where, await self._load_position(topic, partition) or 0)

    async def seek_all(self, assigned: list[TopicPartition]) -> None:
        for where in assigned:
            self.client.seek(where, await self._load_position(where.topic, where.partition) or 0)


class _SeekToStored(ConsumerRebalanceListener):  # type: ignore[misc]
    """After a rebalance each partition goes on from where its results say, not from Kafka's word."""

    def __init__(self, reader: KafkaReader) -> None:
        self._reader = reader

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Nothing to flush: results and offsets are committed together, or not at all."""

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        await self._reader.seek_all(list(assigned))


def _check_created(response: Any) -> None:
    """aiokafka hands on the broker's codes unread; that another process was faster is fine."""
    for topic, code, message in response.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise KafkaError(f"topic {topic} could not be created: {message} (error {code})")


def _stored(message: "ConsumerRecord[bytes, bytes]") -> StoredRecord:
    headers = {name: value.decode("utf-8", "replace") for name, value in message.headers}
    key = (message.key or b"").decode("utf-8", "replace")
    return StoredRecord(Record(message.topic, key, message.value or b"", headers), message.offset)
