package fr.socle.clients;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.util.Map;

/** What a test and a client tell each other: a setting in the environment, a line of JSON back. */
final class Told {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Libraries may print; what they print must not mix with the answer. */
    private static final PrintStream ANSWER = System.out;

    private Told() {}

    static JsonNode setting() throws Exception {
        System.setOut(System.err);
        return JSON.readTree(System.getenv("SETTING"));
    }

    static void say(Map<String, ?> told) throws Exception {
        ANSWER.println(JSON.writeValueAsString(told));
        ANSWER.flush();
    }
}
