// openid-client: a client that signs its assertions (private_key_jwt). It makes its key itself,
// so that what the test enrols is what a vendor's own tool writes.
import * as client from "openid-client";
import { exportJWK, generateKeyPair } from "jose";
import { logIn } from "./login.js";
import { setting, tell } from "./setting.js";

const { discovery, enrolment, clientId, redirectUri, alg } = setting;
const pair = await generateKeyPair(alg, { extractable: true });
const jwk = { ...(await exportJWK(pair.publicKey)), kid: "vendor-1", alg, use: "sig" };
const enrolled = await fetch(enrolment, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({
    client_id: clientId,
    name: "Logiciel à clé",
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [jwk] },
    redirect_uris: [redirectUri],
    id_token_signed_response_alg: "ES256",
  }),
});
if (enrolled.status !== 201) throw new Error(await enrolled.text());
const config = await client.discovery(
  new URL(discovery),
  clientId,
  { id_token_signed_response_alg: "ES256" },
  client.PrivateKeyJwt({ key: pair.privateKey, kid: "vendor-1" }),
  { execute: [client.allowInsecureRequests] },
);
const tokens = await logIn(config, setting);
tell({ claims: tokens.claims(), introspected: await client.tokenIntrospection(config, tokens.access_token) });
