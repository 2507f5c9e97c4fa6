package fr.socle.clients;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.activation.DataHandler;
import jakarta.mail.util.ByteArrayDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.CamelContext;
import org.apache.camel.impl.DefaultCamelContext;
import org.openehealth.ipf.commons.ihe.xds.core.metadata.*;
import org.openehealth.ipf.commons.ihe.xds.core.requests.DocumentReference;
import org.openehealth.ipf.commons.ihe.xds.core.requests.ProvideAndRegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.QueryRegistry;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RegisterDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.RetrieveDocumentSet;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.FindDocumentsQuery;
import org.openehealth.ipf.commons.ihe.xds.core.requests.query.QueryReturnType;
import org.openehealth.ipf.commons.ihe.xds.core.responses.QueryResponse;
import org.openehealth.ipf.commons.ihe.xds.core.responses.Response;
import org.openehealth.ipf.commons.ihe.xds.core.responses.RetrievedDocumentSet;
import org.openehealth.ipf.platform.camel.ihe.ws.AbstractWsEndpoint;

/** ITI-41, ITI-18, ITI-43 and ITI-57, one after the other, as IPF sends them. */
public final class XdsClient {
    private final CamelContext camel;
    private final JsonNode setting;

    private XdsClient(CamelContext camel, JsonNode setting) {
        this.camel = camel;
        this.setting = setting;
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode setting = Told.setting();
        try (CamelContext camel = new DefaultCamelContext()) {
            camel.start();
            new XdsClient(camel, setting).run();
        }
        System.exit(0);  // the pool of the HTTP client would keep the program waiting
    }

    private void run() throws Exception {
        byte[] content = Files.readAllBytes(Path.of(text("document")));
        DocumentEntry entry = entry();
        Response provided = send("xds-iti41", "repository", provide(entry, content), Response.class);

        DocumentEntry found = find();
        String entryUuid = found.getEntryUuid();
        RetrievedDocumentSet retrieved =
            send("xds-iti43", "repository", retrieve(found), RetrievedDocumentSet.class);
        byte[] back = retrieved.getDocuments().get(0).getDataHandler().getInputStream().readAllBytes();

        Response updated = send("xds-iti57", "registry", mask(found), Response.class);
        DocumentEntry masked = find();
        Response again = send("xds-iti57", "registry", mask(found), Response.class);

        Told.say(Map.ofEntries(
            Map.entry("provided", provided.getStatus().name()),
            Map.entry("warnings", provided.getErrors().stream().map(one -> one.getCodeContext()).toList()),
            Map.entry("uniqueId", found.getUniqueId()),
            Map.entry("title", found.getTitle().getValue()),
            Map.entry("entryUuid", entryUuid),
            Map.entry("author", found.getAuthors().get(0).getAuthorPerson().getId().getId()),
            Map.entry("retrieved", retrieved.getStatus().name()),
            Map.entry("sha256", sha256(back)),
            Map.entry("updated", updated.getStatus().name()),
            Map.entry("maskedUuid", masked.getEntryUuid()),
            Map.entry("logicalUuid", masked.getLogicalUuid()),
            Map.entry("codes", masked.getConfidentialityCodes().stream().map(Code::getCode).toList()),
            Map.entry("again", again.getErrors().stream().map(one -> one.getErrorCode().name()).toList())));
    }

    private <T> T send(String component, String service, Object body, Class<T> kind) {
        String address = text("host") + "/" + text("path") + "/" + service;
        return camel.createProducerTemplate().requestBodyAndHeader(
            component + "://" + address + "?audit=false", body,
            AbstractWsEndpoint.OUTGOING_HTTP_HEADERS,
            Map.of("Authorization", "Bearer " + text("token")),
            kind);
    }

    private ProvideAndRegisterDocumentSet provide(DocumentEntry entry, byte[] content) {
        var request = new ProvideAndRegisterDocumentSet();
        request.setSubmissionSet(submissionSet(entry));
        var source = new ByteArrayDataSource(content, "text/xml");
        request.getDocuments().add(new Document(entry, new DataHandler(source)));
        request.getAssociations().add(member("Original"));
        return request;
    }

    private DocumentEntry find() {
        var query = new FindDocumentsQuery();
        query.setPatientId(patient());
        query.setStatus(List.of(AvailabilityStatus.APPROVED));
        var request = new QueryRegistry(query);
        request.setReturnType(QueryReturnType.LEAF_CLASS);
        QueryResponse answer = send("xds-iti18", "registry", request, QueryResponse.class);
        return answer.getDocumentEntries().get(0);
    }

    private RetrieveDocumentSet retrieve(DocumentEntry found) {
        var request = new RetrieveDocumentSet();
        request.getDocuments().add(
            new DocumentReference(found.getRepositoryUniqueId(), found.getUniqueId(), null));
        return request;
    }

    private RegisterDocumentSet mask(DocumentEntry found) {
        var request = new RegisterDocumentSet();
        request.setSubmissionSet(submissionSet(found));
        Association member = member("Original");
        member.setPreviousVersion(found.getVersion().getVersionName());
        request.getAssociations().add(member);
        found.setEntryUuid("document01");
        found.getConfidentialityCodes().clear();
        found.getConfidentialityCodes().add(code("confidentiality"));
        found.getConfidentialityCodes().add(
            new Code("MASQUE_PS", new LocalizedString("Masqué aux PS"), "1.2.250.1.213.1.1.4.13"));
        request.getDocumentEntries().add(found);
        return request;
    }

    private DocumentEntry entry() {
        var entry = new DocumentEntry();
        entry.setEntryUuid("document01");
        entry.setUniqueId(text("uniqueId"));
        entry.setPatientId(patient());
        entry.setSourcePatientId(patient());
        entry.setCreationTime(text("creationTime"));
        entry.setServiceStartTime(text("serviceStartTime"));
        entry.setLanguageCode("fr-FR");
        entry.setMimeType("text/xml");
        entry.setSize(setting.get("size").asLong());
        entry.setHash(text("hash"));
        entry.setTitle(new LocalizedString(text("title")));
        entry.setClassCode(code("class"));
        entry.setTypeCode(code("type"));
        entry.setFormatCode(code("format"));
        entry.setHealthcareFacilityTypeCode(code("facility"));
        entry.setPracticeSettingCode(code("practice"));
        entry.getConfidentialityCodes().add(code("confidentiality"));
        entry.getAuthors().add(author());
        entry.setLegalAuthenticator(person());
        return entry;
    }

    private SubmissionSet submissionSet(DocumentEntry entry) {
        var set = new SubmissionSet();
        set.setEntryUuid("submissionSet01");
        set.setUniqueId("2.25." + new java.math.BigInteger(UUID.randomUUID().toString().replace("-", ""), 16));
        set.setSourceId("1.2.250.1.999.1");
        set.setPatientId(patient());
        set.setSubmissionTime(text("creationTime"));
        set.setContentTypeCode(new Code("03", new LocalizedString("Épisode de soins"), "1.2.250.1.213.2.2"));
        set.getAuthors().add(author());
        set.setTitle(new LocalizedString("Lot"));
        return set;
    }

    private static Association member(String label) {
        var member = new Association(
            AssociationType.HAS_MEMBER, "member01", "submissionSet01", "document01");
        member.setLabel(AssociationLabel.fromOpcode(label));
        return member;
    }

    private Author author() {
        var author = new Author();
        author.setAuthorPerson(person());
        author.getAuthorInstitution().add(new Organization("Centre hospitalier"));
        return author;
    }

    private Person person() {
        var name = new XpnName("DOC0042788", "KIT", null, null, null, null);
        return new Person(new Identifiable(text("person"), new AssigningAuthority("1.2.250.1.71.4.2.1")), name);
    }

    private Identifiable patient() {
        return new Identifiable(text("ins"), new AssigningAuthority(text("insOid")));
    }

    private Code code(String name) {
        JsonNode code = setting.get(name);
        return new Code(
            code.get("code").asText(), new LocalizedString(code.get("display").asText()),
            code.get("system").asText());
    }

    private String text(String name) {
        return setting.get(name).asText();
    }

    private static String sha256(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }
}
