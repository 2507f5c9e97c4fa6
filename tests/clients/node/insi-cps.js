// soap and xml-crypto (npm), as the public Node client of INSi joins them: a professional's assertion,
// signed with the card's key, and no certificate for the connection.
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import soap from "soap";
import { SignedXml } from "xml-crypto";
import { setting, tell } from "./setting.js";

const { wsdl, certificate, key } = setting;
const ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite";
const EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const now = () => new Date().toISOString().replace(/\.\d+Z/, "Z");

class CardSecurity {
  constructor(issuedAt) {
    this.issuedAt = issuedAt;
  }
  postProcess(xml, envelopeKey) {
    const attributes = { identifiantFacturation: "991234567", secteurActivite: "SA07" };
    const statement = Object.entries(attributes)
      .map(
        ([name, value]) =>
          `<saml:Attribute Name="${name}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`,
      )
      .join("");
    const header =
      `<wsse:Security xmlns:wsse="${WSSE}">` +
      `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${randomUUID()}"` +
      ` IssueInstant="${this.issuedAt}" Version="2.0">` +
      `<saml:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">CN=CPS</saml:Issuer>` +
      `<saml:Subject><saml:NameID NameQualifier="CPS">899700427885</saml:NameID></saml:Subject>` +
      `<saml:AttributeStatement>${statement}</saml:AttributeStatement></saml:Assertion></wsse:Security>`;
    const end = `</${envelopeKey}:Header>`;
    const signer = new SignedXml({
      privateKey: readFileSync(key),
      publicCert: readFileSync(certificate),
      signatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
      canonicalizationAlgorithm: EXC_C14N,
    });
    const assertion = "//*[local-name(.)='Assertion']";
    signer.addReference({
      xpath: assertion,
      transforms: [ENVELOPED, EXC_C14N],
      digestAlgorithm: "http://www.w3.org/2001/04/xmlenc#sha256",
    });
    signer.computeSignature(xml.replace(end, header + end), {
      location: { reference: assertion, action: "append" },
    });
    return signer.getSignedXml();
  }
}

const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: true });
// The description names the TLS listener, which is for who has a certificate.
client.setEndpoint(wsdl.replace("?wsdl", ""));

async function search(issuedAt) {
  client.clearSoapHeaders();
  const common = (prefix) =>
    `<${prefix}:Id>${randomUUID()}</${prefix}:Id><${prefix}:Temps>${now()}</${prefix}:Temps>` +
    `<${prefix}:Emetteur>899700427885</${prefix}:Emetteur>`;
  client.addSoapHeader(
    `<ctxbam:ContexteBAM xmlns:ctxbam="urn:siram:bam:ctxbam" Version="01_02">` +
      `${common("ctxbam")}<ctxbam:COUVERTURE></ctxbam:COUVERTURE></ctxbam:ContexteBAM>`,
  );
  client.addSoapHeader(
    `<ctxlps:ContexteLPS xmlns:ctxlps="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">` +
      `${common("ctxlps")}<ctxlps:LPS><ctxlps:IDAM R="4">EXEMPLE01</ctxlps:IDAM>` +
      `<ctxlps:Version>1.0</ctxlps:Version><ctxlps:Instance>${randomUUID()}</ctxlps:Instance>` +
      `<ctxlps:Nom>urn:lps:exemple:1.0</ctxlps:Nom></ctxlps:LPS></ctxlps:ContexteLPS>`,
  );
  const wsa = 'xmlns:wsa="http://www.w3.org/2005/08/addressing"';
  client.addSoapHeader(`<wsa:Action ${wsa}>${ACTION}</wsa:Action>`);
  client.addSoapHeader(`<wsa:MessageID ${wsa}>${randomUUID()}</wsa:MessageID>`);
  client.setSecurity(new CardSecurity(issuedAt));
  try {
    const [result] = await client.rechercherInsAvecTraitsIdentiteAsync({
      NomNaissance: "ADRTROIS",
      Prenom: "DOMINIQUE",
      Sexe: "F",
      DateNaissance: "1997-02-26",
    });
    return result.CR.CodeCR;
  } catch (error) {
    const detail = error.root?.Envelope?.Body?.Fault?.Detail;
    const problems = [detail?.problem].flat().map((problem) => problem?.attributes?.rule);
    return { code: detail?.Erreur?.attributes?.code, problems };
  }
}

tell({ fresh: await search(now()), stale: await search("2022-03-01T10:32:00Z") });
