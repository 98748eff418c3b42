// A real OpenID provider (oidc-provider, certified) on this machine: node provider.mjs PORT REDIRECT_URI
// Whoever logs in is who they say they are: the name typed becomes subject and e-mail.
import { Provider } from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const provider = new Provider(`http://localhost:${port}`, {
  clients: [{ client_id: "thingsviz", client_secret: "only-for-this-test", redirect_uris: [redirect] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["only-for-this-test"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => false },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unverified") }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
