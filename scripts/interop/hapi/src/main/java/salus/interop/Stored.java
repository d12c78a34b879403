package salus.interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.annotation.*;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.server.IBundleProvider;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.param.DateRangeParam;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.server.SimpleBundleProvider;
import ca.uhn.fhir.rest.server.provider.HashMapResourceProvider;
import java.util.Date;
import java.util.List;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.*;

/** Resources of one type: HAPI's store in memory, and the searches that a sync asks. */
public final class Stored<T extends Resource> extends HashMapResourceProvider<T> {
  static final List<Class<? extends Resource>> TYPES =
      List.of(
          Patient.class, AllergyIntolerance.class, Condition.class, DiagnosticReport.class, DocumentReference.class, Encounter.class,
          Immunization.class, MedicationRequest.class, MedicationStatement.class, Observation.class, Procedure.class, Bundle.class,
          CarePlan.class, CareTeam.class, Claim.class, ExplanationOfBenefit.class, Goal.class, ImagingStudy.class, Device.class,
          Organization.class, Practitioner.class);
  private final FhirContext fhir;
  private final Validation validation;

  Stored(FhirContext fhir, Class<T> type, Validation validation) {
    super(fhir, type);
    this.fhir = fhir;
    this.validation = validation;
  }

  /** HAPI's store notes versions, but not when. */
  @Update
  @Override
  public MethodOutcome update(@ResourceParam T resource, @ConditionalUrlParam String condition, RequestDetails request) {
    resource.getMeta().setLastUpdated(new Date());
    return super.update(resource, condition, request);
  }

  @Search
  public IBundleProvider ofPatient(
      @RequiredParam(name = "patient") ReferenceParam patient, @OptionalParam(name = "_lastUpdated") DateRangeParam updated) {
    return found(each -> refersTo(each, "Patient/" + patient.getIdPart()), updated);
  }

  @Search
  public IBundleProvider named(
      @RequiredParam(name = "_id") ca.uhn.fhir.rest.param.TokenParam id, @OptionalParam(name = "_lastUpdated") DateRangeParam updated) {
    return found(each -> each.getIdElement().getIdPart().equals(id.getValue()), updated);
  }

  @Validate
  public MethodOutcome validate(@ResourceParam String text) {
    return new MethodOutcome().setOperationOutcome(validation.of(text));
  }

  private IBundleProvider found(java.util.function.Predicate<IBaseResource> wanted, DateRangeParam updated) {
    return new SimpleBundleProvider(
        getStoredResources().stream().filter(wanted).filter(each -> isIn(updated, each.getMeta().getLastUpdated())).toList());
  }

  private boolean refersTo(IBaseResource resource, String name) {
    return fhir.newTerser().getAllPopulatedChildElementsOfType(resource, Reference.class).stream()
        .map(Reference::getReferenceElement)
        .map(IIdType::toUnqualifiedVersionless)
        .anyMatch(each -> each.getValue() != null && each.getValue().equals(name));
  }

  private static boolean isIn(DateRangeParam range, Date at) {
    if (range == null) return true;
    Date from = range.getLowerBoundAsInstant();
    Date to = range.getUpperBoundAsInstant();
    return (from == null || !at.before(from)) && (to == null || !at.after(to));
  }
}
