// A login by code with PKCE, state and nonce, as openid-client's documentation writes it.
import * as client from "openid-client";
import { visit } from "./browser.js";

export async function logIn(config, { redirectUri, person, pushed = false }) {
  const codeVerifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const parameters = {
    redirect_uri: redirectUri,
    scope: "openid scope_all",
    acr_values: "eidas1",
    login_hint: person,
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: "S256",
    state,
    nonce,
  };
  const start = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters)
    : client.buildAuthorizationUrl(config, parameters);
  return client.authorizationCodeGrant(config, await visit(start), {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
}
