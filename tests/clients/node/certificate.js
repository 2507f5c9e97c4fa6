// openid-client: a client that presents a certificate (tls_client_auth), through the aliases that
// the discovery document gives. Node's own https carries it.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import * as client from "openid-client";
import { logIn } from "./login.js";
import { setting, tell } from "./setting.js";

const { discovery, clientId, ca, certificate, key } = setting;
const tls = { ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) };

function overTls(url, { method, headers, body }) {
  if (!url.startsWith("https:")) return fetch(url, { method, headers, body, redirect: "manual" });
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...tls, method, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve(
          new Response(Buffer.concat(chunks), { status: answer.statusCode, headers: answer.headers }),
        ),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined || body === null ? undefined : body.toString());
  });
}

const config = await client.discovery(
  new URL(discovery),
  clientId,
  { use_mtls_endpoint_aliases: true },
  client.TlsClientAuth(),
  { execute: [client.allowInsecureRequests], [client.customFetch]: overTls },
);
config[client.customFetch] = overTls;
const tokens = await logIn(config, setting);
const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
const introspected = await client.tokenIntrospection(config, tokens.access_token);
tell({ userinfo, introspected });
