"""The operators of a new space: the sandbox's own, a neighbour, and that of Mon espace santé."""

from services.mss.domain.whitelist import Entry
from services.mss.trust import repository
from services.mss.trust.repository import Operator
from services.mss.trust.service import standard_dn
from socle.db.database import WriteSession
from socle.ids.ins import CITIZEN_DOMAIN
from socle.spaces import Space

OWN = "socle"
"""The operator that serves whatever domain is not listed."""

DOMAIN, NEIGHBOUR_DOMAIN = "socle.mssante.fr", "voisin.mssante.fr"
"""No operator of the real whitelist has them."""

_CONTACT = "+33 1 00 00 00 00, contact@{}"
# Synthetic, but for the description of the citizens' domain (spec: mss.md §1.5). A host a
# certificate: the first is what the sandbox presents, the others stand in the list as well.
_OPERATORS = (
    (OWN, "Opérateur Socle", DOMAIN, ("smtp",), "Bac à sable Socle"),
    ("voisin", "Opérateur Voisin", NEIGHBOUR_DOMAIN, ("smtp1", "smtp2"), "Second opérateur"),
    (
        "ens",
        "Messagerie citoyenne",
        CITIZEN_DOMAIN,
        ("smtps1", "smtps2"),
        "Messagerie de Mon espace santé. Boîte de test à réponse automatique : "
        f"reponse.automatique-test@{CITIZEN_DOMAIN}",
    ),
)


async def seed_trust_space(session: WriteSession, space: Space) -> None:
    for rank, (name, title, domain, hosts, description) in enumerate(_OPERATORS, 1):
        for host in hosts:
            operator = Operator(
                name,
                title,
                f"{host}.{domain}",
                structure=f"3{rank:014d}",
                department="Paris (75)",
                responsible=_CONTACT.format(domain),
                support=_CONTACT.format(domain),
            )
            await repository.insert_operator(session, space.name, operator)  # the first host's
            entry = Entry(
                domain,
                description,
                standard_dn(operator),
                operator.responsible,
                operator.support,
                space.now(),
            )
            await repository.insert_domain(session, space.name, name, entry)
