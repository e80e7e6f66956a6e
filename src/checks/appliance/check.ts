import { concernsOnly, suggestsOnly } from '../../engine/explanation.ts';
import { nameList } from '../../core/name-list.ts';
import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { UnitFacts } from '../unit-facts.ts';
import { APPLIANCE_CAUSES, type ApplianceCause } from './causes.ts';
import { judgeAppliance } from './judge.ts';
import { judgeToldSerial } from './serials.ts';

const NAMELESS: readonly string[] = ['api-name-resolves'];

export const appliance: Declaration<'appliance', ApplianceCause> = {
  id: 'appliance',
  title: 'FortiAuthenticator',
  dependsOn: [],
  explainedBy: [
    { by: 'internet', when: suggestsOnly('appliance-unreachable'), evidence: false },
    { by: 'name-resolution', when: concernsOnly(NAMELESS), evidence: false, warnings: 'all' },
  ],
  causes: APPLIANCE_CAUSES,
  unknownRemedy: 'Let this machine reach the API of FortiAuthenticator: appliances[].api.url, its user and its key.',
  place: { kind: 'stop', stop: 'fortiauthenticator' },
  step: 'tokens',
  from: 'units',
  sources: ['appliances'],
  judge: judgeAppliances,
};

function judgeAppliances({
  config: { licenseServer },
  picture: { appliances: units },
  speaking,
  ownClock = null,
}: UnitFacts): Judgement {
  const bySnmp = units.flatMap(({ config, role }) => (config.api === null ? judgeToldSerial(role, config) : []));
  if (!units.some(({ config: { api } }) => api !== null))
    return bySnmp.length === 0
      ? notConfigured('No REST API of a FortiAuthenticator is configured')
      : judged(bySnmp, 'Only the serial number is known, over SNMP');
  const asked = units.filter(({ rest }) => rest !== null);
  if (asked.length === 0) return unjudged('Not asked yet');
  const findings = asked.flatMap(({ config: unit, rest, role, known = [] }) => {
    const views = { role, logSpeaks: speaking.includes(unit.name), ownClock, known, snmp: unit.snmp };
    return rest === null ? [] : judgeAppliance(rest, { unit, licenseServer }, views);
  });
  return judged([...findings, ...bySnmp], `${nameList(asked.map(({ config: { name } }) => name))}: the API answers`);
}
