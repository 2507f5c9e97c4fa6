"""The topics, and which event type travels on which."""

from enum import StrEnum


class Topic(StrEnum):
    PSC_SESSIONS = "socle.psc.sessions"
    INS_IDENTITIES = "socle.ins.identities"
    DMP_DOCUMENTS = "socle.dmp.documents"
    MSS_MESSAGES = "socle.mss.messages"
    USAGE_ACTIVITY = "socle.usage.activity"


DEAD_LETTER_SUFFIX = ".dlq"
ALL_TOPICS: tuple[str, ...] = tuple(
    name for topic in Topic for name in (topic.value, topic.value + DEAD_LETTER_SUFFIX)
)

_TOPIC_OF_PREFIX = {
    "psc.session.": Topic.PSC_SESSIONS,
    "ins.identity.": Topic.INS_IDENTITIES,
    "dmp.document.": Topic.DMP_DOCUMENTS,
    "mss.message.": Topic.MSS_MESSAGES,
    "usage.activity.": Topic.USAGE_ACTIVITY,
    "usage.attestation.": Topic.USAGE_ACTIVITY,
}


def topic_of(event_type: str) -> Topic:
    for prefix, topic in _TOPIC_OF_PREFIX.items():
        if event_type.startswith(prefix):
            return topic
    raise ValueError(f"no topic carries events of type {event_type!r}")
