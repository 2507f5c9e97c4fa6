"""One mail that is hard to read hides no other: each way to the messages shows all of them."""

import pytest

from tests.unit.mss.test_hostile_mail import FIELDS

from .conftest import KIT_BOX, ROBERT, ROBERT_BOX, Mail

pytestmark = pytest.mark.postgres
MAILS = [field + b"\r\nX: y\r\n\r\n--\r\n\r\nbonjour\r\n" for field in FIELDS]
ITEMS = "(UID ENVELOPE BODYSTRUCTURE BODY INTERNALDATE BODY.PEEK[HEADER.FIELDS (From)] BODY.PEEK[])"


async def test_every_mail_is_listed_read_and_reported_on(mail: Mail) -> None:
    for content in MAILS:
        answer = await mail.http.post(
            f"/s/{mail.space}/_sandbox/mss/mailboxes/{ROBERT_BOX}/eml",
            content=content,
            headers={"Content-Type": "message/rfc822"},
        )
        assert answer.status_code == 201, (content[:80], answer.text)
    headers = mail.mint.headers(mail.space, ROBERT)
    listed = await mail.http.get(f"/mss/mailboxes/{ROBERT_BOX}/messages", headers=headers)
    assert listed.status_code == 200
    found = [one["id"] for one in listed.json()["messages"]]
    assert len(found) == len(MAILS)
    for message in found:
        read = await mail.http.get(f"/mss/messages/{message}", headers=headers)
        assert read.content in MAILS

    def work() -> tuple[int, list[bytes]]:
        with mail.imap() as client:
            client.select()
            shown = client.fetch("1:*", ITEMS)[1]
            searched = [
                client.uid("SEARCH", *keys)[1][0]
                for keys in (("TEXT", "bonjour"), ("SENTSINCE", "1-Jan-2026"), ("FROM", '"x"'))
            ]
            client.noop()
            return sum(isinstance(one, tuple) for one in shown), searched

    shown, searched = await mail.run(work)
    assert shown >= len(MAILS)
    assert len(searched[0].split()) >= len(MAILS) - 3


async def test_every_mail_is_taken_by_smtp_and_has_a_report(mail: Mail) -> None:
    def work() -> list[str]:
        with mail.smtp() as client:
            taken = []
            for field in FIELDS:
                client.mail(KIT_BOX)
                client.rcpt(ROBERT_BOX)
                code, text = client.data(b"X-MSS-NIL: DEV1\r\n" + field + b"\r\n\r\nbonjour\r\n")
                if len(field) > 998:
                    assert code == 500
                    continue
                assert code == 250, (field[:80], text)
                taken.append(text.rsplit(b" ", 1)[1].decode())
            return taken

    headers = mail.mint.headers(mail.space)
    for message in await mail.run(work):
        answer = await mail.http.get(f"/mss/messages/{message}/report", headers=headers)
        rules = {one["id"] for one in answer.json()["rules"]}
        assert "MSS-NIL" in rules
        assert "MSS-READABLE" not in rules


@pytest.mark.parametrize("name", ["%00", "a%00b@socle.mssante.fr", "%ED%A0%80@x", "a" * 300])
async def test_no_name_of_a_mailbox_in_a_path_is_a_server_error(mail: Mail, name: str) -> None:
    headers = mail.mint.headers(mail.space, ROBERT)
    for method, path in (
        ("GET", f"/mss/mailboxes/{name}/messages"),
        ("DELETE", f"/mss/mailboxes/{name}/messages"),
        ("POST", f"/_sandbox/mss/mailboxes/{name}/eml"),
        ("POST", f"/mss/mailboxes/{name}/delegations"),
        ("PATCH", f"/_sandbox/mss/mailboxes/{name}"),
        ("POST", f"/_sandbox/mss/mailboxes/{name}/certificates"),
    ):
        answer = await mail.http.request(method, path, headers=headers, content=b"{}")
        assert 400 <= answer.status_code < 500, (method, path, answer.text)


@pytest.mark.parametrize(
    "change",
    [
        {"label": "a\0b"}, {"label": "Accueil\r\nBcc: x@y"}, {"structure": "\0"}, {"owners": ["\0"]},
        {"address": "a\0b@socle.mssante.fr"},
    ],
)  # fmt: skip
async def test_a_mailbox_is_described_in_lines_of_text(
    mail: Mail, change: dict[str, object]
) -> None:
    """Its label stands in From, and in the directory."""
    made = {
        "address": "new@socle.mssante.fr",
        "kind": "ORG",
        "label": "Accueil",
        "owners": [ROBERT],
    }
    answer = await mail.http.post(
        f"/s/{mail.space}/_sandbox/mss/mailboxes", json={**made, **change}
    )
    assert answer.status_code in (400, 422), answer.text
