"""Counts by the definitions, from all events at once: slow, plain, and without any daily sum."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.usage.domain.period import Period
from socle.events.envelope import Event

REGISTERED = "dmp.document.registered.v1"
DELETED = "dmp.document.deleted.v1"
DECLARED = "usage.activity.declared.v1"
CANCELLED = "usage.activity.cancelled.v1"
ACCEPTED = "mss.message.accepted.v1"


@dataclass(frozen=True)
class Asked:
    """`structure` or `professional` is the subject; neither is everybody."""

    period: Period
    structure: str | None = None
    professional: str | None = None
    version: str = "latest"
    restated: bool = False

    @property
    def closes(self) -> datetime | None:
        return None if self.restated else self.period.ends_at

    def is_of(self, structure: str, professional: str) -> bool:
        if self.structure is not None:
            return structure == self.structure
        return self.professional is None or professional == self.professional


class Oracle:
    def __init__(self, events: Iterable[Event]) -> None:
        once = {event.id: event for event in events}
        self.events = [once[key] for key in sorted(once)]  # the oldest claim of a key holds

    def _data(self, type_: str) -> list[Event]:
        return [event for event in self.events if event.type == type_]

    def chains(self) -> dict[str, list[dict[str, Any]]]:
        versions: dict[tuple[str, str], dict[str, Any]] = {}
        for event in self._data(REGISTERED):
            data = event.data
            versions.setdefault((data["chain_id"], data["logical_id"]), data)
        found: dict[str, list[dict[str, Any]]] = {}
        for (chain, _), data in versions.items():
            found.setdefault(chain, []).append(data)
        return {
            chain: sorted(several, key=lambda it: (at(it["registered_at"]), it["logical_id"]))
            for chain, several in found.items()
        }

    def deletion(self, chain: str) -> datetime | None:
        told = [
            at(e.data["changed_at"]) for e in self._data(DELETED) if e.data["chain_id"] == chain
        ]
        return min(told, default=None)

    def deciding(self, chain: str, asked: Asked) -> dict[str, Any] | None:
        """The version that decides when the period closes; None when nothing is live by then."""
        deleted, closes = self.deletion(chain), asked.closes
        if deleted is not None and (closes is None or deleted < closes):
            return None
        known = [
            it
            for it in self.chains()[chain]
            if (closes is None or at(it["registered_at"]) < closes)
            and (deleted is None or at(it["registered_at"]) < deleted)
        ]
        if not known:
            return None
        return known[-1] if asked.version == "latest" else known[0]

    def acts(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        for event in self._data(DECLARED):
            found.setdefault(key_of(event.data), event.data)
        return found

    def live_acts(self, asked: Asked) -> list[dict[str, Any]]:
        cancelled: dict[tuple[str, str, str], datetime] = {}
        for event in self._data(CANCELLED):
            key, told = key_of(event.data), at(event.data["cancelled_at"])
            cancelled[key] = min(told, cancelled.get(key, told))
        return [
            act
            for key, act in self.acts().items()
            if key not in cancelled or (asked.closes is not None and cancelled[key] >= asked.closes)
        ]

    def act_ids(self, chain: str) -> set[str]:
        """By what a document or any declaration says, however old."""
        uniques = {
            e.data["unique_id"] for e in self._data(REGISTERED) if e.data["chain_id"] == chain
        }
        told = {
            act_id
            for e in self._data(REGISTERED)
            if e.data["unique_id"] in uniques
            for act_id in e.data["acts"]
        }
        return told | {
            e.data["act_id"] for e in self._data(DECLARED) if uniques & set(e.data["documents"])
        }

    def belong(self, act: dict[str, Any], chain: str) -> bool:
        origin = self.chains()[chain][0]
        same = act["structure"] is not None and act["structure"] == structure_of(origin)
        same = same or (
            act["professional"] is not None
            and act["professional"] == origin["author"]["professional"]
        )
        return same and act["act_id"] in self.act_ids(chain)

    def documents(
        self, asked: Asked, types: set[str], levels: set[str], linked_to: str | None = None
    ) -> int:
        count = 0
        for chain, versions in self.chains().items():
            origin, it = versions[0], self.deciding(chain, asked)
            if it is None or at(origin["created_at"]) not in asked.period:
                continue
            if not asked.is_of(structure_of(origin), origin["author"]["professional"] or ""):
                continue
            if it["type_code"] not in types or it["level"] not in levels:
                continue
            if not it["ins"]["qualified"]:
                continue
            if linked_to is not None and not any(
                act["kind"] == linked_to and self.belong(act, chain)
                and (asked.closes is None or at(act["act_at"]) < asked.closes)
                for act in self.live_acts(asked)
            ):  # fmt: skip
                continue
            count += 1
        return count

    def acts_of(self, asked: Asked, kind: str) -> list[dict[str, Any]]:
        return [
            act
            for act in self.live_acts(asked)
            if act["kind"] == kind
            and at(act["act_at"]) in asked.period
            and asked.is_of(act["structure"] or "", act["professional"] or "")
        ]

    def acts_with_document(self, asked: Asked, kind: str, types: set[str]) -> int:
        return sum(
            any(
                (it := self.deciding(chain, asked)) is not None
                and it["type_code"] in types
                and self.belong(act, chain)
                for chain in self.chains()
            )
            for act in self.acts_of(asked, kind)
        )

    def acts_with_message(self, asked: Asked, kind: str) -> int:
        accepted = {
            e.data["message"]: e.time
            for e in reversed(self._data(ACCEPTED))
            if e.data["direction"] == "professional-to-patient"
        }
        told: dict[str, set[str]] = {}
        for event in self._data(DECLARED):
            told.setdefault(event.data["act_id"], set()).update(event.data["messages"])
        return sum(
            any(
                message in accepted and (asked.closes is None or accepted[message] < asked.closes)
                for message in told[act["act_id"]]
            )
            for act in self.acts_of(asked, kind)
        )


def at(value: str) -> datetime:
    return datetime.fromisoformat(value)


def structure_of(data: dict[str, Any]) -> str:
    structure = data["author"]["structure"]
    return structure["number"] if structure else ""


def key_of(data: dict[str, Any]) -> tuple[str, str, str]:
    owner = data["structure"] or "ps:" + data["professional"]
    return data["kind"], owner, data["act_id"]
