"""The mailbox reponse.automatique-test@patient.mssante.fr, which answers by itself (mss.md §1.5)."""

from datetime import datetime
from email.message import Message
from uuid import UUID

from services.mss.domain.compose import Draft, answer_subject, compose, references
from services.mss.domain.headers import decoded, message_ids

TEXT = """\
Ceci est une réponse automatique de la messagerie de Mon espace santé (bac à sable).
Votre message est bien arrivé à l'adresse de test."""


def automatic_answer(
    header: "Message[str, str]", author: str, to: str, answer_id: UUID, at: datetime
) -> bytes:
    """Marked as what it is (RFC 3834 §5), and tied to what it answers."""
    answered = message_ids(header, "Message-ID")[:1]
    tied = [
        pair
        for one in answered
        for pair in (("In-Reply-To", one), ("References", references(header, one)))
    ]
    draft = Draft(
        sender=author,
        recipients=(to,),
        subject=answer_subject(decoded(header.get("Subject"))),
        text=TEXT,
        message_id=f"<{answer_id}@{author.partition('@')[2]}>",
        headers=(("Auto-Submitted", "auto-replied"), *tied),
    )
    return compose(draft, at)
