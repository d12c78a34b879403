package salus.interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.server.FifoMemoryPagingProvider;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.r4.model.*;

/**
 * A hospital's FHIR R4 server on this computer, from HAPI FHIR's own parts; its memory is its store. Access is given as SMART Backend
 * Services asks. Arguments: the file of the registered client's public keys. Prints its base address when it is ready.
 */
public final class HospitalServer {
  public static void main(String[] args) throws Exception {
    FhirContext fhir = FhirContext.forR4();
    // What FHIR does not know is refused, not passed over.
    fhir.setParserErrorHandler(new StrictErrorHandler());
    Server server = new Server(new InetSocketAddress("127.0.0.1", 0));
    ServletContextHandler context = new ServletContextHandler("/");
    Access access = new Access(Files.readString(Path.of(args[0])));
    Validation validation = new Validation(fhir);
    ArrayList<Stored<?>> providers = new ArrayList<>();
    for (Class<? extends Resource> type : Stored.TYPES) providers.add(new Stored<>(fhir, type, validation));
    RestfulServer rest = new RestfulServer(fhir);
    rest.setResourceProviders(new ArrayList<>(providers));
    rest.setPagingProvider(new FifoMemoryPagingProvider(50).setDefaultPageSize(5).setMaximumPageSize(5));
    rest.registerInterceptor(access);
    context.addServlet(new ServletHolder(access.tokens()), "/fhir/token");
    context.addServlet(new ServletHolder(access.configuration()), "/fhir/.well-known/smart-configuration");
    context.addServlet(new ServletHolder(rest), "/fhir/*");
    server.setHandler(context);
    ServerConnector connector = (ServerConnector) server.getConnectors()[0];
    connector.open();
    String base = "http://127.0.0.1:" + connector.getLocalPort() + "/fhir";
    access.at(base);
    rest.setServerAddressStrategy(new HardcodedServerAddressStrategy(base));
    server.start();
    System.out.println(base);
    // Its life is its parent's.
    while (System.in.read() >= 0) {}
    server.stop();
    System.exit(0);
  }
}
