"""A professional as the directory behind PSC knows them, in PSC's own words.

The names of fields are those of the userinfo document, irregular spelling included (spec: psc.md
§5.5), so that a sample can be pasted into a request or compared with an answer.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from socle.ids.professionals import parse_idnat, rpps_from_idnat

Text = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
NationalId = Annotated[
    str, StringConstraints(min_length=2, max_length=64, pattern=r"^[0-9A-Za-z/_.-]+$")
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Activity(_Strict):
    """One situation: where and how the exercise takes place. Unknown is "", never absent."""

    codeModeExercice: Text = ""
    codeSecteurDactivite: Text = ""
    codeSectionPharmacien: Text = ""
    codeRole: Text = ""
    codeGenreActivite: Text = ""
    numeroSiretSite: Text = ""
    numeroSirenSite: Text = ""
    numeroFinessSite: Text = ""
    numeroFinessetablissementJuridique: Text = ""
    identifiantTechniqueDeLaStructure: Text = ""
    raisonSocialeSite: Text = ""
    enseigneCommercialeSite: Text = ""
    complementDestinataire: Text = ""
    complementPointGeographique: Text = ""
    numeroVoie: Text = ""
    indiceRepetitionVoie: Text = ""
    codeTypeDeVoie: Text = ""
    libelleVoie: Text = ""
    mentionDistribution: Text = ""
    bureauCedex: Text = ""
    codePostal: Text = ""
    codeCommune: Text = ""
    codePays: Text = ""
    telephone: Text = ""
    telephone2: Text = ""
    telecopie: Text = ""
    adresseEMail: Text = ""
    codeDepartement: Text = ""
    ancienIdentifiantDeLaStructure: Text = ""
    autoriteDenregistrement: Text = ""


class Exercise(_Strict):
    """A profession with its know-how. A person may have several, or none."""

    codeProfession: Text = ""
    codeCategorieProfessionnelle: Text = ""
    codeCiviliteDexercice: Text = ""
    nomDexercice: Text = ""
    prenomDexercice: Text = ""
    codeTypeSavoirFaire: Text = ""
    codeSavoirFaire: Text = ""
    activities: Annotated[tuple[Activity, ...], Field(max_length=50)] = ()


class Person(_Strict):
    """`SubjectNameID` is the national identifier (PS_IdNat), `origine` the register that gave it."""

    SubjectNameID: NationalId
    origine: Literal["RPPS", "ADELI", "EDIT", "CPE"] = "RPPS"
    codeCivilite: Text = ""
    family_name: Name
    given_name: Name
    exercices: Annotated[tuple[Exercise, ...], Field(max_length=20)] = ()
    enabled: bool = True
    label: Text = ""
    """What the login page says of this person to whoever must choose one."""

    @model_validator(mode="after")
    def _identifier_is_well_formed(self) -> "Person":
        if self.origine == "RPPS" and rpps_from_idnat(self.SubjectNameID) is None:
            raise ValueError(
                "with origine RPPS, SubjectNameID is 8 then the 11 digits of an RPPS whose last "
                "is a Luhn key"
            )
        if self.origine in ("ADELI", "CPE") and parse_idnat(self.SubjectNameID) is None:
            raise ValueError(
                "SubjectNameID is a type digit, then the number: 0 + ADELI, 3 + FINESS/register "
                "number, 5 + SIRET/register number (TRE_G08)"
            )
        return self

    @property
    def rpps(self) -> str | None:
        return rpps_from_idnat(self.SubjectNameID)

    @property
    def first_activity(self) -> Activity | None:
        return next((activity for item in self.exercices for activity in item.activities), None)
