"""Claims and documents, against what was seen of the real service (spec: psc.md §5)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.psc.domain import claims
from services.psc.domain.session import Grant, Session
from socle.people.official import official_people
from socle.people.person import Person

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
SESSION = Session("demo", UUID(int=1), "899700427885", "CARD", NOW - timedelta(hours=1), NOW, None)
GRANT = Grant(
    "demo", UUID(int=2), SESSION.id, "lps", "https://x/", "openid scope_all", "", "eidas3",
    "https://psc/auth/realms/esante-wallet", "", "", NOW, None, None,
)  # fmt: skip


def person(national_id: str = "899700427885") -> Person:
    return next(p for p in official_people() if p.SubjectNameID == national_id)


def access() -> claims.Claims:
    return claims.access_claims(
        GRANT, SESSION, "CARD", person(), UUID(int=3), NOW, NOW + timedelta(seconds=120)
    )


class TestAccessToken:
    def test_claims_are_those_seen_and_the_space(self) -> None:
        made = access()
        assert made["nonce"] == ""
        assert made["auth_time"] == made["iat"] - 3600
        assert made["exp"] == made["iat"] + 120
        assert made["sid"] == made["session_state"]
        assert "aud" not in made
        assert not {"given_name", "family_name", "SubjectRole"} & made.keys()


class TestIdToken:
    def test_at_hash_is_the_one_of_the_specification(self) -> None:
        # OpenID Connect Core 1.0, appendix A.3: code flow's example of access token and hash.
        token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
        assert claims.at_hash(token) == "77QmUPtjPfzWtF2AnpK9RQ"

    def test_audience_is_the_client(self) -> None:
        made = claims.id_claims(access(), person(), UUID(int=4), "a.b.c")
        assert (made["aud"], made["typ"]) == ("lps", "ID")
        assert made["jti"] != access()["jti"]
        assert made["auth_level"] == "1"


class TestUserInfo:
    def test_members_are_those_of_the_complete_sample(self) -> None:
        made = claims.userinfo_claims(person(), "CARD", "2023-02")
        assert set(made) == {
            "Secteur_Activite", "sub", "SubjectOrganization", "Mode_Acces_Raison",
            "preferred_username", "given_name", "Acces_Regulation_Medicale", "UITVersion",
            "authMode", "Palier_Authentification", "SubjectRefPro", "SubjectOrganizationID",
            "SubjectRole", "PSI_Locale", "otherIds", "SubjectNameID", "family_name",
        }  # fmt: skip

    def test_every_activity_key_is_there_and_none_is_null(self) -> None:
        for someone in official_people():
            made = claims.userinfo_claims(someone, "MOBILE", "2023-02")
            for exercise in made.get("SubjectRefPro", {}).get("exercices", []):
                for activity in exercise["activities"]:
                    assert len(activity) == 30
                    assert all(isinstance(value, str) for value in activity.values())

    def test_no_situation_at_the_top_when_person_has_none(self) -> None:
        made = claims.userinfo_claims(person("899703001059"), "CARD", "2023-02")
        assert made["SubjectRole"] == ["10^1.2.250.1.213.1.1.5.5"]
        assert "SubjectOrganization" not in made


class TestPeople:
    def test_kinds_that_matter_are_seeded(self) -> None:
        professions = {e.codeProfession for p in official_people() for e in p.exercices}
        skills = {e.codeSavoirFaire for p in official_people() for e in p.exercices}
        assert {"10", "21", "40", "50", "60", "80", "93", "99"} <= professions
        assert {"SM03", "SM44", "SM26"} <= skills
        assert any(not p.exercices for p in official_people())
        assert any("/" in p.SubjectNameID for p in official_people())
        assert any(len(p.exercices) > 1 for p in official_people())
        assert {"RPPS", "ADELI", "EDIT", "CPE"} == {p.origine for p in official_people()}
        genres = {
            a.codeGenreActivite
            for p in official_people()
            for e in p.exercices
            for a in e.activities
        }
        assert "GENR02" in genres  # a replacement

    def test_official_identities_are_seeded(self) -> None:
        # Spec psc.md §8, but for 810002000202, whose key is wrong: the MSSanté test alone uses it.
        assert {
            "899700427885", "899700427869", "899700366240", "899700218896", "899700245667",
            "899700075064", "ANS20210107161422", "ANS20231122132732", "500000001815646/CPAT00045",
        } <= {p.SubjectNameID for p in official_people()}  # fmt: skip

    def test_every_role_is_named_once_when_person_has_two_exercises(self) -> None:
        made = claims.userinfo_claims(person("899703001091"), "CARD", "2023-02")
        assert made["SubjectRole"] == ["10^1.2.250.1.213.1.1.5.5", "60^1.2.250.1.213.1.1.5.5"]
        assert made["SubjectOrganizationID"] == "F0B0193488"

    def test_identifiers_are_unique(self) -> None:
        identifiers = [p.SubjectNameID for p in official_people()]
        assert len(set(identifiers)) == len(identifiers)
