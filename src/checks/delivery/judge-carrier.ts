import type { DeliveryCause } from './causes.ts';
import { withMoreSaid } from '../../engine/words.ts';
import type { Severity } from '../../core/severity.ts';
import { type Finding, isFault, note } from '../../engine/model.ts';
import type { Carrier } from '../../config/schema/path.ts';

/** Findings from the path checks about a host that delivers codes, by check. */
export interface CarrierFindings {
  readonly carries: Carrier;
  readonly host: string;
  readonly port: number;
  readonly severity: Severity;
  readonly found: Readonly<Record<string, readonly Finding[] | null>>;
}

const OF_TLS = 'tls-genuine';

export function judgeCarrier(carrier: CarrierFindings): readonly Finding<DeliveryCause>[] {
  const facts = { host: carrier.host, port: String(carrier.port) };
  return Object.entries(carrier.found).flatMap(([stage, findings]) =>
    (findings ?? []).map((finding): Finding<DeliveryCause> => {
      const told = { ...finding, facts: { ...finding.facts, ...facts } };
      const suggests = isFault(finding) ? causeOf(carrier.carries, stage, finding) : null;
      if (suggests === null) return noteOf(told, carrier.carries);
      const { kind: _, ...rest } = told;
      // Phones outside the network may get a different result than this machine.
      const doubt = carrier.carries === 'answers' ? ({ confidence: 'suspected' } as const) : {};
      return { ...rest, ...doubt, suggests, level: levelOf(finding, carrier), explainedBy: [stage] };
    }),
  );
}

const UNREACHABLE: Readonly<Record<Exclude<Carrier, 'answers'>, DeliveryCause>> = {
  push: 'push-unreachable',
  sms: 'sms-gateway-unreachable',
  fortigate: 'fortigate-activation-unreachable',
  cloud: 'fortitoken-cloud-unreachable',
};

/** Returns null if the finding suggests no cause, or if this machine cannot determine the cause. */
function causeOf(carries: Carrier, stage: string, finding: Finding): DeliveryCause | null {
  if (carries === 'answers')
    return stage === OF_TLS && finding.suggests !== 'tls-blocked' ? 'push-certificate-refused' : null;
  return isOfTheWay(stage, finding) ? UNREACHABLE[carries] : null;
}

/** Only confirmed TLS faults count, because Fortinet does not publish which authority its delivery hosts use. */
function isOfTheWay(stage: string, { suggests, confidence }: Finding): boolean {
  if (stage !== OF_TLS) return true;
  return confidence !== 'suspected' && (suggests === 'tls-intercepted' || suggests === 'tls-blocked');
}

function levelOf({ level }: Finding, { carries, severity }: CarrierFindings): Finding['level'] {
  if (severity === 'info') return 'note';
  return severity === 'critical' && carries !== 'answers' ? level : 'warning';
}

const FROM_INSIDE = 'this was checked from inside the network, so phones outside may not be affected';

function noteOf(told: Finding, carries: Carrier): Finding<never> {
  const isFailure = isFault(told) || told.level === 'unknown';
  if (carries !== 'answers' || !isFailure) return note(told);
  return note(withMoreSaid(told, '; ', FROM_INSIDE));
}
