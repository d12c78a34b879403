package salus.interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Patient;

/**
 * HAPI FHIR's client at the endpoint of a person's agent. Arguments: base address, file of the token, LOINC code of an observation. Prints
 * what it saw as one JSON object.
 */
public final class RecordClient {
  public static void main(String[] args) throws Exception {
    FhirContext fhir = FhirContext.forR4();
    fhir.setParserErrorHandler(new StrictErrorHandler());
    // Before its first request the client asks for the CapabilityStatement, and refuses what is no R4.
    IGenericClient client = fhir.newRestfulGenericClient(args[0]);
    client.registerInterceptor(new BearerTokenAuthInterceptor(Files.readString(Path.of(args[1]))));
    CapabilityStatement says = client.capabilities().ofType(CapabilityStatement.class).execute();
    Bundle page = client.search().forResource(Observation.class).sort().descending(Observation.DATE).count(3)
        .returnBundle(Bundle.class).execute();
    int total = page.getTotal();
    int seen = page.getEntry().size();
    int pages = 1;
    while (page.getLink(Bundle.LINK_NEXT) != null) {
      page = client.loadPage().next(page).execute();
      seen += page.getEntry().size();
      pages++;
    }
    Bundle coded = client.search().forResource(Observation.class).where(Observation.CODE.exactly().systemAndCode("http://loinc.org", args[2]))
        .where(Observation.DATE.afterOrEquals().day("1900-01-01")).usingStyle(ca.uhn.fhir.rest.api.SearchStyleEnum.POST)
        .returnBundle(Bundle.class).execute();
    Bundle people = client.search().forResource(Patient.class).returnBundle(Bundle.class).execute();
    String id = people.getEntryFirstRep().getResource().getIdElement().getIdPart();
    Patient read = client.read().resource(Patient.class).withId(id).execute();
    boolean isMissed = false;
    try {
      client.read().resource(Patient.class).withId("nobody").execute();
    } catch (ResourceNotFoundException expected) {
      isMissed = expected.getOperationOutcome() != null;
    }
    System.out.printf(
        "{\"fhirVersion\":\"%s\",\"total\":%d,\"seen\":%d,\"pages\":%d,\"coded\":%d,\"patient\":\"%s\",\"isMissed\":%b}%n",
        says.getFhirVersion().toCode(), total, seen, pages, coded.getEntry().size(), read.getIdElement().getIdPart(), isMissed);
  }
}
