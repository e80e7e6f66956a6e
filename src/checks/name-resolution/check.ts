import type { Finding } from '../../engine/finding.ts';
import { suggestsOnly } from '../../engine/explanation.ts';
import type { Declaration } from '../declaration.ts';
import type { TargetFacts } from '../target-facts.ts';
import { NAME_CAUSES, type NameCause } from './causes.ts';
import { judgeFamily } from './judge-family.ts';
import { judgeDns } from './judge.ts';

export const nameResolution: Declaration<'name-resolution', NameCause> = {
  id: 'name-resolution',
  title: 'Name resolution',
  dependsOn: [],
  explainedBy: [{ by: 'internet', when: suggestsOnly('resolver-unreachable'), evidence: false }],
  causes: NAME_CAUSES,
  unknownRemedy: 'Name resolvers in "resolvers" that this machine may ask, those that FortiAuthenticator uses.',
  onPath: true,
  isWayOut: true,
  oneFaultPerHost: true,
  place: { kind: 'stop', stop: 'resolver' },
  step: 'resolver',
  from: 'target',
  judge: judgeNames,
  summary: ({ path: { names, host, endpoints } }) => {
    if (names.length === 0)
      return endpoints.some(({ proxy }) => proxy !== null) ? 'The proxy resolves the name' : `${host} is an address`;
    const addresses = [...new Set(endpoints.map(({ address }) => address))];
    return `${host} is ${addresses.join(', ')}`;
  },
};

function judgeNames({
  path,
  port,
  licenseServer,
  otherNames: others,
}: TargetFacts): readonly Finding<NameCause>[] | null {
  const { names, host, endpoints } = path;
  // Through a proxy, and for an address, there is no name to ask for.
  if (names.length === 0) return endpoints.length > 0 ? [] : null;
  const expectedAddresses = licenseServer?.expectedAddresses ?? [];
  const { findings, addresses } = judgeDns({ name: host, port, expectedAddresses, observations: names, others });
  return licenseServer === null ? findings : [...findings, ...judgeFamily(licenseServer, addresses)];
}
