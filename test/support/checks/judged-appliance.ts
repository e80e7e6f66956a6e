import { appliance } from '../../../src/checks/appliance/judge.ts';
import type { UnitObservation } from '../../../src/connectors/picture.ts';
import type { HostPort } from '../../../src/core/addresses.ts';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { OwnClock } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';
import type { ExpectedUnit } from './license-bench.ts';
import { picture } from './observed.ts';

const CONFIG = await configOf(
  'appliances: [{ name: fac-1, api: { url: "https://10.0.0.5", user: reader, keyEnv: SET_SECRET } }]',
);

/** What else is known of the unit. */
export interface OtherViews extends Pick<UnitObservation, 'role' | 'known' | 'factsAsOf'> {
  readonly at?: string;
  readonly logSpeaks: boolean;
  readonly ownClock?: OwnClock | null;
  readonly snmp?: UnitObservation['config']['snmp'];
}

/** Returns the findings about the only unit. */
export function judgeAppliance(
  rest: ApplianceObservation,
  { unit, licenseServer }: { readonly unit: ExpectedUnit; readonly licenseServer: HostPort },
  { role, known = [], factsAsOf = null, at = '1970-01-01', logSpeaks, ownClock = null, snmp = null }: OtherViews,
): readonly Finding[] {
  const [entry] = CONFIG.appliances;
  if (entry === undefined) throw new Error('Expected a unit');
  return judgedBy(appliance, {
    config: { ...CONFIG, licenseServer: { ...CONFIG.licenseServer, ...licenseServer } },
    picture: picture({ appliances: [{ config: { ...entry, ...unit, snmp }, rest, role, known, factsAsOf }] }),
    at: Date.parse(at),
    ownClock,
    speaking: logSpeaks ? [unit.name] : [],
  });
}
