// nodemailer sends a mail with an attachment; imapflow waits for it, reads it and files it.
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createTransport } from "nodemailer";
import { ImapFlow } from "imapflow";
import { setting, tell } from "./setting.js";

const tls = { ca: readFileSync(setting.ca) };
const { sender, senderToken, recipient, recipientToken, subject, text, fileName, content, word } =
  setting;

const client = new ImapFlow({
  host: "localhost",
  port: Number(setting.imapPort),
  secure: false,
  doSTARTTLS: true,
  tls,
  auth: { user: recipient, accessToken: recipientToken },
  logger: false,
});
await client.connect();
await client.mailboxOpen("INBOX");
const arrived = new Promise((resolve) => client.once("exists", resolve));
const waiting = client.idle();

const transport = createTransport({
  host: "localhost",
  port: Number(setting.smtpPort),
  secure: false,
  requireTLS: true,
  tls,
  auth: { type: "OAuth2", user: sender, accessToken: senderToken },
});
const mail = {
  from: sender,
  subject,
  text,
  attachments: [{ filename: fileName, content, contentType: "application/zip" }],
  dsn: { id: "lot 1", return: "headers", notify: ["failure"], recipient },
};
const { messageId } = await transport.sendMail({ ...mail, to: recipient });
let refused = "";
try {
  await transport.sendMail({ ...mail, to: "personne@socle.mssante.fr" });
} catch (error) {
  refused = error.response;
}
const { count } = await arrived;

const found = await client.search({ header: { "message-id": messageId }, subject: word, body: word });
const read = await client.fetchOne(String(found[0]), { envelope: true, bodyStructure: true, flags: true });
const { meta, content: stream } = await client.download(String(found[0]), "2");
const hash = createHash("sha256");
for await (const chunk of stream) hash.update(chunk);

await client.mailboxCreate(["Dossiers", "Été & hiver"]);
const { uidMap } = await client.messageMove(String(found[0]), "Dossiers/Été & hiver");
await client.mailboxUnsubscribe("Dossiers");
const listed = await client.list({ statusQuery: { messages: true } });
const quota = await client.getQuota("INBOX");
await client.mailboxRename("Dossiers", "Archives");
await client.mailboxDelete("Archives/Été & hiver");
await client.mailboxDelete("Archives");
await client.logout();
await waiting;

tell({
  refused,
  count,
  found: found.length,
  subject: read.envelope.subject,
  fileName: meta.filename,
  sha256: hash.digest("hex"),
  seen: read.flags.has("\\Seen"),
  moved: uidMap.size,
  folders: Object.fromEntries(
    listed.map((one) => [one.path, [one.status?.messages ?? null, one.subscribed, one.specialUse ?? ""]]),
  ),
  quota: quota.path,
});
