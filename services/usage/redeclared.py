"""Acts that are told again in other words: the first telling holds, so that the others would be lost."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.usage.domain.facts import Act, Known
from services.usage.facts_repository import FactStore
from socle.db.database import WriteSession
from socle.problems import Problem

_NO_EVENT: Final = UUID(int=0)


async def contradictions(
    session: WriteSession, space: str, told: Sequence[dict[str, Any]], *, among: bool = True
) -> list[str]:
    """Of each act, as its event says it, what differs from a telling before; empty where nothing does.
    `among`: before in `told`, too."""
    acts = [_act(space, it) for it in told]
    known = Known()
    store = FactStore(session)
    await store.look_up_by_index()
    await store.load_own_acts(known, {it.key for it in acts})
    before = known.acts.setdefault if among else known.acts.get
    return [", ".join(_differences(before(it.key, it), it)) for it in acts]


def contradiction(path: str, differs: str) -> Problem:
    return Problem(
        "ACT-CONTRADICTION", path, f"this act was told before, with {differs}: that would still count",
        "the same words; or cancel it, and declare it under a number of its own",
        source="services/usage/README.md",
    )  # fmt: skip


def _act(space: str, data: dict[str, Any]) -> Act:
    return Act(
        space, data["kind"], data["act_id"], _NO_EVENT, data["structure"] or "",
        data["professional"] or "", data["domain"] or "", data["patient"] or "",
        datetime.fromisoformat(data["act_at"]), " ".join(sorted(data["flags"])),
    )  # fmt: skip


def _differences(there: Act, act: Act) -> Iterator[str]:
    """What an act names (its documents and messages) may be told later; what it is may not."""
    if there.act_at != act.act_at:
        yield "another date"
    if there.domain != act.domain:
        yield "another domain"
    if there.flags != act.flags:
        yield f"{there.flags or 'no flag'} instead of {act.flags or 'none'}"
    if act.professional not in ("", there.professional):
        yield "another professional" if there.professional else "no professional"
    if act.patient not in ("", there.patient):
        yield "another patient" if there.patient else "no patient"
