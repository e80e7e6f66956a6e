import type { NameCause } from './causes.ts';
import { addressFamily, uniqueAddresses } from '../../core/addresses.ts';
import { nameList } from '../../core/name-list.ts';
import type { Finding } from '../../engine/finding.ts';
import type { DnsObservation } from '../../core/observation.ts';
import { resolverNamed } from './resolver-named.ts';
import type { OtherNames } from './other-names.ts';
import { acceptableAddresses, judgeAnswer } from './judge-answer.ts';
import type { JudgedAnswer } from './judge-answer.ts';

export interface DnsCase {
  readonly name: string;
  readonly port: number;
  /** Addresses and CIDR blocks; empty: any public address is fine. */
  readonly expectedAddresses: readonly string[];
  /** One for each resolver, in the order of the configuration. */
  readonly observations: readonly DnsObservation[];
  readonly others: OtherNames;
}

export interface DnsVerdict {
  readonly findings: readonly Finding<NameCause>[];
  /** What to dial: the acceptable addresses of all resolvers, IPv4 first, each once, 16 at most. */
  readonly addresses: readonly string[];
}

const MAX_DIALLED = 16;

/** Judges what every resolver says about one name. */
export function judgeDns({ name, port, expectedAddresses, observations, others }: DnsCase): DnsVerdict {
  const subject = `${name}:${String(port)}`;
  const acceptable = observations.map((observation) => acceptableAddresses(observation, expectedAddresses));
  const judged = observations.map((observation, index) =>
    judgeAnswer(observation, {
      subject,
      expectedAddresses,
      // Whether the name can be resolved at all decides how bad a silent resolver is.
      othersAnswer: acceptable.some((addresses, other) => other !== index && addresses.length > 0),
      others,
    }),
  );
  return {
    findings: [...judged.flatMap(({ findings }) => findings), ...judgeAgreement(subject, judged)],
    addresses: dialledAddresses(observations, expectedAddresses),
  };
}

/** The acceptable addresses of all resolvers, IPv4 first, each once, 16 at most. */
export function dialledAddresses(
  observations: readonly DnsObservation[],
  expectedAddresses: readonly string[],
): readonly string[] {
  const acceptable = observations.flatMap((observation) => acceptableAddresses(observation, expectedAddresses));
  return uniqueAddresses(acceptable).slice(0, MAX_DIALLED);
}

/** Answers that another finding calls wrong disagree for that reason: saying it twice helps nobody. */
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
            `${resolverNamed(first.resolver)} gives ${nameList(first.acceptable, 2)}, while ${opposite.resolver} gives ` +
            `${nameList(opposite.acceptable, 2)}.`,
          expected: `an address in common between ${first.resolver} and ${opposite.resolver}`,
          actual: [first, opposite]
            .map(({ resolver, acceptable }) => `${resolver}: ${acceptable.join(', ')}`)
            .join('; '),
          level: 'warning',
          suggests: 'resolvers-disagree',
          facts: { resolver: opposite.resolver },
        },
      ];
    }
  }
  return [];
}

/** Compared within a family: one resolver may know only IPv4 and the other only IPv6 without contradiction. */
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
