import { nameList } from '../core/name-list.ts';
import type { Assessment } from '../engine/assessment.ts';
import { type Advice, type Finding, known } from '../engine/finding.ts';
import { byAddress, failedIn, type ConnectionFault, type ConnectionShare } from './connection-share.ts';

/** The rule of a finding about a share of the connections. */
const RULE = 'every-connection-works';
/** So many connections to an address must fail, and so many to others work, before it is the address. */
const FEWEST = 5;
const MOST_NAMED = 5;

/** What the connections of several rounds show: how many of them fail, to which addresses, and at what. */
export function shareFinding(share: ConnectionShare, fault: ConnectionFault): Omit<Finding, 'subject' | 'level'> {
  const { told } = share;
  const failing = told.findLast((connection) => connection.fault !== null)?.address;
  return {
    rule: RULE,
    expected: 'Every connection works',
    actual: `${placeOf(share)}${shareText(share)}, the last of them so: ${fault.actual}`,
    suggests: fault.cause,
    confidence: fault.confidence,
    facts: known({ address: failing, product: fault.product }),
    advice: adviceOf(share, fault),
  };
}

function placeOf({ addresses, told }: ConnectionShare): string {
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) return `${only}: `;
  const parts = byAddress(told).map(({ address, failed, of }) => `${address} ${String(failed)} of ${String(of)}`);
  return `${nameList(parts, MOST_NAMED)}: `;
}

/** As in "12 of the last 21 connections failed". */
export function shareText({ told }: ConnectionShare): string {
  return `${String(failedIn(told))} of the last ${String(told.length)} connections failed`;
}

/**
 * FortiAuthenticator complains of what can come from there: then it meets the fault that comes and goes, however small
 * the share that this machine meets.
 */
export function withComplaint(
  assessments: readonly Assessment[],
  complainedOf: readonly string[],
): readonly Assessment[] {
  return assessments.map((assessment) => ({
    ...assessment,
    findings: assessment.findings.map((finding) =>
      complainedOf.includes(assessment.id) && isSmallShare(finding) ? { ...finding, level: 'broken' } : finding,
    ),
  }));
}

/**
 * A share of the whole way that is not critical by itself: FortiAuthenticator meets it as well, now and then.
 */
export function isSmallShare({ rule, level, facts }: Finding): boolean {
  return rule === RULE && level === 'warning' && facts?.clean === undefined;
}

const FAILED: Readonly<Partial<Record<ConnectionFault['cause'], string>>> = {
  'egress-blocked': 'were not opened',
  'tls-blocked': 'were cut before a certificate was shown',
  'tls-intercepted': 'were intercepted',
  'tls-interception-suspected': 'were probably intercepted',
  'certificate-broken': 'showed a certificate that is not valid',
};

function adviceOf(share: ConnectionShare, { cause, stage }: ConnectionFault): Advice {
  const { told } = share;
  const failed = FAILED[cause] ?? 'failed';
  const course = `of the last ${String(told.length)} connections to {subject}, ${String(failedIn(told))} ${failed}`;
  const sides = sidesOf(share);
  if (sides !== null) {
    const [bad, good] = [nameList(sides.bad, MOST_NAMED), nameList(sides.good, MOST_NAMED)];
    return {
      summary:
        `It comes and goes with the address that the name gives: ${course}: all those to ${bad}, ` +
        `and none to ${good}.`,
      remedy: [
        `Compare how ${bad} and ${good} are treated: a policy, an inspection profile, a route or an uplink for one ` +
          'alone is the usual reason.',
        'If this site treats them alike, another site shows whether the server itself is at fault. Then give the ' +
          'address and the times to the provider or to Fortinet TAC.',
      ],
    };
  }
  return {
    summary: `It comes and goes: ${course}. One of several firewalls, links or servers on the way is at fault.`,
    remedy: [
      'List what shares the traffic of this site: members of a firewall cluster, links of an SD-WAN or several ' +
        'uplinks, nodes of a proxy. Each connection takes one of them, so that one that is bad shows as a share.',
      'Find which one: take them out of use one after the other, and run "ftm-watch check" after each. The share ' +
        'falls to nothing without the bad one.',
      ...(stage === 'reachability' ? AT_THE_PORT : AT_TLS),
      'If each of them fails as often alone, it is not at this site: another site shows whether the server itself ' +
        'is at fault. Then give the share and the times to the provider or to Fortinet TAC.',
    ],
  };
}

/** The addresses that always fail and those that always work; null where one does both, or too little is known. */
function sidesOf({
  told,
}: ConnectionShare): { readonly bad: readonly string[]; readonly good: readonly string[] } | null {
  const places = byAddress(told);
  const bad = places.filter(({ failed }) => failed > 0);
  const good = places.filter(({ failed }) => failed === 0);
  const isSure = bad.every(({ failed, of }) => failed === of && of >= FEWEST);
  const worked = good.reduce((sum, { of }) => sum + of, 0);
  if (bad.length === 0 || !isSure || worked < FEWEST) return null;
  return { bad: bad.map(({ address }) => address), good: good.map(({ address }) => address) };
}

const AT_THE_PORT: readonly string[] = [
  'Without taking anything out: repeat connections from fixed source ports, such as "nc -vz -w 5 -p 40001 ' +
    '{serverip} {port}". A port that fails every time belongs to the bad one: look for it in the session tables and ' +
    'the logs of each.',
  'Packets that are lost at random on one link look the same: compare the error counters of the links.',
];

const AT_TLS: readonly string[] = [
  'Compare the policies of all of them for {source} to {host}, TCP {port}: the one that differs, or that has not ' +
    'taken over the latest change, inspects or filters.',
];
