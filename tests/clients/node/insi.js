// soap (npm), the library under the public Node client of INSi: WSDL, certificate, search.
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import https from "node:https";
import soap from "soap";
import { setting, tell } from "./setting.js";

const { wsdl, ca, certificate, key, now } = setting;
const tls = { ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) };
const ACTION = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite";

const client = await soap.createClientAsync(wsdl, {
  forceSoap12Headers: true,
  wsdl_options: { httpsAgent: new https.Agent(tls) },
});
client.setSecurity(new soap.ClientSSLSecurity(tls.key, tls.cert, tls.ca));

function prepare() {
  client.clearSoapHeaders();
  const common = (prefix) =>
    `<${prefix}:Id>${randomUUID()}</${prefix}:Id><${prefix}:Temps>${now}</${prefix}:Temps>` +
    `<${prefix}:Emetteur>10B0152872</${prefix}:Emetteur>`;
  client.addSoapHeader(
    `<ctxbam:ContexteBAM xmlns:ctxbam="urn:siram:bam:ctxbam" Nature="CTXBAM" Version="01_02">` +
      `${common("ctxbam")}<ctxbam:COUVERTURE/></ctxbam:ContexteBAM>`,
  );
  client.addSoapHeader(
    `<ctxlps:ContexteLPS xmlns:ctxlps="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">` +
      `${common("ctxlps")}<ctxlps:LPS><ctxlps:IDAM R="4">EXEMPLE01</ctxlps:IDAM>` +
      `<ctxlps:Version>1.0</ctxlps:Version><ctxlps:Instance>${randomUUID()}</ctxlps:Instance>` +
      `<ctxlps:Nom>urn:lps:exemple:1.0</ctxlps:Nom></ctxlps:LPS></ctxlps:ContexteLPS>`,
  );
  const wsa = 'xmlns:wsa="http://www.w3.org/2005/08/addressing"';
  client.addSoapHeader(`<wsa:Action ${wsa}>${ACTION}</wsa:Action>`);
  client.addSoapHeader(`<wsa:MessageID ${wsa}>uuid:${randomUUID()}</wsa:MessageID>`);
}

async function search(traits) {
  prepare();
  const [result] = await client.rechercherInsAvecTraitsIdentiteAsync(traits);
  return result;
}

const found = await search({
  NomNaissance: "ADRTROIS",
  Prenom: "DOMINIQUE",
  Sexe: "F",
  DateNaissance: "1997-02-26",
  LieuNaissance: "2A020",
});
const none = await search({
  NomNaissance: "HOUILLES",
  Prenom: "PIERRE",
  Sexe: "M",
  DateNaissance: "1993-01-27",
});
let refused = {};
try {
  await search({ NomNaissance: "d'Æion", Prenom: "CŒUR", Sexe: "M", DateNaissance: "1987-01-01" });
} catch (error) {
  const erreur = error.root?.Envelope?.Body?.Fault?.Detail?.Erreur;
  refused = { code: erreur?.attributes?.code };
}
tell({ found, none, refused });
