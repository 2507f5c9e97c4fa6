"""What the INS service counts beside what every process does."""

from prometheus_client import Counter

VERIFIED = Counter("socle_ins_verified_lines", "Lines of batches compared with the register")
