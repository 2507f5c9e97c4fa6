"""Declared acts: the denominators, which the DMP alone cannot know (spec: usage.md §12)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a structure, such as a validated biology report; `act_id` is the vendor's own."""

    kind: str
    structure: str
    act_id: str
    domain: str
    act_at: datetime
