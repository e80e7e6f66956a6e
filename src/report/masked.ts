import type { Cause } from '../engine/cause.ts';
import type { Diagnosis, PreconditionStatus } from '../engine/diagnosis.ts';
import type { Mask } from '../text/mask.ts';

/**
 * Without what tells who a person is. Summary, findings and evidence quote what peers and logs said; impact and remedy
 * are our own words.
 */
export function maskedDiagnosis(diagnosis: Diagnosis, mask: Mask): Diagnosis {
  return {
    ...diagnosis,
    preconditions: diagnosis.preconditions.map((status) => maskedStatus(status, mask)),
    causes: diagnosis.causes.map((cause) => maskedCause(cause, mask)),
  };
}

export function maskedCause(cause: Cause, mask: Mask): Cause {
  return { ...cause, summary: mask.line(cause.summary), evidence: cause.evidence.map((line) => mask.line(line)) };
}

function maskedStatus(status: PreconditionStatus, mask: Mask): PreconditionStatus {
  return {
    ...status,
    summary: mask.line(status.summary),
    findings: status.findings.map((finding) => ({
      ...finding,
      subject: mask.line(finding.subject),
      claim: mask.line(finding.claim),
      ...(finding.quote === undefined ? {} : { quote: mask.line(finding.quote) }),
      expected: mask.line(finding.expected),
      actual: mask.line(finding.actual),
    })),
  };
}

/** Every text in data that is to become JSON; its keys are our own. */
export function maskedData(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.line(value);
  if (Array.isArray(value)) return value.map((item) => maskedData(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskedData(item, mask)]));
}
