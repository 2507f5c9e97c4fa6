"""/si-dmp-server/v2/services/{repository,registry}: XDS.b over SOAP (spec: dmp.md §1.1)."""

from collections.abc import Sequence
from typing import cast

from fastapi import APIRouter, Request, Response
from lxml import etree

from services.dmp.api import soap
from services.dmp.api.preferences import policy_of
from services.dmp.api.soap import PREFIX, REPOSITORY
from services.dmp.changes import apply_changes
from services.dmp.domain.validation import Policy
from services.dmp.entries import NewSet
from services.dmp.hot.registrar import Registrar
from services.dmp.lots import LotRefused, provide_lot
from services.dmp.settings import DmpSettings
from services.dmp.traces import trace_readings
from services.dmp.xds.access import Caller
from services.dmp.xds.faults import DmpFault
from services.dmp.xds.message import Message, require_action
from services.dmp.xds.query import answer_query
from services.dmp.xds.responses import registry_response
from services.dmp.xds.retrieve import retrieve
from services.dmp.xds.submission import read_lot
from services.dmp.xds.update import read_update
from socle.auth.dependencies import kernel_of
from socle.errors import Category, DomainError
from socle.http.context import warn
from socle.idgen import uuid7
from socle.ids.ins import Ins
from socle.problems import Problem
from socle.xds import names

router = APIRouter(tags=["XDS.b"])
_TRANSACTIONS = {
    names.PROVIDE: "TD2.1",
    names.RETRIEVE: "TD3.2",
    names.STORED_QUERY: "TD3.1",
    names.UPDATE: "TD3.3",
}
# What a registry says for a refusal that is the server's state and not the sender's fault.
_BUSY = {Category.BUSY: "XDSRepositoryBusy", Category.UNAVAILABLE: "XDSRegistryNotAvailable"}


@router.post(REPOSITORY, response_class=Response)
async def repository(request: Request) -> Response:
    """ITI-41 and ITI-43. The answer is multipart always."""
    message, caller = await soap.read(request)
    require_action(message, (names.PROVIDE, names.RETRIEVE))
    action = names.ANSWERS[message.action]
    await soap.require_right(request, message, caller, _TRANSACTIONS[message.action])
    if message.action == names.RETRIEVE:
        async with kernel_of(request).database.read() as session:
            found = await retrieve(session, caller.space.name, caller.reader, message)
        await trace_readings(kernel_of(request), caller.space, caller.reader, found.read, "xds")
        return soap.multipart(message, action, found.body, found.attachments)
    return soap.multipart(message, action, await _provide(request, message, caller), ())


@router.post(f"{PREFIX}/registry", response_class=Response)
async def registry(request: Request) -> Response:
    """ITI-18 and ITI-57. The answer has the form of the request."""
    message, caller = await soap.read(request)
    require_action(message, (names.STORED_QUERY, names.UPDATE))
    await soap.require_right(request, message, caller, _TRANSACTIONS[message.action])
    answer = _query if message.action == names.STORED_QUERY else _update
    body = await answer(request, message, caller, policy_of(request))
    return soap.answer(message, names.ANSWERS[message.action], body)


async def _query(
    request: Request, message: Message, caller: Caller, policy: Policy
) -> etree._Element:
    kernel, space = kernel_of(request), caller.space.name

    def pseudonymise(cx: str) -> str | None:
        ins = Ins.from_cx(cx, despite_key=policy.is_lenient)
        return kernel.pseudonym(space, ins.oid, ins.matricule) if ins else None

    told: list[Problem] = []
    async with kernel.database.read() as session:
        try:
            body = await answer_query(session, space, caller.reader, message, pseudonymise, told)
        except DomainError as error:
            if error.category is not Category.FORBIDDEN:
                raise
            raise DmpFault("SocleAccessDenied", "L'accès à ce DMP est refusé.", error.problems,
                           relates_to=message.message_id, category=error.category) from None  # fmt: skip
    if cast(DmpSettings, kernel.settings).dmp_authorizations == "off":
        told = [one for one in told if not one.rule.startswith("DMP-ACCESS-")]
    warn(request.scope, told)
    return body


async def _update(
    request: Request, message: Message, caller: Caller, _policy: Policy
) -> etree._Element:
    kernel = kernel_of(request)
    update = read_update(message)
    if update.submission_set is None or update.problems:
        return registry_response(names.FAILURE, update.problems, "XDSMetadataUpdateError")
    metadata = {"xds": update.submission_set.as_json()}
    submission = NewSet(uuid7(), metadata, caller.identifier, caller.space.now())
    named = Ins.from_cx(update.submission_set.patient_id, despite_key=True)
    # An identifier that is none is of nobody, hence of no document's patient.
    patient = kernel.pseudonym(caller.space.name, named.oid, named.matricule) if named else ""
    try:
        async with kernel.database.write() as session:
            await apply_changes(
                session, caller.space, caller.reader, submission, update.changes, patient=patient
            )
    except DomainError as error:
        if not error.problems:
            raise
        return registry_response(names.FAILURE, error.problems, "XDSMetadataUpdateError")
    return registry_response(names.SUCCESS, caller.warnings)


async def _provide(request: Request, message: Message, caller: Caller) -> etree._Element:
    """What is wrong with a lot is an answer of the registry, with HTTP 200, and no SOAP fault."""
    lot = read_lot(message)
    told: list[Problem] = []
    kernel = kernel_of(request)
    policy = policy_of(request)
    registrar = cast(Registrar, request.app.state.registrar)
    try:
        found = await provide_lot(kernel, registrar, caller, policy, lot, told)
        warn(request.scope, told)
    except LotRefused as refused:
        return registry_response(names.FAILURE, refused.problems)
    except DomainError as error:
        if error.category not in (Category.UNPROCESSABLE, Category.CONFLICT, *_BUSY):
            raise
        return registry_response(names.FAILURE, _of_registry(error))
    return registry_response(names.SUCCESS, [*caller.warnings, *found])


def _of_registry(error: DomainError) -> Sequence[Problem]:
    busy = _BUSY.get(error.category)
    if busy is None:
        return error.problems
    return [Problem(busy, "/", error.detail, "the same lot again, in a moment")]
