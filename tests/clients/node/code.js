// openid-client: login by code with PKCE, refresh, userinfo, introspection, revocation, logout.
import * as client from "openid-client";
import { visit } from "./browser.js";
import { logIn } from "./login.js";
import { setting, tell } from "./setting.js";

const { discovery, clientId, secret, redirectUri, signed } = setting;
const config = await client.discovery(
  new URL(discovery),
  clientId,
  signed ? { userinfo_signed_response_alg: "RS256" } : undefined,
  client.ClientSecretBasic(secret),
  { execute: [client.allowInsecureRequests] },
);
const tokens = await logIn(config, setting);
const subject = tokens.claims().sub;
const userinfo = await client.fetchUserInfo(config, tokens.access_token, subject);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const introspected = await client.tokenIntrospection(config, refreshed.access_token);
const goodbye = await visit(
  client.buildEndSessionUrl(config, {
    id_token_hint: refreshed.id_token ?? tokens.id_token,
    post_logout_redirect_uri: redirectUri,
    state: "bye",
  }),
);
const after = await client.tokenIntrospection(config, refreshed.access_token);
await client.tokenRevocation(config, refreshed.refresh_token);
tell({
  userinfo,
  introspected,
  goodbye: goodbye.href,
  activeAfterLogout: after.active,
  refreshedAnew: refreshed.access_token !== tokens.access_token,
});
