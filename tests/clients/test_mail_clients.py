"""Mail by the libraries that vendors write their mail with: Angus Mail (JavaMail), nodemailer, imapflow."""

import hashlib
import json
import subprocess
from typing import Any

import httpx
import pytest

from socle.demo.login import log_in

from .conftest import GENERALIST, Scripts, Vendor

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
SPECIALIST = "899700218896"
CONTENT = "PK — pas vraiment une archive"
SENT = {
    "sender": "kit.doc0042788@socle.mssante.fr",
    "recipient": "robert.specialiste0021889@socle.mssante.fr",
    "subject": "Résultat d'hémoglobine glyquée",
    "text": "Ci-joint le dosage de l'hémoglobine.",
    "word": "HÉMOGLOBINE",
    "fileName": "Compte rendu d'été, de la consultation du 12 janvier.zip",
    "content": CONTENT,
}


@pytest.fixture
def setting(vendor: Vendor) -> dict[str, str]:
    """Of a space of its own: what a client must know, and what it shall send."""
    stack = vendor.stack
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        sender, recipient = (
            log_in(http, f"/s/{vendor.space}", who).access_token for who in (GENERALIST, SPECIALIST)
        )
    return vendor.setting(
        **SENT,
        smtpPort=str(stack.ports["mss_smtp"]),
        imapPort=str(stack.ports["mss_imap"]),
        ca=str(stack.home / "ca" / "root.pem"),
        senderToken=sender,
        recipientToken=recipient,
    )


def check(told: dict[str, Any]) -> None:
    """What both tell: the text arrived with its accents, the attachment byte for byte."""
    assert told["refused"].strip() == (
        "550 5.1.1 Recipient address rejected: no such mailbox in this space"
    )
    assert told["found"] == 1
    assert (told["subject"], told["fileName"]) == (SENT["subject"], SENT["fileName"])
    assert told["sha256"] == hashlib.sha256(CONTENT.encode()).hexdigest()


@pytest.mark.java
def test_angus_mail_sends_searches_reads_and_files(
    java: list[str], setting: dict[str, str]
) -> None:
    done = subprocess.run(
        [*java, "fr.socle.clients.MailClient"],
        env=setting,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    check(told)
    assert (told["text"], told["seen"]) == (SENT["text"], True)
    assert told["capabilities"] == ["IDLE", "MOVE", "NAMESPACE", "UIDPLUS"]
    assert told["walked"] == [
        "INBOX", "Dossiers", "Dossiers/Été & hiver", "Drafts", "Sent", "Trash"
    ]  # fmt: skip
    assert (told["subscribed"], told["flags"], told["left"], told["sent"]) == (
        False, ["classe"], 0, 1
    )  # fmt: skip
    assert (told["renamed"], told["deleted"], told["quotaRoot"]) == (True, True, "")


def test_nodemailer_sends_and_imapflow_waits_reads_and_files(
    scripts: Scripts, setting: dict[str, str]
) -> None:
    told = scripts.start("mail.js", setting).told()
    check(told)
    assert (told["count"], told["seen"], told["moved"], told["quota"]) == (1, False, 1, "INBOX")
    assert told["folders"] == {
        "INBOX": [0, True, "\\Inbox"],
        "Sent": [0, True, "\\Sent"],
        "Drafts": [0, True, "\\Drafts"],
        "Trash": [0, True, "\\Trash"],
        "Dossiers": [0, None, ""],
        "Dossiers/Été & hiver": [1, True, ""],
    }
