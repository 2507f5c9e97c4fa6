"""Each rule against a right mail in which one thing was made wrong."""

import random
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from typing import Any

import pytest

from services.mss.domain.lint import report as rules_of_report
from services.mss.domain.lint.mail import Passage
from services.mss.domain.lint.report import RULES
from socle.cda.samples import SampleAuthor, SamplePatient
from socle.cda.samples_families import SAMPLES, sample_document
from socle.demo.document import laboratory_report
from socle.ids.structures import StructureId
from socle.pdf import Line, write_pdf
from socle.xdm import SourceDocument

from .mails import (
    AT,
    CDA,
    COLLEAGUE,
    DOCUMENT,
    PATIENT,
    SENDER,
    edited,
    report,
    setting,
    told,
    written,
)

PLAIN = "bonjour"


def test_a_right_mail_passes_every_rule_that_applies() -> None:
    found = report(written())
    assert found.outcome == "passed"
    idle = {it.rule.id for it in found.verdicts if it.outcome == "not-applicable"}
    assert idle == {"MSS-THREAD", "MSS-REPLY-TO", "MSS-ACTION"}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_mail_with_any_sample_of_ours_passes(name: str) -> None:
    """Level 1 too: what they encapsulate is a PDF/A-1."""
    patient = SamplePatient(
        DOCUMENT.patient, "D'ÉXEMPLE-DUPONT", ("Zoé", "Anne"), date(1975, 12, 31), "F", "63220"
    )
    author = SampleAuthor("99700427885", "DOC", "KIT", StructureId("finess", "1B0064166"), "CH")
    content = sample_document(name, patient, author, created_at=AT)
    assert told(written(documents=(SourceDocument.of(content),))) == {}


def test_several_documents_and_a_replacement_pass_too() -> None:
    content = CDA.replace(
        b"  <componentOf>",
        b'  <relatedDocument typeCode="RPLC"><parentDocument><id root="2.25.9"/></parentDocument>'
        b"</relatedDocument>\n  <componentOf>",
    )  # fmt: skip
    other = laboratory_report(document_id="2.25.2")
    documents = (SourceDocument.of(content, "C"), SourceDocument.of(other))
    assert told(written(documents=documents)) == {}


def test_every_rule_has_its_own_id_and_says_what_it_rests_on() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.source and rule.title for rule in RULES)
    # Only what an RFC or nobody asks for has no requirement.
    assert {rule.id for rule in RULES if not (rule.eco or rule.segur)} == {
        "MSS-ORIGIN", "MSS-LINES",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("X-MSS-NIL", None, {"MSS-NIL": "failed"}),
        ("X-MSS-NIL", "un produit !", {"MSS-NIL": "failed"}),
        ("X-MSS-CODECDA", None, {"MSS-CODECDA": "failed"}),
        ("X-MSS-CODECDA", "34112-3", {"MSS-CODECDA": "failed"}),
        ("X-MSS-CODECDA", "11502-2,34112-3", {"MSS-CODECDA": "failed"}),
        ("X-MSS-INS", None, {"MSS-INS": "failed"}),
        ("X-MSS-INS", "oui", {"MSS-INS": "failed"}),
        ("X-MSS-INS", "N", {"MSS-INS": "warning"}),
        ("X-MSS-MES", "fin", {"MSS-MES": "failed"}),
        ("X-MSS-MES", None, {}),
        ("Message-ID", None, {"MSS-MESSAGE-ID": "failed"}),
        ("Message-ID", "un", {"MSS-MESSAGE-ID": "failed"}),
        ("In-Reply-To", "<0@x>", {"MSS-THREAD": "failed"}),
        ("References", "<0@x>", {"MSS-THREAD": "failed"}),
        ("Reply-To", "a@exemple.fr", {"MSS-REPLY-TO": "failed"}),
        ("From", "Dr_Kit_DOC <autre@socle.mssante.fr>", {"MSS-ORIGIN": "warning"}),
        ("From", SENDER, {"MSS-LABEL": "failed"}),
        ("From", f"Kit Doc <{SENDER}>", {"MSS-LABEL": "failed"}),
        ("From", f"Kit_Doc <{SENDER}>", {"MSS-LABEL": "failed"}),
        ("From", f"Kit_DOC <{SENDER}>", {}),
        ("Date", None, {"MSS-ORIGIN": "failed"}),
        ("Disposition-Notification-To", COLLEAGUE, {"MSS-MDN": "warning"}),
        ("Subject", "Vos résultats", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+Examens ADRUN ZOE 31/12/1975", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+2 documents ADRUN ZOE", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+CR d'examens biologiques Adrun ZOE", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+CR d'examens biologiques ADRUN Zoé", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+CR d'examens biologiques DUPONT ZOE", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+CR d'examens biologiques ADRUN ZOE 30/12/1975", {"MSS-SUBJECT": "failed"}),
        ("Subject", "XDM/1.0/DDM+CR d'examens biologiques ADRUN ZOE", {}),
        ("Subject", "XDM/1.0/DDM+CR d'examens biologiques ADRUN Zoe 31/12/1975", {}),
        ("Subject", "Re: [KO Intégration système !][902] XDM/1.0/DDM+CR d'examens biologiques ADRUN ZOE",
         {"MSS-THREAD": "failed"}),
    ],
)  # fmt: skip
def test_a_header_is_looked_at(name: str, value: str | None, expected: dict[str, str]) -> None:
    assert told(edited(setting(name, value))) == expected


def test_the_headers_of_documents_are_absent_where_there_is_none() -> None:
    mail = EmailMessage()
    mail["From"] = f"Kit_DOC <{SENDER}>"
    mail["Date"] = "Thu, 26 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = "<1@x>"
    mail["X-MSS-NIL"] = "DEV1"
    mail.set_content(PLAIN)
    assert told(mail.as_bytes(policy=SMTP), [COLLEAGUE]) == {}
    mail["X-MSS-CODECDA"] = "11502-2"
    mail["X-MSS-INS"] = "O"
    mail["X-MSS-MES"] = "FIN"
    assert told(mail.as_bytes(policy=SMTP), [COLLEAGUE]) == {
        "MSS-CODECDA": "failed", "MSS-INS": "failed", "MSS-MES": "failed",
    }  # fmt: skip


def test_ins_is_no_o_without_the_four_traits() -> None:
    without = CDA.replace(b'<given qualifier="BR">', b'<given qualifier="CL">')
    content = written(documents=(SourceDocument.of(without),))
    assert b"X-MSS-INS: N\r\n" in content
    claimed = content.replace(b"X-MSS-INS: N", b"X-MSS-INS: O")
    assert told(claimed)["MSS-INS"] == "failed"


def html_only(mail: EmailMessage) -> None:
    mail.get_payload(0).replace_header("Content-Type", "text/html; charset=utf-8")  # type: ignore[union-attr]


def latin(mail: EmailMessage) -> None:
    part = mail.get_payload(0)
    assert isinstance(part, EmailMessage)
    part.set_content("déjà", charset="iso-8859-1")


def renamed(index: int, name: str) -> Callable[[EmailMessage], None]:
    def change(mail: EmailMessage) -> None:
        part = mail.get_payload(index)
        assert isinstance(part, EmailMessage)
        part.set_param("filename", name, header="Content-Disposition")

    return change


def without(index: int) -> Callable[[EmailMessage], None]:
    def change(mail: EmailMessage) -> None:
        parts = mail.get_payload()
        assert isinstance(parts, list)
        del parts[index]

    return change


def bare(mail: EmailMessage) -> None:
    mail.add_attachment(CDA, maintype="text", subtype="xml", filename="cda.xml")


def second_archive(mail: EmailMessage) -> None:
    again = mail.get_payload(1).get_payload(decode=True)  # type: ignore[union-attr]
    mail.add_attachment(again, maintype="application", subtype="zip", filename="ihe_xdm.zip")


def not_pdfa(mail: EmailMessage) -> None:
    mail.get_payload(2).set_payload("%PDF-1.4\n%%EOF")  # type: ignore[union-attr]
    mail.get_payload(2).replace_header("Content-Transfer-Encoding", "7bit")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (html_only, {"MSS-BODY": "failed"}),
        (latin, {"MSS-CHARSET": "failed"}),
        (bare, {"MSS-XDM": "failed"}),
        (second_archive, {"MSS-XDM": "failed", "MSS-SUBJECT": "failed", "MSS-PDF": "failed"}),
        (without(2), {"MSS-PDF": "failed"}),
        (not_pdfa, {"MSS-PDF": "failed"}),
        (renamed(1, "ihe_xdm.zip"), {}),
        (renamed(1, "documents.zip"), {"MSS-XDM": "failed", "MSS-CODECDA": "failed", "MSS-INS": "failed", "MSS-SUBJECT": "failed"}),
        (renamed(2, "resultats.pdf"), {"MSS-PDF-NAME": "failed"}),
        (renamed(2, "20200101_CR_d_examens_biologiques_ADRUN_ZOE.pdf"), {"MSS-PDF-NAME": "warning"}),
        (renamed(2, "20220315_CR d'examens biologiques_ADRUN_Zoé_42.pdf"), {}),
    ],
)  # fmt: skip
def test_a_part_is_looked_at(
    change: Callable[[EmailMessage], None], expected: dict[str, str]
) -> None:
    assert told(edited(change)) == expected


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        ({"tls": "TLSv1"}, {"MSS-TLS": "failed"}),
        ({"tls": ""}, {"MSS-TLS": "failed"}),
        ({"tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}, {}),
        ({"cipher": "AES128-SHA"}, {"MSS-CIPHER": "failed"}),
        ({"mechanism": "OAUTHBEARER"}, {"MSS-AUTH": "warning"}),
        ({"sender_kind": "APP", "mechanism": "EXTERNAL"}, {"MSS-REPLY-TO": "warning"}),
        ({"sender_kind": "ORG"}, {}),
        ({"asks_delivery_report": False}, {}),
        ({"protocol": "http", "tls": "", "mechanism": ""}, {}),
    ],
)
def test_the_passage_is_looked_at(passage: dict[str, Any], expected: dict[str, str]) -> None:
    assert told(written(), **passage) == expected


class TestPatients:
    def test_another_patient_is_never_sent_a_document_unseen(self) -> None:
        other = "114027526005480@patient.mssante.fr"
        assert told(written(), [other]) == {"MSS-USER-ADDRESS": "failed"}

    def test_an_address_is_an_ins_with_its_key(self) -> None:
        wrong = f"{PATIENT[:13]}00@patient.mssante.fr"
        assert told(written(), [wrong]) == {"MSS-USER-ADDRESS": "failed"}

    def test_fin_is_for_patients_only(self) -> None:
        assert told(written(), [COLLEAGUE]) == {"MSS-MES": "failed"}


class TestArchive:
    def test_metadata_that_disagree_with_the_document_are_told(self) -> None:
        def change(files: dict[str, bytes]) -> None:
            metadata = files["IHE_XDM/SUBSET01/METADATA.XML"]
            files["IHE_XDM/SUBSET01/METADATA.XML"] = metadata.replace(
                DOCUMENT.patient.with_key.encode(), b"279035121518989"
            ).replace(b'value="2.25.1"', b'value="2.25.2"')

        found = told(edited(repacked(change)))
        assert found == {"MSS-CDA": "failed", "MSS-PATIENT-ID": "failed"}

    def test_what_is_no_cda_is_told(self) -> None:
        found = told(
            edited(repacked(lambda it: it.update({"IHE_XDM/SUBSET01/DOC00001.XML": b"<a/>"})))
        )
        assert found["MSS-CDA"] == found["MSS-XDM"] == "failed"

    def test_an_unknown_action_is_told(self) -> None:
        odd = SourceDocument.of(CDA, "X")  # type: ignore[arg-type]
        found = told(written(documents=(odd,), text="Bonjour"))
        assert found == {"MSS-ACTION": "failed"}

    def test_a_replacement_names_what_it_replaces(self) -> None:
        assert told(written(documents=(SourceDocument.of(CDA, "C"),))) == {"MSS-ACTION": "failed"}
        assert told(written(documents=(SourceDocument.of(CDA, "D"),))) == {}


def repacked(change: Callable[[dict[str, bytes]], object]) -> Callable[[EmailMessage], None]:
    def edit(mail: EmailMessage) -> None:
        part = mail.get_payload(1)
        assert isinstance(part, EmailMessage)
        with zipfile.ZipFile(BytesIO(part.get_content())) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
        change(files)
        out = BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        part.set_content(
            out.getvalue(), maintype="application", subtype="zip", filename="IHE_XDM.ZIP"
        )

    return edit


class TestHostile:
    def test_nothing_is_raised_whatever_bytes_change(self) -> None:
        content, draw = written(), random.Random(7)
        for _ in range(60):
            broken = bytearray(content)
            for _ in range(draw.randint(1, 200)):
                broken[draw.randrange(len(broken))] = draw.randrange(256)
            report(bytes(broken))

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"\0", b"\r\n\r\n", b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a--",
            b"Content-Type: text/plain; charset=\xff\r\n\r\n\xff", b"From: \xff <a>\r\nSubject: =?x?b?/?=\r\n\r\n",
            b"Content-Type: multipart/alternative; boundary=a\r\n\r\n",
            b"Content-Disposition: attachment; filename*=x''%ff\r\nContent-Type: application/zip\r\n\r\nPK",
            b"Content-Type: message/rfc822\r\n\r\n" * 50,
        ],
    )  # fmt: skip
    def test_nothing_is_raised_for_what_is_hardly_a_mail(self, content: bytes) -> None:
        assert report(content, [PATIENT, "x", ""]).outcome == "failed"

    def test_no_finding_shows_a_name_or_a_number_of_the_patient(self) -> None:
        wrong = edited(
            setting("Subject", "XDM/1.0/DDM+Chose DURAND Paul"), sender_label="Paul Durand"
        )
        findings = repr(
            [it.findings for it in report(wrong, [f"{PATIENT[:13]}00@patient.mssante.fr"]).verdicts]
        )
        for secret in ("DURAND", "Durand", "ADRUN", DOCUMENT.patient.matricule):
            assert secret not in findings


@pytest.mark.parametrize(
    "wrong",
    [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n.\r\n", b"a\0b\r\n", b"a" * 999 + b"\r\n"],
)
def test_lines_are_those_that_mail_has(wrong: bytes) -> None:
    raw = (
        b"From: Kit_DOC <"
        + SENDER.encode()
        + b">\r\nX-MSS-NIL: DEV1\r\nMessage-ID: <1@x>\r\nDate: x\r\n\r\n"
    )
    assert told(raw + b"b" * 998 + b"\r\n", [COLLEAGUE]) == {}
    assert told(raw + wrong, [COLLEAGUE]) == {"MSS-LINES": "failed"}


def test_attachments_that_outlook_has_sealed_are_told() -> None:
    def seal(mail: EmailMessage) -> None:
        sealed = b"\x78\x9f\x3e\x22" + bytes(20)
        mail.add_attachment(
            sealed, maintype="application", subtype="ms-tnef", filename="winmail.dat"
        )

    assert told(edited(seal)) == {"MSS-XDM": "warning"}


def test_an_archive_under_another_name_is_seen_with_backslashes_too() -> None:
    def rename(mail: EmailMessage) -> None:
        content = b"PK\x03\x04....IHE_XDM\\SUBSET01\\METADATA.XML"
        mail.add_attachment(content, maintype="application", subtype="zip", filename="envoi.zip")

    assert told(edited(rename)) == {"MSS-XDM": "failed"}


def test_a_rule_that_breaks_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(rules_of_report, "RULES", (replace(RULES[0], check=broken), *RULES[1:]))
    found = report(written())
    assert found.outcome == "warning"
    assert [it.rule.id for it in found.verdicts if it.findings] == [RULES[0].id]


def test_a_passage_is_read_from_what_an_older_version_stored() -> None:
    assert Passage.of_json({"protocol": "smtp", "gone": 1}) == Passage("smtp")
    assert Passage.of_json(Passage("smtp", "PER").as_json()) == Passage("smtp", "PER")


def test_a_pdf_of_part_two_is_not_taken() -> None:
    second = write_pdf("t", [Line("x")], AT).replace(b"<pdfaid:part>1<", b"<pdfaid:part>2<")

    def change(mail: EmailMessage) -> None:
        part = mail.get_payload(2)
        assert isinstance(part, EmailMessage)
        name = part.get_filename()
        part.set_content(second, maintype="application", subtype="pdf", filename=name)

    assert told(edited(change)) == {"MSS-PDF": "failed"}
