"""Claims of PSC's tokens and documents, exactly as seen (spec: psc.md §5)."""

import base64
import hashlib
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from services.psc.domain.session import Grant, Session
from socle.people.person import Exercise, Person
from socle.pki import thumbprints

Claims = dict[str, Any]
UserInfoShape = Literal["2023-02", "2023-11"]

# The user storage of the real BAS realm, constant from 2021 to 2023.
STORAGE: Final = "550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd"
ROLE_OID: Final = "1.2.250.1.213.1.1.5.5"
SECTOR_OID: Final = "1.2.250.1.71.4.2.4"
PSI_LOCALE: Final = "1.2.250.1.213.1.3.1.1"
PALIER: Final = "APPPRIP3^1.2.250.1.213.1.5.1.1.1"
SPACE: Final = "socle_space"


def subject_of(national_id: str) -> str:
    return f"f:{STORAGE}:{national_id}"


def other_ids(person: Person) -> list[Claims]:
    return [{"identifiant": person.SubjectNameID, "origine": person.origine, "qualite": 1}]


def access_claims(
    grant: Grant,
    session: Session,
    auth_mode: str,
    person: Person,
    jti: UUID,
    issued: datetime,
    expires: datetime,
) -> Claims:
    """No `aud`, no name, no profession; `nonce` is "" when the client sent none."""
    return {
        "exp": int(expires.timestamp()),
        "iat": int(issued.timestamp()),
        "auth_time": int(session.started_at.timestamp()),
        "jti": str(jti),
        "iss": grant.issuer,
        "sub": subject_of(person.SubjectNameID),
        "typ": "Bearer",
        "azp": grant.client_id,
        "nonce": grant.nonce,
        "session_state": str(session.id),
        "acr": grant.acr,
        "scope": grant.scope,
        "sid": str(session.id),
        "authMode": auth_mode,
        "otherIds": other_ids(person),
        "preferred_username": person.SubjectNameID,
        SPACE: grant.space,
        **confirmation(grant.certificate_thumbprint),
    }


def confirmation(thumbprint: bytes | None) -> Claims:
    """`cnf` of a certificate-bound token (RFC 8705 §3.1)."""
    if thumbprint is None:
        return {}
    return {"cnf": {"x5t#S256": thumbprints.encoded(thumbprint)["rfc8705"]}}


def id_claims(access: Claims, person: Person, jti: UUID, access_token: str) -> Claims:
    """The ID token beside an access token: Keycloak's claims, then PSC's own (§5.2)."""
    carried = {name: value for name, value in access.items() if name not in ("jti", "typ", "cnf")}
    return {
        **carried,
        "jti": str(jti),
        "typ": "ID",
        "aud": access["azp"],
        "at_hash": at_hash(access_token),
        "auth_level": "1",
        "SubjectNameID": person.SubjectNameID,
        "given_name": person.given_name,
        "family_name": person.family_name,
    }


def at_hash(access_token: str) -> str:
    """The left half of the SHA-256 (OpenID Connect Core §3.1.3.6, RS256 and ES256)."""
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).decode().rstrip("=")


def introspection_claims(access: Claims, *, is_access_token: bool) -> Claims:
    """`SubjectNameID` is added only when the token given is the access token (§5.4)."""
    described = {
        **access,
        "client_id": access["azp"],
        "username": access["preferred_username"],
        "active": True,
    }
    if is_access_token:
        described["SubjectNameID"] = access["preferred_username"]
    return described


def userinfo_claims(person: Person, auth_mode: str, shape: UserInfoShape) -> Claims:
    """The document of §5.5. A person without exercise has six members only."""
    identity: Claims = {
        "sub": subject_of(person.SubjectNameID),
        "preferred_username": person.SubjectNameID,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "SubjectNameID": person.SubjectNameID,
    }
    if not person.exercices:
        return {**identity, "codeCivilite": person.codeCivilite}
    return {
        **identity,
        "SubjectRole": _roles(person.exercices),
        **_first_situation(person),
        "otherIds": other_ids(person),
        "PSI_Locale": PSI_LOCALE,
        "Palier_Authentification": PALIER,
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "FAUX",
        "UITVersion": "1.0",
        "authMode": auth_mode,
        **_reference(person, shape),
    }


def _roles(exercises: tuple[Exercise, ...]) -> list[str]:
    codes = dict.fromkeys(item.codeProfession for item in exercises if item.codeProfession)
    return [f"{code}^{ROLE_OID}" for code in codes]


def _first_situation(person: Person) -> Claims:
    """The members at the top repeat the first activity; the others are for the client to choose."""
    first = person.first_activity
    if first is None:
        return {}
    sector = first.codeSecteurDactivite
    return {
        "Secteur_Activite": f"{sector}^{SECTOR_OID}" if sector else "",
        "SubjectOrganization": first.raisonSocialeSite,
        "SubjectOrganizationID": first.identifiantTechniqueDeLaStructure,
    }


def _reference(person: Person, shape: UserInfoShape) -> Claims:
    exercises = [item.model_dump(mode="json") for item in person.exercices]
    if shape == "2023-02":
        return {"SubjectRefPro": {"codeCivilite": person.codeCivilite, "exercices": exercises}}
    first = person.first_activity
    return {
        "codeCivilite": person.codeCivilite,
        "codeGenreActivite": first.codeGenreActivite if first else "",
        "SubjectRefPro": {"exercices": exercises},
    }
