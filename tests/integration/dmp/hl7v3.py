"""Messages of TD0 and TD1 as a client writes them, and the VIHF that goes with them."""

from xml.sax.saxutils import escape

import httpx
from lxml import etree

from services.dmp.patients.names import HL7, PATIENTS, RIGHTS
from services.dmp.xds.vihf import SAML
from socle.clock import wall
from socle.idgen import random_uuid
from socle.ids.ins import Ins
from socle.xds.names import WSSE

from .conftest import Dmp
from .samples import ANNE
from .xds import BASE, NS, envelope

NS3 = {**NS, "h": HL7, "p": PATIENTS, "r": RIGHTS}
SENDER = "1.3.6.1.4.1.48364"
QUERY_ID = "87d5fd8f-72b2-43bf-938c-0402bf850d25"


def security(
    ins: Ins = ANNE, purpose: str = "normal", subject: str = "KIT DOC0042788"
) -> etree._Element:
    """A VIHF without signature, beside the token that authenticates the call."""
    at = wall().strftime("%Y-%m-%dT%H:%M:%SZ")
    prefix = "urn:oasis:names:tc:"
    values = {
        f"{prefix}xacml:2.0:resource:resource-id": escape(ins.cx),
        f"{prefix}xspa:1.0:subject:subject-id": escape(subject),
        f"{prefix}xspa:1.0:subject:purposeofuse": f'<PurposeOfUse xmlns="{HL7}" code="{purpose}"/>',
    }
    attributes = "".join(_attribute(name, value) for name, value in values.items())
    roles = "".join(
        f'<s:AttributeValue><Role xmlns="{HL7}" code="{code}"/></s:AttributeValue>'
        for code in ("10", "SM26")
    )
    role = f'<s:Attribute Name="{prefix}xacml:2.0:subject:role">{roles}</s:Attribute>'
    return etree.fromstring(
        f'<w:Security xmlns:w="{WSSE}" xmlns:s="{SAML}"><s:Assertion ID="_{random_uuid()}" '
        f'IssueInstant="{at}" Version="2.0"><s:Issuer>CN=x</s:Issuer><s:Subject><s:NameID>'
        f"899700427885</s:NameID></s:Subject><s:AttributeStatement>{attributes}{role}"
        "</s:AttributeStatement></s:Assertion></w:Security>"
    )


def _attribute(name: str, value: str) -> str:
    return f'<s:Attribute Name="{name}"><s:AttributeValue>{value}</s:AttributeValue></s:Attribute>'


def wrapped(kind: str, act: str) -> etree._Element:
    return etree.fromstring(
        f'<{kind} xmlns="{HL7}" ITSVersion="XML_1.0"><id root="{SENDER}.1.1" extension="m1"/>'
        f'<creationTime value="20221115093000"/><interactionId root="2.16.840.1.113883.1.6" '
        f'extension="{kind}"/><processingCode code="D"/><processingModeCode code="T"/>'
        '<acceptAckCode code="AL"/><receiver typeCode="RCV"><device classCode="DEV" '
        'determinerCode="INSTANCE"><id root="1.2.250.1.213.4.1.1.1"/><softwareName>DMP'
        '</softwareName></device></receiver><sender typeCode="SND"><device classCode="DEV" '
        f'determinerCode="INSTANCE"><id root="{SENDER}"/><softwareName>LPS</softwareName></device>'
        f'</sender><controlActProcess classCode="CACT" moodCode="EVN">{act}</controlActProcess></{kind}>'
    )


def existence(ins: Ins = ANNE, reason: str = "TEST_EXST") -> etree._Element:
    return wrapped(
        "PRPA_IN201307UV02",
        f'<reasonCode code="{reason}" codeSystem="1.2.250.1.213.1.1.4.11"/><queryByParameter>'
        f'<queryId root="{SENDER}.2" extension="{QUERY_ID}"/><statusCode code="new"/>'
        f'<parameterList><patientIdentifier><value root="{ins.oid}" extension="{ins.with_key}"/>'
        "<semanticsText>Patient.id</semanticsText></patientIdentifier></parameterList>"
        "</queryByParameter>",
    )


def revision(
    kind: str,
    reason: str,
    *,
    ins: Ins = ANNE,
    status: str = "active",
    observed: dict[str, bool] | None = None,
    family: str = "EXEMPLE",
    closing: str = "",
    extra: str = "",
) -> etree._Element:
    observations = "".join(
        '<subjectOf typeCode="SBJ"><administrativeObservation classCode="OBS" moodCode="EVN">'
        f'<code code="{code}" codeSystem="1.2.250.1.213.4.1.2.3"/>'
        f'<value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="BL" '
        f'value="{str(value).lower()}"/></administrativeObservation></subjectOf>'
        for code, value in (observed or {}).items()
    )
    reason_of = (
        '<reasonOf typeCode="RSON"><detectedIssueEvent classCode="ALRT" moodCode="EVN">'
        f'<code code="{closing}" codeSystem="1.2.250.1.213.4.1.2.4"/></detectedIssueEvent></reasonOf>'
        if closing
        else ""
    )
    return wrapped(
        kind,
        f'<reasonCode code="{reason}" codeSystem="1.2.250.1.213.1.1.4.11"/>'
        '<subject typeCode="SUBJ" contextConductionInd="false"><registrationRequest classCode="REG" '
        'moodCode="RQO"><statusCode code="active"/><subject1 typeCode="SBJ"><patient classCode="PAT">'
        f'<id root="{ins.oid}" extension="{ins.with_key}"/><statusCode code="{status}"/>'
        '<patientPerson classCode="PSN" determinerCode="INSTANCE"><name><prefix>Mme</prefix>'
        f'<family qualifier="BR">{family}</family><given>CAMILLE</given></name>'
        '<administrativeGenderCode code="F"/><birthTime value="19790328"/>'
        f"{extra}</patientPerson>{observations}</patient></subject1></registrationRequest></subject>"
        f"{reason_of}",
    )


def candidates(family: str) -> etree._Element:
    return wrapped(
        "PRPA_IN201305UV02",
        '<code code="PRPA_TE201305UV02" codeSystem="2.16.840.1.113883.1.6"/><queryByParameter>'
        f'<queryId root="{SENDER}.2" extension="{QUERY_ID}"/><statusCode code="new"/><parameterList>'
        f"<livingSubjectName><value><family>{family}</family></value><semanticsText>"
        "LivingSubject.name</semanticsText></livingSubjectName></parameterList></queryByParameter>",
    )


def own(namespace: str, name: str, **values: str) -> etree._Element:
    """One of the DMP's own messages."""
    root = etree.Element(f"{{{namespace}}}{name}")
    for key, value in values.items():
        etree.SubElement(root, f"{{{namespace}}}{key}").text = value
    return root


async def call(
    dmp: Dmp,
    service: str,
    body: etree._Element,
    vihf: etree._Element | None = None,
    *,
    action: str = "",
) -> "Told":
    message = envelope(action or f"urn:{etree.QName(body).localname}", body,
                       *([] if vihf is None else [vihf]))  # fmt: skip
    headers = {**dmp.headers, "Content-Type": "application/soap+xml; charset=utf-8"}
    return Told(await dmp.http.post(f"{BASE}/{service}", content=message, headers=headers))


class Told:
    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.root = etree.fromstring(response.content)

    def text(self, path: str) -> str:
        """The text or the attribute of an XPath: h is HL7v3, p and r the DMP's own namespaces."""
        return str(self.root.xpath(f"string({path})", namespaces=NS3))

    def texts(self, path: str) -> list[str]:
        found = self.root.xpath(path, namespaces=NS3)
        assert isinstance(found, list)
        return [str(one) for one in found]

    @property
    def body(self) -> str:
        """The tag of what the body holds."""
        [content] = self.root.iterfind("soap:Body/*", NS3)
        return str(content.tag)

    @property
    def fault(self) -> str:
        return self.text("//soap:Subcode/soap:Value")

    @property
    def refusal(self) -> str:
        return self.text("//h:acknowledgementDetail/h:code/@code")
