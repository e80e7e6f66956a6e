import type { Assessment } from '../engine/assessment.ts';
import type { Advice, Finding } from '../engine/finding.ts';
import type { AddressShare, ConnectionFault } from './path-share.ts';

/** The rule of a finding about a share of the connections. */
const RULE = 'every-connection-works';

/** What a person is told of a share. */
type ToldShare = Pick<AddressShare, 'address' | 'told'>;

/** What the connections to one address show over several rounds: how many of them fail, and at what. */
export function shareFinding(share: ToldShare, fault: ConnectionFault): Omit<Finding, 'subject' | 'level'> {
  return {
    rule: RULE,
    expected: 'Every connection works',
    actual: `${share.address}: ${shareText(share)}, the last of them so: ${fault.actual}`,
    suggests: fault.cause,
    confidence: fault.confidence,
    facts: { address: share.address, ...(fault.product === null ? {} : { product: fault.product }) },
    advice: adviceOf(share, fault),
  };
}

/** As in "12 of the last 21 connections failed". */
export function shareText({ told: { failed, of } }: ToldShare): string {
  return `${String(failed)} of the last ${String(of)} connections failed`;
}

/**
 * FortiAuthenticator complains: then it meets the fault that comes and goes, however small the share that this machine
 * meets.
 */
export function withComplaint(assessments: readonly Assessment[]): readonly Assessment[] {
  return assessments.map((assessment) => ({
    ...assessment,
    findings: assessment.findings.map((finding) =>
      finding.rule === RULE && isWholeWay(finding) ? { ...finding, level: 'broken' } : finding,
    ),
  }));
}

function isWholeWay({ level, facts }: Finding): boolean {
  return level === 'warning' && facts?.clean === undefined;
}

const FAILED: Readonly<Partial<Record<ConnectionFault['cause'], string>>> = {
  'egress-blocked': 'were not opened',
  'tls-blocked': 'were cut before a certificate was shown',
  'tls-intercepted': 'were intercepted',
  'tls-interception-suspected': 'were probably intercepted',
  'certificate-broken': 'showed a certificate that is not valid',
};

function adviceOf({ told: { failed, of } }: ToldShare, { cause, stage }: ConnectionFault): Advice {
  return {
    summary: `It comes and goes: of the last ${String(of)} connections to {subject}, ${String(failed)} ${FAILED[cause] ?? 'failed'}. One of several firewalls, links or servers on the way is at fault.`,
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
