"""The envelope of every event: CloudEvents 1.0, JSON format.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError

from socle.errors import Category, DomainError
from socle.idgen import uuid7

Model = TypeVar("Model", bound=BaseModel)


class InvalidEventError(ValueError):
    """Bytes on the log that are no event of ours."""


@dataclass(frozen=True)
class Event:
    """A fact, in the past tense. `id` is the idempotence key, `key` keeps order on the log.

    `time` is the space's. `data` holds identifiers and codes only: no document body, no name,
    no INS; patients by pseudonym (socle/pseudonyms.py).
    """

    type: str
    source: str
    subject: str
    space: str
    time: datetime
    data: dict[str, Any]
    id: UUID
    traceparent: str = ""

    @classmethod
    def new(
        cls,
        type_: str,
        *,
        source: str,
        subject: str,
        space: str,
        time: datetime,
        data: dict[str, Any],
        traceparent: str = "",
    ) -> "Event":
        return cls(type_, source, subject, space, time, data, uuid7(), traceparent)

    @cached_property
    def value(self) -> bytes:
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": str(self.id),
                "type": self.type,
                "source": self.source,
                "subject": self.subject,
                "time": self.time.isoformat(timespec="milliseconds"),
                "datacontenttype": "application/json",
                "space": self.space,
                **({"traceparent": self.traceparent} if self.traceparent else {}),
                "data": self.data,
            }
        )

    @classmethod
    def parse(cls, value: bytes) -> "Event":
        """Reads the envelope strictly; the type's own schema is the handler's business."""
        try:
            raw = orjson.loads(value)
            if raw["specversion"] != "1.0":
                raise InvalidEventError(f"specversion {raw['specversion']!r} is not 1.0")
            return cls(
                type=str(raw["type"]),
                source=str(raw["source"]),
                subject=str(raw["subject"]),
                space=str(raw["space"]),
                time=datetime.fromisoformat(raw["time"]),
                data=dict(raw["data"]),
                id=UUID(raw["id"]),
                traceparent=str(raw.get("traceparent", "")),
            )
        except InvalidEventError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidEventError(f"not a CloudEvents 1.0 event: {error!r}") from error


def parse_data(model: type[Model], event: Event) -> Model:
    """The event's data; an event of the right type in the wrong shape can never be handled."""
    try:
        return model.model_validate(event.data)
    except ValidationError as error:
        fields = ", ".join("/".join(map(str, entry["loc"])) for entry in error.errors())
        raise DomainError(
            Category.INCORRECT, "event_shape", f"{event.type} lacks or misstates {fields}"
        ) from error
