"""/usage/…/attainments/{programme}/{window}: the attestation that targets are reached, control and payment."""

from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel

from services.usage import attainments as use_cases
from services.usage.api.calculations import AllowUnverified
from services.usage.api.declaring import Declaring
from services.usage.api.payments import Options, Whose, options_of
from services.usage.api.rules import Slug
from services.usage.attainments import Attainment
from services.usage.domain.attainments import (
    Action,
    Correction,
    Decision,
    Deposit,
    Draft,
    Examination,
    Findings,
    Payment,
    possible,
)
from services.usage.settings import UsageSettings
from socle.auth.dependencies import CallerSpace, Professional, kernel_of
from socle.db.sessions import ReadSession, WriteSession

router = APIRouter(
    prefix="/usage/{kind}/{number}/attainments/{programme}/{window}", tags=["attainments"]
)
OF_THE_BENEFICIARY = frozenset({"rediger", "deposer", "retirer", "reprendre"})
"""Acts of the one that declares; the others are of the authority that controls and pays."""
Window = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]


class _Acting:
    """Who acts on which attestation."""

    def __init__(
        self,
        of: Whose,
        programme: Slug,
        window: Window,
        request: Request,
        space: CallerSpace,
        session: WriteSession,
        caller: Professional,
        declaring: Declaring,
        option: Options = [],  # noqa: B006 (FastAPI copies defaults)
        allow_unverified: AllowUnverified = False,
    ) -> None:
        self._where = (session, space, programme, of, window)
        self._by = caller.national_id
        self._declaring = declaring
        self._options = options_of(option)
        self._allow_unverified = allow_unverified
        settings = cast(UsageSettings, kernel_of(request).settings)
        self._enforced = settings.usage_applications == "enforce"

    async def act(self, action: Action, request: BaseModel | None) -> dict[str, Any]:
        if action in OF_THE_BENEFICIARY:
            await self._declaring.check_for(self._where[3])
        found, changed = await use_cases.act(
            *self._where, action, request,
            by=self._by, options=self._options, allow_unverified=self._allow_unverified,
            applications_enforced=self._enforced,
        )  # fmt: skip
        return {**_json(found), "changed": changed}


Acting = Annotated[_Acting, Depends(_Acting)]


@router.get("")
async def read_attainment(
    of: Whose, programme: Slug, window: Window, space: CallerSpace, session: ReadSession
) -> dict[str, Any]:
    """As it stands, what is possible next, its whole history and what was paid of it."""
    return _json(await use_cases.read(session, space, programme, of, window))


@router.put("")
async def draft(acting: Acting, body: Draft) -> dict[str, Any]:
    """The figures that one declares, as in oSIS; they may change until the deposit."""
    return await acting.act("rediger", body)


@router.post("/deposer")
async def deposit(acting: Acting, body: Deposit) -> dict[str, Any]:
    """The director attests; the pieces of the dossier are submitted, and change no more."""
    return await acting.act("deposer", body)


@router.post("/retirer")
async def withdraw(acting: Acting) -> dict[str, Any]:
    """Before anybody examines it."""
    return await acting.act("retirer", None)


@router.post("/instruire")
async def examine(acting: Acting, body: Examination) -> dict[str, Any]:
    """Draws a sample of the documents behind each figure: the same seed, the same documents."""
    return await acting.act("instruire", body)


@router.post("/constater")
async def find(acting: Acting, body: Findings) -> dict[str, Any]:
    """What the control found of documents of the sample."""
    return await acting.act("constater", body)


@router.post("/corriger")
async def correct(acting: Acting, body: Correction) -> dict[str, Any]:
    """Lowers figures, and computes the payment anew with both results and why."""
    return await acting.act("corriger", body)


@router.post("/valider")
async def validate(acting: Acting, body: Decision) -> dict[str, Any]:
    return await acting.act("valider", body)


@router.post("/refuser")
async def refuse(acting: Acting, body: Decision) -> dict[str, Any]:
    return await acting.act("refuser", body)


@router.post("/reprendre")
async def resume(acting: Acting) -> dict[str, Any]:
    """After a refusal, from a draft again."""
    return await acting.act("reprendre", None)


@router.post("/payer")
async def pay(acting: Acting, body: Payment) -> dict[str, Any]:
    """A step of the programme, each once; `regularisation` pays or takes back what changed afterwards."""
    return await acting.act("payer", body)


def _json(it: Attainment) -> dict[str, Any]:
    content = it.content
    return {
        "state": it.state,
        "possible": possible(it.state),
        "changed_at": it.changed_at,
        "figures": {code: each.model_dump() for code, each in content.draft.figures.items()},
        "deposit": content.deposit and content.deposit.model_dump(),
        "sample": content.sample and content.sample.model_dump(mode="json"),
        "corrected": content.corrected,
        "amount": content.amount,
        "groups": content.groups,
        "options": content.options,
        "refused_for": content.refused_for or None,
        "payments": [
            {"step": row.step, "amount": str(row.amount), "paid_at": row.paid_at}
            for row in it.payments
        ],
        "paid": str(it.paid),
        "history": [
            {
                "action": row.action,
                "state": row.state,
                "by": row.by,
                "at": row.at,
                "request": orjson.loads(row.request),
                "result": orjson.loads(row.result),
            }
            for row in it.history
        ],
    }
