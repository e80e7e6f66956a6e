import { nameList } from '../../core/phrases.ts';
import { type Assessment, type Advice, type Finding, known, shell, type Step } from '../../engine/model.ts';
import { inSentence } from '../../engine/words.ts';
import type { Forgery } from './path-share.ts';
import { byAddress, failedIn, isAlike, type ConnectionFault, type ConnectionShare } from './connection-share.ts';

/** Rule of findings about a share of the connections. A single connection neither proves nor disproves them. */
export const INTERMITTENT_RULE = 'every-connection-works';
/** A certificate is not forged by chance. The second forgery proves that it happens repeatedly. */
const FEWEST_FORGERIES = 2;
/** Failed connections to one address, and successful ones to others, that are needed to blame the address. */
const FEWEST = 5;
const MOST_NAMED = 5;

/** Returns a finding about the connections of several rounds: how many fail, at which addresses, and why. */
export function shareFinding(share: ConnectionShare, fault: ConnectionFault): Omit<Finding, 'subject' | 'level'> {
  const { reported } = share;
  const failing = reported.findLast((one) => one.fault !== null && isAlike(one.fault, fault))?.address;
  return {
    rule: INTERMITTENT_RULE,
    claim: `${shareText(share)}${failing === undefined ? '' : `, most recently at ${failing}`}: ${inSentence(fault.claim)}`,
    expected: 'Every connection works',
    actual: `${placeOf(share)}${shareText(share)}: ${inSentence(fault.claim)}`,
    suggests: fault.cause,
    confidence: fault.confidence,
    facts: known({ address: failing, product: fault.product }),
    advice: adviceOf(share, fault),
  };
}

/** Reports forged certificates individually if there are too few of them to show in the share of failures. */
export function forgeryFinding(forgeries: readonly Forgery[]): Omit<Finding, 'subject' | 'level'> | null {
  const last = forgeries.at(-1);
  if (last === undefined || forgeries.length < FEWEST_FORGERIES) return null;
  const { at, address, fault } = last;
  const were = FAILED[fault.cause] ?? 'failed';
  const count = `${String(forgeries.length)} connections of the last hour ${were}, others were not`;
  return {
    rule: INTERMITTENT_RULE,
    claim: `${count}, most recently at ${address}: ${inSentence(fault.claim)}`,
    at,
    expected: 'Every connection works',
    suggests: fault.cause,
    confidence: fault.confidence,
    facts: known({ address, product: fault.product }),
    advice: {
      summary:
        `${String(forgeries.length)} connections to {subject} within the last hour ${were}` +
        `${fault.product === null ? '' : ` by ${fault.product}`}, and others were not. One of several firewalls, links ` +
        'or proxies on the path inspects TLS.',
      remedy: remedyOf(fault),
    },
  };
}

function placeOf({ addresses, reported }: ConnectionShare): string {
  const parts = byAddress(reported).map(({ address, failed, of }) => `${address} ${String(failed)} of ${String(of)}`);
  return `${nameList(addresses.length === 1 ? addresses : parts, MOST_NAMED)}: `;
}

/** Returns a text such as "12 of the last 21 connections failed". */
export function shareText({ reported }: ConnectionShare): string {
  return `${String(failedIn(reported))} of the last ${String(reported.length)} connections failed`;
}

/**
 * Raises an intermittent fault if FortiAuthenticator logs errors that it can cause. FortiAuthenticator is then
 * affected, however small the share that this machine observes.
 */
export function withComplaint(own: Assessment, complainedOf: readonly string[]): Assessment {
  if (!complainedOf.includes(own.id)) return own;
  const raise = (finding: Finding): Finding => (isSmallShare(finding) ? { ...finding, level: 'broken' } : finding);
  return { ...own, findings: own.findings.map(raise) };
}

/**
 * Reports whether a finding is about a share of the whole path that is not critical on its own. FortiAuthenticator is
 * occasionally affected as well.
 */
export function isSmallShare({ rule, level, clean }: Finding): boolean {
  return rule === INTERMITTENT_RULE && level === 'warning' && clean === undefined;
}

const FAILED: Readonly<Partial<Record<ConnectionFault['cause'], string>>> = {
  'egress-blocked': 'were not opened',
  'tls-blocked': 'were cut before a certificate was shown',
  'tls-intercepted': 'were intercepted',
  'tls-interception-suspected': 'were probably intercepted',
  'certificate-broken': 'showed a certificate that is not valid',
};

function courseOf({ reported }: ConnectionShare, fault: ConnectionFault): string {
  const failed = failedIn(reported);
  const alike = reported.filter((one) => one.fault !== null && isAlike(one.fault, fault)).length;
  const others = failed === alike ? '' : ` and ${String(failed - alike)} failed in another way`;
  const how = FAILED[fault.cause] ?? 'failed';
  return `of the last ${String(reported.length)} connections to {subject}, ${String(alike)} ${how}${others}`;
}

function adviceOf(share: ConnectionShare, fault: ConnectionFault): Advice {
  const course = courseOf(share, fault);
  const sides = sidesOf(share);
  if (sides !== null) {
    const [failing, working] = [nameList(sides.bad, MOST_NAMED), nameList(sides.good, MOST_NAMED)];
    return {
      summary:
        `It is intermittent and depends on the address that the name resolves to: ${course}: all those to ${failing}, ` +
        `and none to ${working}.`,
      remedy: [
        `Compare how ${failing} and ${working} are treated: a policy, an inspection profile, a route or an uplink ` +
          'for only one of them is the usual reason.',
        'If this site treats them alike, another site shows whether the server itself is at fault. Then give the ' +
          'address and the times to the provider or to Fortinet TAC.',
      ],
    };
  }
  return {
    summary: `It is intermittent: ${course}. One of several firewalls, links or servers on the path is at fault.`,
    remedy: remedyOf(fault),
  };
}

function remedyOf({ stage }: ConnectionFault): readonly Step[] {
  return [
    'List what the traffic of this site is spread over: members of a firewall cluster, links of an SD-WAN or ' +
      'several uplinks, nodes of a proxy. Each connection uses one of them, so a bad one makes a share of the ' +
      'connections fail.',
    shell(
      'Find out which one: take them out of service one at a time, and look after each. Without the bad one no ' +
        'connection fails.',
      'ftm-watch check{config}',
    ),
    ...(stage === 'reachability' ? AT_THE_PORT : AT_TLS),
    'If each of them fails as often on its own, the fault is not at this site: another site shows whether the ' +
      'server itself is at fault. Then give the share and the times to the provider or to Fortinet TAC.',
  ];
}

/** Returns the addresses that always fail and those that always work; null if one does both or too little is known. */
function sidesOf({
  reported,
}: ConnectionShare): { readonly bad: readonly string[]; readonly good: readonly string[] } | null {
  const places = byAddress(reported);
  const bad = places.filter(({ failed }) => failed > 0);
  const good = places.filter(({ failed }) => failed === 0);
  const isSure = bad.every(({ failed, of }) => failed === of && of >= FEWEST);
  const worked = good.reduce((sum, { of }) => sum + of, 0);
  if (!isSure || worked < FEWEST) return null;
  return { bad: bad.map(({ address }) => address), good: good.map(({ address }) => address) };
}

const AT_THE_PORT: readonly Step[] = [
  shell(
    'To test without taking anything out of service: repeat connections from fixed source ports. A port that fails ' +
      'every time belongs to the bad one: look for it in the session tables and the logs of each.',
    'nc -vz -w 5 -p 40001 {serverip} {port}',
    'nc -vz -w 5 -p 40002 {serverip} {port}',
    'nc -vz -w 5 -p 40003 {serverip} {port}',
  ),
  'Packets that are lost at random on one link look the same: compare the error counters of the links.',
];

const AT_TLS: readonly Step[] = [
  'Compare the policies of all of them for {source} to {host}, TCP {port}: the one that differs, or that did not ' +
    'get the latest change, inspects or filters.',
];
