import { type Finding, suggestsOnly, shell } from '../../engine/model.ts';
import type { Declaration, TargetFacts } from '../check.ts';
import { asOthersSeeIt } from '../peer-views.ts';
import { NAME_CAUSES, type NameCause } from './causes.ts';
import { addressFamily, uniqueAddresses, authority, ofFamily } from '../../core/addresses.ts';
import { nameList } from '../../core/phrases.ts';
import type { DnsObservation } from '../../core/observation.ts';
import { resolverNamed, acceptableAddresses, judgeAnswer, type JudgedAnswer } from './judge-answer.ts';
import type { OtherNames } from './other-names.ts';
import type { LicenseServerConfig } from '../../config/schema/path.ts';

interface DnsCase {
  readonly name: string;
  readonly port: number;
  /** If the list is empty, any public address is acceptable. */
  readonly expectedAddresses: readonly string[];
  readonly observations: readonly DnsObservation[];
  readonly others: OtherNames;
}

interface DnsVerdict {
  readonly findings: readonly Finding<NameCause>[];
  readonly addresses: readonly string[];
}

const MAX_DIALLED = 16;

export function judgeDns({ name, port, expectedAddresses, observations, others }: DnsCase): DnsVerdict {
  const subject = `${name}:${String(port)}`;
  const acceptable = observations.map((observation) => acceptableAddresses(observation, expectedAddresses));
  const judged = observations.map((observation, index) =>
    judgeAnswer(observation, {
      subject,
      expectedAddresses,
      othersAnswer: acceptable.some((addresses, other) => other !== index && addresses.length > 0),
      others,
    }),
  );
  return {
    findings: [...judged.flatMap(({ findings }) => findings), ...judgeAgreement(subject, judged)],
    addresses: dialledAddresses(observations, expectedAddresses),
  };
}

/** From all resolvers, without duplicates, IPv4 first. */
export function dialledAddresses(
  observations: readonly DnsObservation[],
  expectedAddresses: readonly string[],
): readonly string[] {
  const acceptable = observations.flatMap((observation) => acceptableAddresses(observation, expectedAddresses));
  return uniqueAddresses(acceptable).slice(0, MAX_DIALLED);
}

/** Answers that are already reported as wrong are not compared. */
function judgeAgreement(subject: string, judged: readonly JudgedAnswer[]): readonly Finding<NameCause>[] {
  const findings = judged.flatMap(({ findings: own }) => own);
  if (findings.some(({ suggests }) => suggests !== null && suggests !== 'resolver-unreachable')) return [];
  const answering = judged.filter(({ acceptable, confirmed }) => acceptable.length > 0 && !confirmed);
  for (const [index, first] of answering.entries()) {
    const opposite = answering
      .slice(index + 1)
      .find((second) => haveNothingInCommon(first.acceptable, second.acceptable));
    if (opposite !== undefined) {
      return [
        {
          rule: 'resolvers-agree',
          subject,
          claim:
            `${resolverNamed(first.resolver)} returns ${nameList(first.acceptable)}, but ${opposite.resolver} ` +
            `returns ${nameList(opposite.acceptable)}.`,
          expected: `at least one common address from ${first.resolver} and ${opposite.resolver}`,
          level: 'warning',
          suggests: 'resolvers-disagree',
          facts: { resolver: opposite.resolver },
        },
      ];
    }
  }
  return [];
}

/** An answer with only IPv4 addresses does not contradict an answer with only IPv6 addresses. */
function haveNothingInCommon(left: readonly string[], right: readonly string[]): boolean {
  const families = ([4, 6] as const).map((family) => ({
    left: left.filter((address) => addressFamily(address) === family),
    right: right.filter((address) => addressFamily(address) === family),
  }));
  const comparable = families.filter((family) => family.left.length > 0 && family.right.length > 0);
  return (
    comparable.length > 0 &&
    comparable.every((family) => family.left.every((address) => !family.right.includes(address)))
  );
}

export const nameResolution: Declaration<'name-resolution', NameCause> = {
  id: 'name-resolution',
  title: 'Name resolution',
  dependsOn: [{ kind: 'explained', by: 'internet', when: suggestsOnly('resolver-unreachable'), evidence: false }],
  causes: NAME_CAUSES,
  unknownRemedy:
    'List the resolvers that FortiAuthenticator uses in "resolvers", and allow this machine to query them.',
  onPath: true,
  isWayOut: true,
  place: { kind: 'stop', stop: 'resolver' },
  step: 'resolver',
  adjust: (own, everything) => asOthersSeeIt(own, nameResolution, everything),
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
  // If a proxy or an IP address is configured, no name is resolved.
  if (names.length === 0) return endpoints.length > 0 ? [] : null;
  const expectedAddresses = licenseServer?.expectedAddresses ?? [];
  const { findings, addresses } = judgeDns({ name: host, port, expectedAddresses, observations: names, others });
  return licenseServer === null ? findings : [...findings, ...judgeFamily(licenseServer, addresses)];
}

/** A name without any address is reported by another finding. */
export function judgeFamily(
  { host, port, family }: LicenseServerConfig,
  addresses: readonly string[],
): readonly Finding<NameCause>[] {
  if (family === 'auto' || addresses.length === 0 || ofFamily(addresses, family).length > 0) return [];
  return [
    {
      rule: 'name-has-family',
      subject: authority({ host, port }),
      claim: `${host} has no IPv${String(family)} address, only ${nameList(addresses)}.`,
      expected: `An IPv${String(family)} address`,
      level: 'broken',
      suggests: 'name-not-found',
      advice: {
        summary: `{host} has no IPv${String(family)} address, but licenseServer.family requires one.`,
        remedy: [
          `If FortiAuthenticator does not use IPv${String(family)}, set licenseServer.family here to "auto".`,
          shell(
            'Otherwise, compare with a public resolver. If only the public resolver returns an address in this ' +
              'family, your resolver filters the address.',
            'dig @9.9.9.9 {host} A',
            'dig @9.9.9.9 {host} AAAA',
          ),
        ],
      },
    },
  ];
}
