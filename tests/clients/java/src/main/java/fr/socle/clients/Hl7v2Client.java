package fr.socle.clients;

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.model.v25.message.ORU_R01;
import ca.uhn.hl7v2.model.v26.message.MDM_T02;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.util.idgenerator.UUIDGenerator;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A CREATEUR of HAPI's: it sends ORU and MDM, reads each ACK, and listens for ZAM; all with validation. */
public final class Hl7v2Client {
    public static void main(String[] arguments) {
        try {
            run();
            System.exit(0);
        } catch (Exception failure) {
            failure.printStackTrace();
            System.exit(1);  // threads of the listener would keep the program waiting
        }
    }

    private static void run() throws Exception {
        System.setProperty("ca.uhn.hl7v2.llp.charset", StandardCharsets.UTF_8.name());
        JsonNode setting = Told.setting();
        try (HapiContext context = new DefaultHapiContext()) {
            context.setValidationContext(ValidationContextFactory.defaultValidation());
            context.getParserConfiguration().setIdGenerator(new UUIDGenerator());
            PipeParser parser = context.getPipeParser();
            BlockingQueue<Message> heard = new LinkedBlockingQueue<>();
            HL7Service listener = context.newServer(setting.get("listen").asInt(), false);
            listener.registerApplication(listening(heard));
            listener.startAndWait();
            List<Map<String, String>> answers = new ArrayList<>();
            Connection connection =
                context.newClient("127.0.0.1", setting.get("port").asInt(), false);
            for (JsonNode given : setting.get("messages")) {
                Message message = parser.parse(given.asText());
                answers.add(told(message, connection.getInitiator().sendAndReceive(message)));
            }
            connection.close();
            List<Map<String, String>> zams = new ArrayList<>();
            int wanted = setting.get("wanted").asInt();
            while (zams.size() < wanted) {
                Message zam = heard.poll(60, TimeUnit.SECONDS);
                if (zam == null) {
                    break;
                }
                zams.add(zam(zam));
            }
            listener.stopAndWait();
            Told.say(Map.of("answers", answers, "zams", zams));
        }
    }

    /** The type that HAPI knows the message by, and what the answer says. */
    private static Map<String, String> told(Message sent, Message answer) throws HL7Exception {
        String document = "";
        if (sent instanceof ORU_R01 oru) {
            document = oru.getPATIENT_RESULT().getORDER_OBSERVATION().getOBSERVATION().getOBX()
                .getObservationIdentifier().getIdentifier().getValue();
        } else if (sent instanceof MDM_T02 mdm) {
            document = mdm.getOBSERVATION().getOBX().getObservationIdentifier().getIdentifier().getValue();
        }
        Terser terser = new Terser(answer);
        return Map.of(
            "structure", sent.getClass().getSimpleName(),
            "document", document,
            "answer", answer.getClass().getName(),
            "event", terser.get("MSH-9-2"),
            "code", terser.get("MSA-1"),
            "of", terser.get("MSA-2"));
    }

    private static Map<String, String> zam(Message message) throws HL7Exception {
        Terser terser = new Terser(message);
        return Map.of(
            "event", terser.get("MSH-9-2"),
            "version", message.getVersion(),
            "profile", terser.get("MSH-21-2"),
            "kind", terser.get("OBX-3-1"),
            "said", terser.get("OBX-5-1"),
            "of", terser.get("OBX-4"));
    }

    private static ReceivingApplication<Message> listening(BlockingQueue<Message> heard) {
        return new ReceivingApplication<>() {
            @Override
            public Message processMessage(Message message, Map<String, Object> metadata)
                throws HL7Exception {
                heard.add(message);
                try {
                    return message.generateACK();
                } catch (java.io.IOException error) {
                    throw new HL7Exception(error);
                }
            }

            @Override
            public boolean canProcess(Message message) {
                return true;
            }
        };
    }
}
