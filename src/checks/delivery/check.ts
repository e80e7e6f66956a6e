import type { Explanation } from '../../engine/explanation.ts';
import { nameList } from '../../core/name-list.ts';
import { type Assessment, withFindings } from '../../engine/assessment.ts';
import { type Finding, isFault } from '../../engine/finding.ts';
import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured } from '../judgement.ts';
import { memoryBeside } from '../appliance/condition.ts';
import type { RoundFacts } from '../round-facts.ts';
import type { SlowFactsBySource } from '../../sources/registry.ts';
import { DELIVERY_CAUSES, type DeliveryCause } from './causes.ts';
import { judgeCarrier } from './judge-carrier.ts';
import { judgeSms } from './judge-sms.ts';

/** What is wrong on the way to the licence server as well is told there, and once. */
const SHARED_WAY = ['name-resolution', 'reachability', 'tls-genuine'] as const;

export const delivery: Declaration<'delivery', DeliveryCause> = {
  id: 'delivery',
  title: 'Delivery',
  dependsOn: [],
  explainedBy: [
    { by: 'internet', when: isOfTheWayAlone, evidence: false, warnings: 'all' },
    ...SHARED_WAY.map(
      (by): Explanation => ({
        by,
        when: (findings) => faultsIn(findings).every(({ explainedBy }) => explainedBy?.includes(by) === true),
        evidence: true,
        warnings: 'all',
      }),
    ),
  ],
  causes: DELIVERY_CAUSES,
  unknownRemedy: 'Let this machine reach the hosts in "services" that carry codes, as FortiAuthenticator does.',
  place: { kind: 'branch', name: 'Delivery', hint: 'push, SMS, what else carries' },
  step: 'code',
  causeSteps: { 'push-unreachable': 'phone', 'push-certificate-refused': 'phone' },
  withUnits,
  from: 'round',
  judge: judgeDelivery,
};

function faultsIn(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(isFault);
}

/** A count of SMS is no matter of the way. */
function isOfTheWayAlone(findings: readonly Finding[]): boolean {
  return faultsIn(findings).every(({ explainedBy }) => explainedBy !== undefined);
}

function judgeDelivery({ carriers }: RoundFacts): Judgement {
  if (carriers.length === 0) return notConfigured('No service that carries codes is configured');
  const names = nameList(carriers.map(({ host }) => host));
  return judged(carriers.flatMap(judgeCarrier), `${names}: nothing is in the way`);
}

/** In swap, FortiAuthenticator cannot send push notifications (ta-p/385019). */
function needsMemory({ suggests }: Finding): boolean {
  return suggests === 'push-unreachable';
}

/** The appliances tell how many SMS are left, and whether their memory is enough. */
function withUnits(own: Assessment, { appliances }: SlowFactsBySource): Assessment {
  return withFindings(own, [
    ...appliances.flatMap(({ rest }) => (rest?.kind === 'ok' ? judgeSms(rest) : [])),
    ...memoryBeside(own.findings.filter(needsMemory), appliances, () => null),
  ]);
}
