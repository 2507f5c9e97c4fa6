"""A message as the field's software sends it: text and an XML attachment."""

from email.message import EmailMessage
from email.policy import SMTP

XML = "<ClinicalDocument>é</ClinicalDocument>\n".encode() * 40


def message(message_id: str = "<1@socle.test>", body: str = "Bonjour") -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Dr_Kit_DOC0042788 <kit.doc0042788@socle.mssante.fr>"
    mail["To"] = "robert.specialiste0021889@socle.mssante.fr"
    mail["Subject"] = "XDM/1.0/DDM+CR d'examens biologiques"
    mail["Date"] = "Thu, 26 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = message_id
    mail["X-MSS-NIL"] = "DEV935997"
    mail["X-MSS-CODECDA"] = "11502-2"
    mail["X-MSS-INS"] = "O"
    mail.set_content(body)
    mail.add_attachment(XML, maintype="application", subtype="xml", filename="cda.xml")
    mail.set_boundary("=_socle")  # the same bytes whenever it is made
    return mail.as_bytes()
