package fr.socle.clients;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.activation.DataHandler;
import jakarta.mail.Authenticator;
import jakarta.mail.FetchProfile;
import jakarta.mail.Flags;
import jakarta.mail.Folder;
import jakarta.mail.Message;
import jakarta.mail.Multipart;
import jakarta.mail.Part;
import jakarta.mail.PasswordAuthentication;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.Store;
import jakarta.mail.Transport;
import jakarta.mail.UIDFolder;
import jakarta.mail.internet.MimeBodyPart;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import jakarta.mail.search.AndTerm;
import jakarta.mail.search.BodyTerm;
import jakarta.mail.search.HeaderTerm;
import jakarta.mail.search.SubjectTerm;
import jakarta.mail.util.ByteArrayDataSource;
import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.angus.mail.imap.IMAPFolder;
import org.eclipse.angus.mail.imap.IMAPStore;

/** Sends a mail with an attachment, and reads and files it at its recipient's, as Angus Mail does both. */
public final class MailClient {
    private static JsonNode setting;

    public static void main(String[] arguments) throws Exception {
        setting = Told.setting();
        Map<String, Object> told = new TreeMap<>();
        send(told);
        Session session = session("imap", "recipient");
        try (Store store = session.getStore("imap")) {
            store.connect("localhost", setting.get("recipient").asText(), setting.get("recipientToken").asText());
            read((IMAPStore) store, told);
            file((IMAPStore) store, told);
        }
        Told.say(told);
        System.exit(0);
    }

    private static Session session(String protocol, String who) throws Exception {
        String prefix = "mail." + protocol + ".";
        Properties properties = new Properties();
        properties.put(prefix + "host", "localhost");
        properties.put(prefix + "port", setting.get(protocol + "Port").asText());
        properties.put(prefix + "starttls.enable", "true");
        properties.put(prefix + "starttls.required", "true");
        properties.put(prefix + "ssl.checkserveridentity", "true");
        properties.put(prefix + "ssl.socketFactory", trusting());
        properties.put(prefix + "auth.mechanisms", "XOAUTH2");
        properties.put(prefix + "connectiontimeout", "20000");
        properties.put(prefix + "timeout", "20000");
        properties.put("mail.smtp.auth", "true");
        properties.put("mail.smtp.submitter", setting.get("sender").asText());
        properties.put("mail.smtp.dsn.notify", "FAILURE");
        properties.put("mail.mime.encodefilename", "false");
        return Session.getInstance(properties, new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(
                    setting.get(who).asText(), setting.get(who + "Token").asText());
            }
        });
    }

    private static SSLSocketFactory trusting() throws Exception {
        KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
        authorities.load(null, null);
        try (InputStream file = new FileInputStream(setting.get("ca").asText())) {
            authorities.setCertificateEntry("socle", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authorities);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    private static void send(Map<String, Object> told) throws Exception {
        Session session = session("smtp", "sender");
        MimeMessage mail = new MimeMessage(session);
        mail.setFrom(setting.get("sender").asText());
        mail.setRecipients(Message.RecipientType.TO, setting.get("recipient").asText());
        mail.setSubject(setting.get("subject").asText(), "UTF-8");
        MimeBodyPart text = new MimeBodyPart();
        text.setText(setting.get("text").asText(), "UTF-8");
        MimeBodyPart attached = new MimeBodyPart();
        byte[] content = setting.get("content").asText().getBytes(StandardCharsets.UTF_8);
        attached.setDataHandler(new DataHandler(new ByteArrayDataSource(content, "application/zip")));
        attached.setFileName(setting.get("fileName").asText());
        mail.setContent(new MimeMultipart(text, attached));
        Transport.send(mail);
        told.put("messageId", mail.getMessageID());

        mail.setRecipients(Message.RecipientType.TO, "personne@socle.mssante.fr");
        try {
            Transport.send(mail);
        } catch (SendFailedException refusal) {
            told.put("refused", refusal.getNextException().getMessage());
        }
    }

    private static void read(IMAPStore store, Map<String, Object> told) throws Exception {
        told.put("capabilities", List.of("IDLE", "MOVE", "NAMESPACE", "UIDPLUS").stream().filter(one -> has(store, one)).toList());
        told.put("quotaRoot", store.getQuota("INBOX")[0].quotaRoot);
        Folder inbox = store.getFolder("INBOX");
        inbox.open(Folder.READ_WRITE);
        Message[] found = inbox.search(new AndTerm(
            new HeaderTerm("Message-ID", (String) told.get("messageId")),
            new AndTerm(new SubjectTerm(setting.get("word").asText()), new BodyTerm(setting.get("word").asText()))));
        FetchProfile profile = new FetchProfile();
        for (FetchProfile.Item item : List.of(FetchProfile.Item.ENVELOPE, FetchProfile.Item.CONTENT_INFO,
            FetchProfile.Item.FLAGS, FetchProfile.Item.SIZE, UIDFolder.FetchProfileItem.UID)) {
            profile.add(item);
        }
        inbox.fetch(found, profile);
        told.put("found", found.length);
        Message mail = found[0];
        Part attached = ((Multipart) mail.getContent()).getBodyPart(1);
        told.put("subject", mail.getSubject());
        told.put("text", ((Multipart) mail.getContent()).getBodyPart(0).getContent().toString().trim());
        told.put("fileName", attached.getFileName());
        told.put("sha256", HexFormat.of().formatHex(
            MessageDigest.getInstance("SHA-256").digest(attached.getInputStream().readAllBytes())));
        told.put("seen", mail.isSet(Flags.Flag.SEEN));
        inbox.close(false);
    }

    private static boolean has(IMAPStore store, String capability) {
        try {
            return store.hasCapability(capability);
        } catch (Exception error) {
            return false;
        }
    }

    /** Makes a folder with an accent below one that is made by it, moves the mail there, keeps a copy. */
    private static void file(IMAPStore store, Map<String, Object> told) throws Exception {
        Folder filed = store.getFolder("Dossiers/Été & hiver");
        filed.create(Folder.HOLDS_MESSAGES | Folder.HOLDS_FOLDERS);
        filed.setSubscribed(false);
        told.put("subscribed", filed.isSubscribed());
        List<String> walked = new ArrayList<>();
        walk(store.getDefaultFolder(), walked);
        told.put("walked", walked);

        IMAPFolder inbox = (IMAPFolder) store.getFolder("INBOX");
        inbox.open(Folder.READ_WRITE);
        Message[] all = inbox.getMessages();
        inbox.setFlags(all, new Flags("classe"), true);
        inbox.moveMessages(all, filed);
        filed.open(Folder.READ_ONLY);
        told.put("flags", Arrays.asList(filed.getMessage(1).getFlags().getUserFlags()));
        ((IMAPFolder) store.getFolder("Sent")).appendUIDMessages(filed.getMessages());
        told.put("sent", store.getFolder("Sent").getMessageCount());
        filed.close(false);
        inbox.close(true);
        told.put("left", inbox.getMessageCount());
        told.put("renamed", store.getFolder("Dossiers").renameTo(store.getFolder("Archives")));
        told.put("deleted", store.getFolder("Archives").delete(true));
    }

    private static void walk(Folder folder, List<String> walked) throws Exception {
        for (Folder inside : folder.list()) {
            walked.add(inside.getFullName());
            walk(inside, walked);
        }
    }
}
