"""Object identifiers that several parts of Socle must spell alike (spec: CI-SIS, NOS)."""

from typing import Final

# Assigning authorities of identifiers (spec: CI-SIS structuration minimale v1.16.7).
IDNAT_PS: Final = "1.2.250.1.71.4.2.1"
IDNAT_STRUCTURE: Final = "1.2.250.1.71.4.2.2"
CUSTODIAN_DMP: Final = "1.2.250.1.213.4.1"

# Nomenclatures (NOS).
SPECIALTY: Final = "1.2.250.1.71.4.2.5"
FACILITY_TYPE: Final = "1.2.250.1.71.4.2.4"
PROFESSION: Final = "1.2.250.1.71.1.2.7"
DOCUMENT_CLASS: Final = "1.2.250.1.213.1.1.4.1"
AUTHOR_SPECIALTY: Final = "1.2.250.1.213.1.1.4.5"
PRACTICE_SETTING: Final = "1.2.250.1.213.1.1.4.9"
DOCUMENT_TYPE_LOCAL: Final = "1.2.250.1.213.1.1.4.12"
VISIBILITY: Final = "1.2.250.1.213.1.1.4.13"

# HL7 and international code systems.
LOINC: Final = "2.16.840.1.113883.6.1"
ADMINISTRATIVE_GENDER: Final = "2.16.840.1.113883.5.1"
CONFIDENTIALITY: Final = "2.16.840.1.113883.5.25"

# CDA templates and type (spec: CI-SIS structuration minimale v1.16.7).
CDA_TYPE_ROOT: Final = "2.16.840.1.113883.1.3"
CDA_TYPE_EXTENSION: Final = "POCD_HD000040"
TEMPLATE_HL7_FRANCE: Final = "2.16.840.1.113883.2.8.2.1"
TEMPLATE_CI_SIS: Final = "1.2.250.1.213.1.1.1.1"
TEMPLATE_UNSTRUCTURED: Final = "1.3.6.1.4.1.19376.1.2.20"
TEMPLATE_CR_BIO: Final = "1.2.250.1.213.1.1.1.55"
