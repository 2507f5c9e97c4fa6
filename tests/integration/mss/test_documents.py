"""POST /mss/documents: conformant mails from CDA documents."""

import base64
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import httpx
import pytest

from socle.demo.document import laboratory_report
from socle.xdm import take_apart

from .conftest import KIT, KIT_BOX, ROBERT, ROBERT_BOX, Mail

pytestmark = pytest.mark.postgres
NESTED = laboratory_report().replace(
    b"<text>", b"<text>" + b"<list><item>" * 900 + b"x" + b"</item></list>" * 900, 1
)
"""Deeper than Python follows."""
ONE, TWO = laboratory_report(document_id="2.25.1"), laboratory_report(document_id="2.25.2")


def asked(*contents: bytes, action: str = "", **changes: Any) -> dict[str, Any]:
    documents = [
        {"content": base64.b64encode(it).decode(), "action": action} for it in contents or (ONE,)
    ]
    return {"from": KIT_BOX, "to": [ROBERT_BOX], "documents": documents, **changes}


async def post(mail: Mail, query: str = "", **given: Any) -> httpx.Response:
    return await mail.http.post(
        f"/mss/documents{query}", headers=mail.mint.headers(mail.space, KIT), **given
    )


def opened(content: bytes) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


async def received(mail: Mail) -> list[dict[str, Any]]:
    answer = await mail.http.get(
        f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=mail.mint.headers(mail.space, ROBERT)
    )
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


async def test_base64_may_be_broken_into_lines(mail: Mail) -> None:
    wrapped = [{"content": base64.encodebytes(ONE).decode()}]
    answer = await post(mail, json={**asked(), "documents": wrapped})
    assert answer.status_code == 201, answer.text


async def test_a_mail_is_sent_that_passes_every_rule(mail: Mail) -> None:
    answer = await post(mail, json=asked(ONE, TWO, nil="DEV935997", read_receipt=True))
    assert answer.status_code == 201, answer.text
    identifier = answer.json()["id"]
    assert answer.json()["recipients"] == [{"address": ROBERT_BOX, "status": "delivered"}]
    headers = mail.mint.headers(mail.space, ROBERT)
    report = (await mail.http.get(f"/mss/messages/{identifier}/report", headers=headers)).json()
    assert report["outcome"] == "passed", report
    message = opened((await mail.http.get(f"/mss/messages/{identifier}", headers=headers)).content)
    assert message["Subject"] == "XDM/1.0/DDM+2 documents ADRUN ZOE 31/12/1975"
    assert message["X-MSS-CODECDA"] == "11502-2,11502-2"
    names = [part.get_filename() for part in message.iter_attachments()]
    assert names[0] == "IHE_XDM.ZIP"
    assert len(names) == len(set(names)) == 3
    archive = next(message.iter_attachments())
    assert isinstance(archive, EmailMessage)
    package = take_apart(archive.get_content())
    assert [document.content for document in package.documents] == [ONE, TWO]


async def test_it_is_shown_without_being_sent(mail: Mail) -> None:
    answer = await post(mail, "?send=false", json=asked(ONE, action="D", final=True))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "message/rfc822")
    message = opened(answer.content)
    assert message["X-MSS-MES"] == "FIN"
    body = message.get_body()
    assert isinstance(body, EmailMessage)
    assert "supprimer" in body.get_content()
    assert await received(mail) == []


async def test_files_come_by_multipart_too(mail: Mail) -> None:
    answer = await post(
        mail,
        data={"from": KIT_BOX, "to": [ROBERT_BOX, KIT_BOX], "action": "D", "text": "Bonjour"},
        files=[("document", ("a.xml", ONE)), ("document", ("b.xml", TWO))],
    )
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["recipients"]) == 2


@pytest.mark.parametrize("name", ["documents", "document[]", "file"])
async def test_a_file_under_another_name_is_not_left_out(mail: Mail, name: str) -> None:
    answer = await post(
        mail,
        data={"from": KIT_BOX, "to": [ROBERT_BOX]},
        files=[("document", ("a.xml", ONE)), (name, ("b.xml", TWO))],
    )
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    assert (problem["path"], problem["expected"]) == (f"/{name}", "document, for each of them")
    assert await received(mail) == []


async def test_the_same_message_id_is_sent_once(mail: Mail) -> None:
    request = asked(message_id="<again@socle.test>")
    first, second = await post(mail, json=request), await post(mail, json=request)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert len(await received(mail)) == 1


async def test_a_recipient_who_is_unknown_is_named(mail: Mail) -> None:
    nobody = "nobody@socle.mssante.fr"
    some = await post(mail, json=asked(to=[ROBERT_BOX, nobody]))
    refused = some.json()["recipients"][1]
    assert (refused["address"], refused["status"], refused["code"]) == (nobody, "refused", 550)
    none = await post(mail, json=asked(to=[nobody]))
    assert (none.status_code, none.json()["error"]) == (422, "recipients_refused")


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (asked(b"<a/>"), 422, "documents_invalid"),
        (asked(ONE, TWO.replace(b"275126322074", b"279035121518")), 422, "documents_invalid"),
        ({**asked(), "documents": []}, 422, "documents_invalid"),
        ({**asked(), "documents": [{"content": "é"}]}, 422, "documents_invalid"),
        (asked(to=[]), 400, "invalid_request_body"),
        (asked(to=["x\r\nBcc: y@z"]), 400, "invalid_request_body"),
        (asked(subject="a\r\nBcc: y@z"), 201, None),
        (asked(text="\ud800\0".encode("utf-16", "surrogatepass").decode("utf-16", "replace")), 201, None),
        (asked(message_id="x"), 400, "invalid_request_body"),
        (asked(unknown=1), 400, "invalid_request_body"),
        (asked(to=["é@socle.mssante.fr"]), 400, "invalid_request_body"),
        (asked(reply_to='"a b"@x'), 400, "invalid_request_body"),
        (asked(NESTED), 201, None),
        ({**asked(), "from": ROBERT_BOX}, 404, "mailbox_unknown"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told(
    mail: Mail, request_: dict[str, Any], status: int, error: str | None
) -> None:
    answer = await post(mail, json=request_)
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"from": "\\ud800"}'])
async def test_a_body_that_is_none_is_told(mail: Mail, body: bytes) -> None:
    answer = await post(mail, content=body)
    assert answer.status_code == 400


async def test_a_multipart_that_is_none_is_told(mail: Mail) -> None:
    answer = await mail.http.post(
        "/mss/documents",
        content=b"--x\r\n",
        headers={**mail.mint.headers(mail.space, KIT), "Content-Type": "multipart/form-data"},
    )
    assert answer.status_code == 400
