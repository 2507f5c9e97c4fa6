package fr.socle.clients;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.client.interceptor.SimpleRequestHeaderInterceptor;
import ca.uhn.fhir.rest.gclient.StringClientParam;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.r4.model.BooleanType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.Organization;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Practitioner;
import org.hl7.fhir.r4.model.PractitionerRole;
import org.hl7.fhir.r4.model.StringType;

/** The Annuaire Santé as HAPI asks it: search, pages, includes, POST, read, and a FHIRPath patch. */
public final class AnnuaireClient {
    private static final String METADATA =
        "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-mailbox-mss-metadata";

    public static void main(String[] arguments) throws Exception {
        JsonNode setting = Told.setting();
        FhirContext context = FhirContext.forR4();
        context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
        context.getRestfulClientFactory().setSocketTimeout(30_000);
        IGenericClient client = context.newRestfulGenericClient(setting.get("base").asText());
        client.registerInterceptor(
            new SimpleRequestHeaderInterceptor("ESANTE-API-KEY", setting.get("key").asText()));
        String mailbox = setting.get("mailbox").asText();

        Bundle person = client.search().forResource(Practitioner.class)
            .where(Practitioner.IDENTIFIER.exactly().code(setting.get("rpps").asText()))
            .revInclude(PractitionerRole.INCLUDE_PRACTITIONER)
            .returnBundle(Bundle.class).execute();
        Practitioner practitioner = (Practitioner) person.getEntryFirstRep().getResource();
        Bundle byMailbox = client.search().forResource(Practitioner.class)
            .where(new StringClientParam("mailbox-mss").contains().value(mailbox))
            .returnBundle(Bundle.class).usingStyle(SearchStyleEnum.POST).execute();

        List<String> walked = new ArrayList<>();
        Bundle page = client.search().forResource(Organization.class)
            .where(Organization.ACTIVE.exactly().code("true")).count(4)
            .returnBundle(Bundle.class).execute();
        int total = page.getTotal();
        while (true) {
            page.getEntry().forEach(one -> walked.add(one.getResource().getIdElement().getIdPart()));
            if (page.getLink(Bundle.LINK_NEXT) == null) {
                break;
            }
            page = client.loadPage().next(page).execute();
        }

        MethodOutcome patched = client.patch().withFhirPatch(redList(mailbox))
            .withId(practitioner.getIdElement().toUnqualifiedVersionless()).execute();
        Practitioner read = client.read().resource(Practitioner.class)
            .withId(practitioner.getIdElement().getIdPart()).execute();

        Told.say(Map.of(
            "family", practitioner.getNameFirstRep().getFamily(),
            "included", person.getEntry().size() - 1,
            "address", ((Practitioner) byMailbox.getEntryFirstRep().getResource())
                .getTelecomFirstRep().getValue(),
            "total", total,
            "walked", walked,
            "version", patched.getResource().getMeta().getVersionId(),
            "hidden", read.getTelecomFirstRep().getExtensionByUrl(METADATA)
                .getExtensionByUrl("listeRouge").getValue().primitiveValue(),
            "refused", refused(client)));
        System.exit(0);
    }

    private static Parameters redList(String mailbox) {
        Parameters patch = new Parameters();
        Parameters.ParametersParameterComponent operation = patch.addParameter().setName("operation");
        operation.addPart().setName("type").setValue(new CodeType("replace"));
        operation.addPart().setName("path").setValue(new StringType(
            "Practitioner.telecom.where(value = '" + mailbox + "').extension('" + METADATA
            + "').extension('listeRouge').value"));
        operation.addPart().setName("value").setValue(new BooleanType(true));
        return patch;
    }

    private static String refused(IGenericClient client) {
        try {
            client.search().forResource(Practitioner.class)
                .where(new TokenClientParam("favourite").exactly().code("1"))
                .returnBundle(Bundle.class).execute();
            return "";
        } catch (BaseServerResponseException refusal) {
            return refusal.getMessage();
        }
    }
}
