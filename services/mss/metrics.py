"""What the mail service counts beside what every process does."""

from prometheus_client import Counter

PURGED = Counter("socle_mss_purged_messages", "Messages whose text was let go by the worker purge")
PURGED_BYTES = Counter("socle_mss_purged_bytes", "Bytes of the texts that were removed")
