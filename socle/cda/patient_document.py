"""A document that a patient adds to their own record: a file in a level 1 body, written by the patient.

The header holds what is known of the patient; the rules for professionals' documents do not apply.
"""

import base64
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from socle.ids import oids
from socle.ids.hl7_datetime import format_ts
from socle.ids.ins import Ins

_DOCUMENT: Final = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <realmCode code="FR"/>
  <typeId root="{type_root}" extension="{type_extension}"/>
  <templateId root="{hl7_france}"/>
  <templateId root="{ci_sis}"/>
  <templateId root="{unstructured}"/>
  <id root="{document_id}"/>
  <code code="{code}" displayName="Document du patient" codeSystem="{local_types}"/>
  <title>{title}</title>
  <effectiveTime value="{created}"/>
  <confidentialityCode code="N" codeSystem="{confidentiality}"/>
  <languageCode code="fr-FR"/>
  <setId root="{document_id}"/>
  <versionNumber value="1"/>
  <recordTarget><patientRole>
    <id root="{ins_oid}" extension="{ins}"/>
    <patient><name><family qualifier="BR">{family}</family><given qualifier="BR">{given}</given></name></patient>
  </patientRole></recordTarget>
  <author>
    <time value="{created}"/>
    <assignedAuthor>
      <id root="{ins_oid}" extension="{ins}"/>
      <assignedPerson><name><family>{family}</family><given>{given}</given></name></assignedPerson>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization><id root="{dmp}"/><name>DMP</name></representedCustodianOrganization></assignedCustodian></custodian>
  <component><nonXMLBody><text mediaType="{media_type}" representation="B64">{data}</text></nonXMLBody></component>
</ClinicalDocument>
"""


def patient_document(
    ins: Ins,
    *,
    code: str,
    title: str,
    family_name: str,
    given_name: str,
    media_type: str,
    content: bytes,
    document_id: str,
    created_at: datetime,
) -> bytes:
    """`code` is of TRE_A05, DOCPAT01 to DOCPAT09 or EXPPAT_1 to EXPPAT_3."""
    return _DOCUMENT.format(
        type_root=oids.CDA_TYPE_ROOT,
        type_extension=oids.CDA_TYPE_EXTENSION,
        hl7_france=oids.TEMPLATE_HL7_FRANCE,
        ci_sis=oids.TEMPLATE_CI_SIS,
        unstructured=oids.TEMPLATE_UNSTRUCTURED,
        local_types=oids.DOCUMENT_TYPE_LOCAL,
        confidentiality=oids.CONFIDENTIALITY,
        dmp=oids.CUSTODIAN_DMP,
        document_id=_xml(document_id),
        code=_xml(code),
        title=_xml(title),
        created=format_ts(created_at),
        ins_oid=ins.oid,
        ins=ins.with_key,
        family=_xml(family_name),
        given=_xml(given_name),
        media_type=_xml(media_type),
        data=base64.b64encode(content).decode(),
    ).encode()


def _xml(text: str) -> str:
    return escape(text, {'"': "&quot;"})
