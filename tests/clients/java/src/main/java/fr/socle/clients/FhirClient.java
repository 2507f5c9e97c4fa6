package fr.socle.clients;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import org.hl7.fhir.r4.model.Binary;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.DocumentReference;
import org.hl7.fhir.r4.model.OperationOutcome;

/** ITI-65, ITI-67 and ITI-68, one after the other, as HAPI sends them. */
public final class FhirClient {
    public static void main(String[] arguments) throws Exception {
        JsonNode setting = Told.setting();
        FhirContext context = FhirContext.forR4();
        context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
        context.getRestfulClientFactory().setSocketTimeout(30_000);
        IGenericClient client = context.newRestfulGenericClient(setting.get("base").asText());
        client.registerInterceptor(new BearerTokenAuthInterceptor(setting.get("token").asText()));

        Bundle bundle = context.newJsonParser().parseResource(
            Bundle.class, Files.readString(Path.of(setting.get("bundle").asText())));
        Bundle provided = client.transaction().withBundle(bundle).execute();

        Bundle found = client.search().forResource(DocumentReference.class)
            .whereMap(Map.of(
                "patient.identifier", java.util.List.of(setting.get("patient").asText()),
                "status", java.util.List.of("current")))
            .returnBundle(Bundle.class).usingStyle(ca.uhn.fhir.rest.api.SearchStyleEnum.POST).execute();
        DocumentReference reference = (DocumentReference) found.getEntryFirstRep().getResource();
        DocumentReference read = client.read().resource(DocumentReference.class)
            .withId(reference.getIdElement().getIdPart()).execute();
        String url = read.getContentFirstRep().getAttachment().getUrl();
        Binary binary = client.read().resource(Binary.class)
            .withId(url.substring(url.lastIndexOf('/') + 1)).execute();

        Told.say(Map.of(
            "entries", provided.getEntry().stream().map(one -> one.getResponse().getStatus()).toList(),
            "total", found.getTotal(),
            "type", read.getType().getCodingFirstRep().getCode(),
            "sha256", HexFormat.of().formatHex(
                MessageDigest.getInstance("SHA-256").digest(binary.getData())),
            "refused", refused(client)));
        System.exit(0);
    }

    /** The texts that a vendor reads when a submission is refused. */
    private static java.util.List<String> refused(IGenericClient client) {
        try {
            client.transaction().withBundle(new Bundle().setType(Bundle.BundleType.TRANSACTION)).execute();
            return java.util.List.of();
        } catch (BaseServerResponseException refusal) {
            return ((OperationOutcome) refusal.getOperationOutcome()).getIssue().stream()
                .map(issue -> issue.getDetails().getCoding()).map(codes -> codes.get(codes.size() - 1).getCode()).toList();
        }
    }
}
