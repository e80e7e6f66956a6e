import { type Explanation, type Finding, isFault, note, warning } from '../../engine/model.ts';
import { nameList } from '../../core/visible-text.ts';
import { type Declaration, type Facts, type Judgement, withAppliance } from '../check.ts';
import { foundAt } from '../stages.ts';
import { withMoreSaid } from '../../engine/words.ts';
import type { Carrier, ServiceConfig } from '../../config/schema/watched.ts';
import { fromRound, judged, notConfigured, withFindings } from '../judgement.ts';
import { DELIVERY_CAUSES } from './causes.ts';
import type { ApplianceFacts } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/observation.ts';
import { memoryBeside } from '../appliance/judge.ts';

type DeliveryCause = keyof typeof DELIVERY_CAUSES;

const OF_TLS = 'tls-genuine';

type CarrierConfig = Pick<ServiceConfig, 'host' | 'port' | 'severity'> & { readonly carries: Carrier };

/** @param found by stage; null if there was nothing to evaluate */
export function judgeCarrier(
  carrier: CarrierConfig,
  found: Readonly<Record<string, readonly Finding[] | null>>,
): readonly Finding<DeliveryCause>[] {
  const { carries, host, port } = carrier;
  return Object.entries(found).flatMap(([stage, findings]) =>
    (findings ?? []).map((finding): Finding<DeliveryCause> => {
      const told = { ...finding, facts: { ...finding.facts, host, port: String(port) } };
      const suggests = isFault(finding) ? causeOf(carries, stage, finding) : null;
      if (suggests === null) return noteOf(told, carries);
      const { kind: _, ...rest } = told;
      // For phones outside the network, the result may differ from this machine's.
      const doubt = carries === 'answers' ? ({ confidence: 'suspected' } as const) : {};
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

function levelOf({ level }: Finding, { carries, severity }: CarrierConfig): Finding['level'] {
  if (severity === 'info') return 'note';
  return severity === 'critical' && carries !== 'answers' ? level : 'warning';
}

const FROM_INSIDE = 'this was checked from inside the network, so phones outside may not be affected';

function noteOf(told: Finding, carries: Carrier): Finding<never> {
  const isFailure = isFault(told) || told.level === 'unknown';
  if (carries !== 'answers' || !isFailure) return note(told);
  return note(withMoreSaid(told, '; ', FROM_INSIDE));
}

/** A warning is raised if less than this share of the purchased SMS messages remains. */
const LOW = 0.1;

/** A unit without purchased messages uses a separate SMS gateway or does not send SMS messages. */
function judgeSms(facts: ApplianceFacts): readonly Finding<DeliveryCause>[] {
  const quota = valueOf(facts.sms);
  if (quota === null || quota.total === 0) return [];
  const { total, available } = quota;
  const [left, bought] = [String(available), String(total)];
  if (available === 0) {
    const claim = `None of the ${bought} purchased SMS messages are left.`;
    const expected = 'at least one SMS left';
    return [warning('sms-exhausted', withAppliance(facts, { rule: 'sms-left', claim, expected }))];
  }
  if (available / total >= LOW) return [];
  const expected = `at least a tenth of the purchased SMS messages left`;
  const claim = `Only ${left} of the ${bought} purchased SMS messages are left.`;
  return [warning('sms-running-out', withAppliance(facts, { rule: 'sms-left', claim, expected }))];
}

/**
 * These checks also cover the licence server. A fault that affects both a service and the licence server is reported
 * only for the licence server.
 */
const SHARED_WAY = ['name-resolution', 'reachability', 'tls-genuine'] as const;

export const delivery: Declaration<'delivery', DeliveryCause> = {
  id: 'delivery',
  title: 'Delivery',
  dependsOn: [
    { kind: 'explained', by: 'internet', when: isOfTheWayAlone, evidence: false, warnings: 'all' },
    ...SHARED_WAY.map(
      (by): Explanation => ({
        kind: 'explained',
        by,
        when: (findings) => faultsIn(findings).every(({ explainedBy }) => explainedBy?.includes(by) === true),
        evidence: true,
        warnings: 'all',
      }),
    ),
  ],
  countsForReady: true,
  causes: DELIVERY_CAUSES,
  unknownRemedy: 'Give ftm-watch the same access as FortiAuthenticator to the hosts in "services" that deliver codes.',
  place: { kind: 'branch', name: 'Delivery', hint: 'push, SMS and other services' },
  step: 'code',
  causeSteps: { 'push-unreachable': 'phone', 'push-certificate-refused': 'phone' },
  sources: ['round'],
  judge: (facts) => {
    const own = fromRound('delivery', judgeCarriers(facts), facts);
    const units = facts.picture.appliances;
    return withFindings(own, [
      ...units.flatMap(({ rest }) => (rest?.kind === 'ok' ? judgeSms(rest) : [])),
      ...memoryBeside(own.findings.filter(needsMemory), units, () => null),
    ]);
  },
};

function faultsIn(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(isFault);
}

/** A low SMS quota, for example, is not a fault on the path. */
function isOfTheWayAlone(findings: readonly Finding[]): boolean {
  return faultsIn(findings).every(({ explainedBy }) => explainedBy !== undefined);
}

function judgeCarriers({ round: { targets } }: Facts): Judgement {
  const carriers = targets.flatMap((target) => {
    const { service } = target;
    return service === null || service.carries === null
      ? []
      : [{ target, own: { ...service, carries: service.carries } }];
  });
  if (carriers.length === 0) return notConfigured('No service that delivers codes is configured');
  const names = nameList(carriers.map(({ own: { host } }) => host));
  return judged(
    carriers.flatMap(({ own, target }) => judgeCarrier(own, foundAt(target))),
    `No fault was found on the path to ${names}`,
  );
}

/** FortiAuthenticator cannot send push notifications while it is swapping (ta-p/385019). */
function needsMemory({ suggests }: Finding): boolean {
  return suggests === 'push-unreachable';
}
