package salus.interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseOperationOutcome;

/** HL7's own validator, as HAPI FHIR carries it, with the definitions of R4. */
final class Validation {
  private final FhirValidator validator;

  Validation(FhirContext fhir) {
    FhirInstanceValidator instances =
        new FhirInstanceValidator(
            new ValidationSupportChain(
                new DefaultProfileValidationSupport(fhir),
                new InMemoryTerminologyServerValidationSupport(fhir),
                new CommonCodeSystemsTerminologyService(fhir)));
    // Profiles and codes of others are not on this computer.
    instances.setErrorForUnknownProfiles(false);
    instances.setNoTerminologyChecks(true);
    instances.setAnyExtensionsAllowed(true);
    validator = fhir.newValidator().registerValidatorModule(instances);
  }

  IBaseOperationOutcome of(String text) {
    return validator.validateWithResult(text).toOperationOutcome();
  }
}
