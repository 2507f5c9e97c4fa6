// openid-client: CIBA in poll mode. The test plays the phone once it has read the first line.
import * as client from "openid-client";
import { setting, tell } from "./setting.js";

const { discovery, clientId, secret, person } = setting;
const config = await client.discovery(
  new URL(discovery),
  clientId,
  undefined,
  client.ClientSecretPost(secret),
  { execute: [client.allowInsecureRequests] },
);
const started = await client.initiateBackchannelAuthentication(config, {
  scope: "openid scope_all",
  acr_values: "eidas1",
  login_hint: person,
  binding_message: "42",
  channel: "MOBILE",
});
tell({ expires_in: started.expires_in, interval: started.interval });
try {
  const tokens = await client.pollBackchannelAuthenticationGrant(config, started);
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
  tell({ userinfo, session: refreshed.session_state === tokens.session_state });
} catch (error) {
  tell({ error: error.error, description: error.error_description });
}
