"""What a new space holds: operators, and mailboxes of Pro Santé Connect's test professionals."""

from services.mss import repository
from services.mss.annuaire.seed import seed_annuaire
from services.mss.domain.mailboxes import Mailbox
from services.mss.trust.seed import DOMAIN, NEIGHBOUR_DOMAIN, seed_trust_space
from socle.db.database import WriteSession
from socle.spaces import Space

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
    # At another operator of the trust space: what is sent there crosses its rules.
    (Mailbox(f"cabinet@{NEIGHBOUR_DOMAIN}", "ORG", "Cabinet Voisin"), [ROBERT]),
)


async def seed(session: WriteSession, space: Space) -> None:
    await seed_trust_space(session, space)
    for mailbox, owners in MAILBOXES:
        await repository.insert_mailbox(session, space.name, mailbox, owners)
    await seed_annuaire(session, space)
