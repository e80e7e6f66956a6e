import { nameList } from '../../core/visible-text.ts';
import { type Assessment, type Advice, type Finding, known, shell, type Step } from '../../engine/model.ts';
import { inSentence } from '../../engine/words.ts';
import type { Forgery } from './path-share.ts';
import { byAddress, failedIn, isAlike, type ConnectionFault, type ConnectionShare } from './connection-share.ts';

/** A single connection can neither prove nor disprove a finding with this rule. */
export const INTERMITTENT_RULE = 'every-connection-works';
/** A single forged certificate is not reported. */
const FEWEST_FORGERIES = 2;
/** Minimum number of connections to each failing address, and to all working addresses together. */
const FEWEST = 5;
const MOST_NAMED = 5;

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

export function forgeryFinding(forgeries: readonly Forgery[]): Omit<Finding, 'subject' | 'level'> | null {
  const last = forgeries.at(-1);
  if (last === undefined || forgeries.length < FEWEST_FORGERIES) return null;
  const { at, address, fault } = last;
  const were = FAILED[fault.cause] ?? 'failed';
  const count = `${String(forgeries.length)} connections within the last hour ${were}, but others were not`;
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
        `${String(forgeries.length)} connections to {subject} within the last hour ${were}${fault.product === null ? '' : ` by ${fault.product}`}, ` +
        'but others were not. One of several firewalls, links or proxies on the path inspects TLS.',
      remedy: remedyOf(fault),
    },
  };
}

function placeOf({ addresses, reported }: ConnectionShare): string {
  const parts = byAddress(reported).map(({ address, failed, of }) => `${address} ${String(failed)} of ${String(of)}`);
  return `${nameList(addresses.length === 1 ? addresses : parts, MOST_NAMED)}: `;
}

export function shareText({ reported }: ConnectionShare): string {
  return `${String(failedIn(reported))} of the last ${String(reported.length)} connections failed`;
}

/**
 * A matching error in the log proves that FortiAuthenticator is affected, however few failures this machine observes.
 */
export function withComplaint(own: Assessment, complainedOf: readonly string[]): Assessment {
  if (!complainedOf.includes(own.id)) return own;
  const raise = (finding: Finding): Finding => (isSmallShare(finding) ? { ...finding, level: 'broken' } : finding);
  return { ...own, findings: own.findings.map(raise) };
}

/** A small share is not critical on its own, although it can occasionally affect FortiAuthenticator. */
export function isSmallShare({ rule, level, clean }: Finding): boolean {
  return rule === INTERMITTENT_RULE && level === 'warning' && clean === undefined;
}

const FAILED: Readonly<Partial<Record<ConnectionFault['cause'], string>>> = {
  'egress-blocked': 'were not opened',
  'tls-blocked': 'were closed before a certificate was presented',
  'tls-intercepted': 'were intercepted',
  'tls-interception-suspected': 'were probably intercepted',
  'certificate-broken': 'received a certificate that is not valid',
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
        `The fault depends on the address that the name resolves to. All connections to ${failing} fail, but those ` +
        `to ${working} work: ${course}.`,
      remedy: [
        `Compare how the firewall treats ${failing} and ${working}. The usual cause is a policy, an inspection ` +
          'profile, a route or an uplink that applies to only one of them.',
        'If there is no difference, check from another site to find out whether the server itself is at fault. ' +
          'If so, report the address and the times to the provider or to Fortinet TAC.',
      ],
    };
  }
  return {
    summary:
      `The fault is intermittent: ${course}. ` + 'One of several firewalls, links or servers on the path is at fault.',
    remedy: remedyOf(fault),
  };
}

function remedyOf({ stage }: ConnectionFault): readonly Step[] {
  return [
    "List the devices and links that share this site's traffic, such as firewall cluster members, SD-WAN links, " +
      'uplinks or proxy nodes. If one of them is faulty, only the connections that use it fail.',
    shell(
      'To find the faulty device or link, take each one out of service in turn, and run the check each time. ' +
        'While the faulty device or link is out of service, no connection fails.',
      'ftm-watch check{config}',
    ),
    ...(stage === 'reachability' ? AT_THE_PORT : AT_TLS),
    'If connections fail through each device and link, the fault is not at this site. Check from another site ' +
      'to find out whether the server itself is at fault, and report the share and the times to the provider or to ' +
      'Fortinet TAC.',
  ];
}

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
    'To test without interrupting traffic, connect repeatedly from fixed source ports. To find the faulty device, ' +
      'search the session tables and logs of all devices for a source port from which connections always fail.',
    'nc -vz -w 5 -p 40001 {serverip} {port}',
    'nc -vz -w 5 -p 40002 {serverip} {port}',
    'nc -vz -w 5 -p 40003 {serverip} {port}',
  ),
  'Random packet loss on one link has the same effect, so compare the error counters of the links.',
];

const AT_TLS: readonly Step[] = [
  'On all of these devices, compare the policies for {source} to {host}, TCP {port}. A device whose policy ' +
    'differs or is out of date probably inspects or filters the traffic.',
];
