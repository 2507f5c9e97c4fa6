"""The parts of our own documents. `str.format` fields are filled with escaped text."""

from typing import Final

HEADER: Final = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  {templates}
  <id root="{document_id}"/>
  <code code="{type_code}" displayName="{type_name}" codeSystem="{type_system}"/>
  <title>{title}</title>
  <effectiveTime value="{created}"/>
  <confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="{document_id}"/>
  <versionNumber value="1"/>
  <recordTarget>
    <patientRole>
      <id root="{ins_oid}" extension="{ins}"/>
      <id root="{local_root}" extension="{local_id}"/>
      <addr nullFlavor="NASK"/>
      <telecom value="mailto:{citizen}"/>
      <patient>
        <name>
          <family qualifier="BR">{family}</family>
          <given>{givens}</given>
          <given qualifier="BR">{given}</given>
        </name>
        <administrativeGenderCode code="{sex}" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="{birth}"/>
        <birthplace><place><addr><county>{birthplace}</county></addr></place></birthplace>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="{created}"/>
    <assignedAuthor>
{entity}
    </assignedAuthor>
  </author>
  <custodian>
    <assignedCustodian>
      <representedCustodianOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="{structure}"/>
        <name>{structure_name}</name>
      </representedCustodianOrganization>
    </assignedCustodian>
  </custodian>
  <legalAuthenticator>
    <time value="{created}"/>
    <signatureCode code="S"/>
    <assignedEntity>
{entity}
    </assignedEntity>
  </legalAuthenticator>
{orders}  <documentationOf>
    <serviceEvent>
{act}
      <effectiveTime><low value="{sampled}"/><high value="{created}"/></effectiveTime>
      <performer typeCode="PRF">
        <assignedEntity>
{entity}
        </assignedEntity>
      </performer>
    </serviceEvent>
  </documentationOf>
  <componentOf>
    <encompassingEncounter>
      <code code="{encounter}" displayName="{encounter_name}" codeSystem="2.16.840.1.113883.5.4"/>
      <effectiveTime><low value="{sampled}"/></effectiveTime>
      <location>
        <healthCareFacility>
          <code code="{facility}" displayName="{facility_name}" codeSystem="1.2.250.1.71.4.2.4"/>
        </healthCareFacility>
      </location>
    </encompassingEncounter>
  </componentOf>
"""

ENTITY: Final = """      <id root="1.2.250.1.71.4.2.1" extension="8{rpps}"/>
      <code code="{specialty}" displayName="{specialty_name}" codeSystem="1.2.250.1.213.1.1.4.5"/>
      <assignedPerson><name><family>{family}</family><given>{given}</given></name></assignedPerson>
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="{structure}"/>
        <name>{structure_name}</name>
        <standardIndustryClassCode code="{setting}" displayName="{setting_name}" codeSystem="1.2.250.1.213.1.1.4.9"/>
      </representedOrganization>"""

ORDER: Final = """  <inFulfillmentOf>
    <order><id root="{local_root}.1" extension="{order}"/></order>
  </inFulfillmentOf>
"""
BIOLOGY_ACT: Final = (
    '      <code code="18719-5" displayName="Chimie" codeSystem="2.16.840.1.113883.6.1"/>\n'
    '      <lab:statusCode code="completed"/>'
)

NARRATIVE: Final = """      <component>
        <section>
          <code code="{code}" displayName="{label}" codeSystem="2.16.840.1.113883.6.1"/>
          <title>{label}</title>
          <text><list>{lines}</list></text>{entry}
        </section>
      </component>
"""
COPY: Final = """
          <entry><observationMedia classCode="OBS" moodCode="EVN" ID="copie">
            <value mediaType="application/pdf" representation="B64">{pdf}</value>
          </observationMedia></entry>"""

SECTION_START: Final = """      <component>
        <section>
          <templateId root="1.3.6.1.4.1.19376.1.3.3.2.1"/>
          <templateId root="1.2.250.1.213.1.1.2.70"/>
          <code code="{loinc}" displayName="{label}" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"/>
          <title>{label}</title>
          <text><table><thead><tr><th>Examen</th><th>Résultat</th><th>Référence</th></tr></thead><tbody>
"""
ROW: Final = '            <tr><td><content ID="{ref}">{label}</content></td><td>{value} {unit}</td><td>{low} - {high}</td></tr>\n'
ENTRY_START: Final = """          </tbody></table></text>
          <entry typeCode="DRIV">
            <templateId root="1.3.6.1.4.1.19376.1.3.1"/>
            <act classCode="ACT" moodCode="EVN">
              <code code="{loinc}" displayName="{label}" codeSystem="2.16.840.1.113883.6.1"/>
              <statusCode code="completed"/>
"""
OBSERVATION: Final = """              <entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">
                <templateId root="1.3.6.1.4.1.19376.1.3.1.6"/>
                <code code="{loinc}" displayName="{label}" codeSystem="2.16.840.1.113883.6.1"><originalText><reference value="#{ref}"/></originalText></code>
                <statusCode code="completed"/>
                <effectiveTime value="{sampled}"/>
                <value xsi:type="PQ" value="{value}" unit="{unit}"/>
                <referenceRange typeCode="REFV"><observationRange><value xsi:type="IVL_PQ"><low value="{low}" unit="{unit}"/><high value="{high}" unit="{unit}"/></value></observationRange></referenceRange>
              </observation></entryRelationship>
"""
SECTION_END: Final = """            </act>
          </entry>
        </section>
      </component>
"""
N3_START: Final = "  <component>\n    <structuredBody>\n"
N3_END: Final = "    </structuredBody>\n  </component>\n</ClinicalDocument>\n"
N1_BODY: Final = """  <component>
    <nonXMLBody>
      <text mediaType="application/pdf" representation="B64">{pdf}</text>
    </nonXMLBody>
  </component>
</ClinicalDocument>
"""
