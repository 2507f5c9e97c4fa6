"""What a new space holds: the mailboxes of the test professionals of Pro Santé Connect."""

from services.mss import repository
from services.mss.domain.mailboxes import Mailbox
from socle.db.database import WriteSession
from socle.spaces import Space

DOMAIN = "socle.mssante.fr"
"""No operator of the real whitelist has it: the sandbox's own."""

KIT, ROBERT = "899700427885", "899700218896"  # test identities of the BAS (spec: psc.md §8)

# Labels as ECO.2.2.7 wants them (spec: mss.md §1.7).
MAILBOXES = (
    (Mailbox(f"kit.doc0042788@{DOMAIN}", "PER", "Dr_Kit_DOC0042788_Cabinet M Doc0042788"), [KIT]),
    (
        Mailbox(f"robert.specialiste0021889@{DOMAIN}", "PER", "Dr_Robert_SPECIALISTE0021889"),
        [ROBERT],
    ),
    (
        Mailbox(f"secretariat.hopital@{DOMAIN}", "ORG", "Hôpital générique FIN VARI – Secrétariat"),
        [KIT],
    ),
)


async def seed(session: WriteSession, space: Space) -> None:
    for mailbox, owners in MAILBOXES:
        await repository.insert_mailbox(session, space.name, mailbox, owners)
