package salus.interop;

import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Interceptor;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** SMART Backend Services: tokens for signed statements of a registered client, and nothing without a token. */
@Interceptor
public final class Access {
  private static final long LIFE_MS = 300_000;
  private static final String ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
  private final Map<String, Long> tokens = new ConcurrentHashMap<>();
  private final Set<String> used = ConcurrentHashMap.newKeySet();
  private final JWKSet keys;
  private String base = "";

  Access(String jwks) throws java.text.ParseException {
    keys = JWKSet.parse(jwks);
  }

  void at(String address) {
    base = address;
  }

  @Hook(Pointcut.SERVER_INCOMING_REQUEST_PRE_HANDLED)
  public void admit(RequestDetails request) {
    String header = request.getHeader("Authorization");
    Long until = header == null ? null : tokens.get(header.replaceFirst("^Bearer ", ""));
    if (until == null || until < System.currentTimeMillis()) throw new AuthenticationException("No valid token.");
  }

  HttpServlet configuration() {
    return new HttpServlet() {
      @Override
      protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        json(response, 200, "{\"token_endpoint\":\"" + base + "/token\",\"capabilities\":[\"client-confidential-asymmetric\"]}");
      }
    };
  }

  HttpServlet tokens() {
    return new HttpServlet() {
      @Override
      protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        boolean isForm =
            "client_credentials".equals(request.getParameter("grant_type")) && ASSERTION.equals(request.getParameter("client_assertion_type"));
        if (!isForm || !isSigned(request.getParameter("client_assertion"))) {
          json(response, 400, "{\"error\":\"invalid_client\"}");
          return;
        }
        String token = UUID.randomUUID().toString();
        tokens.put(token, System.currentTimeMillis() + LIFE_MS);
        json(response, 200, "{\"access_token\":\"" + token + "\",\"token_type\":\"bearer\",\"expires_in\":" + LIFE_MS / 1000 + "}");
      }
    };
  }

  private boolean isSigned(String assertion) {
    try {
      DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
      processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT));
      processor.setJWSKeySelector(
          new JWSVerificationKeySelector<>(Set.of(JWSAlgorithm.ES384, JWSAlgorithm.RS384), new ImmutableJWKSet<>(keys)));
      JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer("salus").subject("salus").build();
      processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(base + "/token", exact, Set.of("jti", "exp")));
      // Each statement is good for one token.
      return used.add(processor.process(assertion, null).getJWTID());
    } catch (Exception refused) {
      return false;
    }
  }

  private static void json(HttpServletResponse response, int status, String body) throws IOException {
    response.setStatus(status);
    response.setContentType("application/json");
    response.getWriter().write(body);
  }
}
