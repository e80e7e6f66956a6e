import { test } from 'vitest';
import { judgeAgent } from '../../src/checks/agent/judge.ts';
import { judgeHttp } from '../../src/checks/license-server/judge.ts';
import { judgeMail } from '../../src/checks/mail/judge.ts';
import { judgeDns, nameResolution } from '../../src/checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES, type OtherNames } from '../../src/checks/name-resolution/other-names.ts';
import { judgeTcp } from '../../src/checks/reachability/judge.ts';
import { tlsGenuine } from '../../src/checks/tls-genuine/judge.ts';
import type { DistinguishedName } from '../../src/core/certificate.ts';
import type { ApplianceObservation, HaRoleObservation, TokenCounts } from '../../src/core/license/appliance.ts';
import type { FirewallObservation, FirewallPolicy, Flow, SslInspection } from '../../src/core/license/firewall.ts';
import type { LicenseOutcome } from '../../src/core/license/registration.ts';
import type {
  ClockObservation,
  DnsAnswer,
  DnsObservation,
  DnsReply,
  Failure,
  FailureReason,
  HttpOutcome,
  MailObservation,
  MailStage,
  TcpOutcome,
} from '../../src/core/observation.ts';
import type { FirewallAdmission, PollingReport } from '../../src/core/polling/report.ts';
import type { Finding } from '../../src/engine/model.ts';
import { TROUBLES, WELL } from '../support/checks/agent-health.ts';
import { applianceFacts } from '../support/checks/appliance-facts.ts';
import { everything } from '../support/checks/everything.ts';
import { FLOW, matched, NO_INSPECTION } from '../support/checks/firewall-match.ts';
import { judgeAppliance } from '../support/checks/judged-appliance.ts';
import { judgeClock } from '../support/checks/judged-clock.ts';
import { judgeLog } from '../support/checks/judged-log.ts';
import { judgeMailServers } from '../support/checks/judged-mail.ts';
import { judgePolicies } from '../support/checks/judged-policy.ts';
import { finding } from '../support/checks/judged-round.ts';
import { judgeTokens, readUnit, tokens } from '../support/checks/judged-tokens.ts';
import {
  ALONE,
  cluster,
  held,
  judge,
  judgeUnits,
  LICENSE,
  listed,
  migrated,
  PAIR,
  role,
  standalone,
  TRIAL_ONLY,
} from '../support/checks/license-bench.ts';
import { pollingError } from '../support/checks/polling-error.ts';
import { after, ftm, MINUTE, report, T0 } from '../support/checks/polling-report.ts';
import { faultsOfClaims } from '../support/checks/plain-claim.ts';
import { namesOf } from '../support/checks/told-of.ts';
import { configOf } from '../support/config/config-of.ts';
import { judgeTarget } from '../support/checks/judge-target.ts';
import { path } from '../support/checks/observed.ts';
import { textOfStep } from '../support/checks/text-of-step.ts';
import { expectRecorded } from './recorded.ts';

const TARGET = 'fortitokenmobile.fortinet.com:443';
const A = '173.243.138.84';
const B = '173.243.138.85';
const HOUR = 60 * MINUTE;

const failure = (reason: FailureReason, message = 'the text of the system'): Failure => ({
  kind: 'failed',
  reason,
  message,
  durationMs: 3001,
});

/** Every way in which a connection can fail. */
const REASONS = [
  'timeout',
  'refused',
  'reset',
  'closed',
  'no-route',
  'rejected',
  'tls',
  'aborted',
  'internal',
] as const;

function tcp(outcomes: Readonly<Record<string, TcpOutcome>>): readonly Finding[] {
  return judgeTcp(
    Object.entries(outcomes).map(([address, seen]) => {
      const family = address.includes(':') ? 6 : 4;
      return { target: TARGET, address, family, proxy: null, tcp: seen, tls: null, http: null };
    }),
  );
}

const OPEN: TcpOutcome = { kind: 'open', durationMs: 12 };
const SHUT: TcpOutcome = { ...failure('refused'), beyond: true };

const REACHABILITY = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, tcp({ [A]: { ...failure(reason), beyond: true } })])),
  'one of two': tcp({ [A]: SHUT, [B]: OPEN }),
  'a family without a route': tcp({ [A]: OPEN, '2001:db8::84': failure('no-route') }),
  'an unrouted proxy': proxied(failure('no-route')),
  'a proxy that fails': proxied(failure('rejected')),
  'a slow proxy': proxied({ kind: 'open', durationMs: 2000 }),
  ...Object.fromEntries(
    (
      [
        [401, []],
        [403, []],
        [407, []],
        [407, ['Negotiate', 'NTLM']],
        [503, []],
      ] as const
    ).map(([status, schemes]) => [
      `a proxy that answers ${String(status)} ${schemes.join(' ')}`.trim(),
      proxied({ ...failure('rejected'), proxyAnswer: { status, schemes, hasLogin: false, page: null } }),
    ]),
  ),
};

function proxied(outcome: TcpOutcome): readonly Finding[] {
  const proxy = '10.0.0.8:3128';
  return judgeTcp([
    { target: TARGET, address: 'fortitokenmobile.fortinet.com', family: 4, proxy, tcp: outcome, tls: null, http: null },
  ]);
}

function http(outcome: HttpOutcome): readonly Finding[] {
  return judgeHttp([{ target: TARGET, address: A, family: 4, proxy: null, tcp: OPEN, tls: null, http: outcome }]);
}

const RESPONSE = {
  kind: 'response',
  date: null,
  receivedAt: 0,
  server: null,
  proxyTraces: [],
  blockPage: null,
  durationMs: 20,
} as const;

const LICENSE_SERVER = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, http(failure(reason))])),
  'an error of the server': http({ ...RESPONSE, status: 503 }),
  'an error page of a proxy': http({ ...RESPONSE, status: 503, server: 'squid/6.1' }),
  'headers of a proxy': http({ ...RESPONSE, status: 200, proxyTraces: ['via'] }),
  'a block page': http({
    ...RESPONSE,
    status: 403,
    blockPage: { kind: 'filter', product: 'Fortinet FortiGate', quote: 'Web Filter Violation' },
  }),
};

const UDP = 'udp://10.0.0.53:53';
const V6 = '2606:4700::1';

interface BesideReply {
  readonly aaaa?: DnsReply;
  readonly others?: Partial<OtherNames>;
}

function names(a: DnsReply, expectedAddresses: readonly string[] = [], resolver = UDP, more: BesideReply = {}) {
  const name = 'fortitokenmobile.fortinet.com';
  const observations = [{ resolver, name, a, aaaa: more.aaaa ?? reply([]) }];
  const others = { ...NO_OTHER_NAMES, ...more.others };
  return judgeDns({ name, port: 443, expectedAddresses, observations, others, relays: [] }).findings;
}

function other(a: DnsReply): DnsObservation {
  return { resolver: UDP, name: 'www.iana.org', a, aaaa: a };
}

function fullName(a: DnsReply): DnsObservation {
  return {
    resolver: 'system',
    name: 'fortitokenmobile.fortinet.com.',
    a,
    aaaa: reply([], a.kind === 'answer' ? a.rcode : undefined),
  };
}

const { licenseServer } = await configOf('licenseServer: { host: license.example.test, family: 6 }');

function ofFamily(a: DnsAnswer): readonly Finding[] {
  const names = [{ resolver: 'system', name: licenseServer.host, a, aaaa: reply([]) }];
  return judgeTarget(nameResolution, { path: path({ host: licenseServer.host, names }), licenseServer });
}

function reply(addresses: readonly string[], rcode = 'NOERROR'): DnsAnswer {
  return { kind: 'answer', rcode, addresses, cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 };
}

const NAME_RESOLUTION = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, names({ ...failure(reason), attempts: 2 })])),
  'no such name': names(reply([], 'NXDOMAIN')),
  'no address': names(reply([])),
  'no address, this machine': names(reply([]), [], 'system'),
  'the server fails': names(reply([], 'SERVFAIL')),
  'the server refuses': names(reply([], 'REFUSED')),
  'a private address': names(reply(['10.0.0.1'])),
  'a loopback address': names(reply(['127.0.0.1'])),
  'a link-local address': names(reply(['169.254.1.1'])),
  'no address at all': names(reply(['0.0.0.0'])),
  'an address of a test network': names(reply(['192.0.2.1'])),
  'an unexpected address': names(reply(['198.41.0.4']), [A]),
  'several false addresses': names(reply(['10.0.0.1', '127.0.0.1', '208.91.112.55', '0.0.0.0'])),
  'half an answer': names(reply([], 'REFUSED'), [], 'system', { aaaa: reply([V6]) }),
  'half an answer, silence': names({ ...failure('timeout'), attempts: 2 }, [], 'system', { aaaa: reply([V6]) }),
  'an answer that is cut short': names({ ...failure('refused'), attempts: 2, truncated: true }),
  'other names are answered': names(reply([], 'SERVFAIL'), [], UDP, { others: { others: [other(reply([V6]))] } }),
  'no name is answered': names(reply([], 'SERVFAIL'), [], UDP, { others: { others: [other(reply([], 'SERVFAIL'))] } }),
  'an address of other names': names(reply([B]), [A], UDP, { others: { others: [other(reply([B]))], shared: [B] } }),
  'a name of this machine': names(reply(['10.0.0.1']), [A], 'system', { others: { absolute: fullName(reply([A])) } }),
  'a name of this machine alone': names(reply(['10.0.0.1']), [A], 'system', {
    others: { absolute: fullName(reply([], 'NXDOMAIN')) },
  }),
  'no address of the family': ofFamily(reply(['173.243.138.84', '173.243.138.85'])),
  ...Object.fromEntries(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 4711].map((code) => [
      `extended error ${String(code)}`,
      names({ ...reply([], 'SERVFAIL'), extendedErrors: [{ code, text: 'by list 7' }] }),
    ]),
  ),
};

function mail(
  stage: MailStage,
  reason: FailureReason,
  said: string | null = null,
  more: Partial<MailObservation> = {},
) {
  const message = said === null ? 'the text of the system' : `The server replied "${said}"`;
  const code = said === null ? null : Number(said.slice(0, 3));
  const outcome = { kind: 'failed', reason, message, durationMs: 9, stage, code, tlsError: null } as const;
  return judgeMail({ ...SERVER, outcome, ...more }, { fromAppliance: false });
}

const SERVER = {
  server: 'mail.example.org:25',
  security: 'starttls',
  required: false,
  patience: 5000,
  certificateNotAfter: null,
  outcome: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
} as const;

const MAIL_REASONS = [
  'timeout',
  'refused',
  'closed',
  'protocol',
  'name-not-resolved',
  'no-route',
  'internal',
  'aborted',
] as const;
const STAGES = ['connect', 'greeting', 'ehlo', 'tls', 'login', 'sender', 'recipient'] as const;

function tls(tlsError: string, issuer?: DistinguishedName): readonly Finding[] {
  const issued = issuer === undefined ? {} : { issuer };
  const outcome = { ...failure('tls'), stage: 'tls', code: null, tlsError, ...issued } as const;
  return judgeMail({ ...SERVER, outcome }, { fromAppliance: false });
}

const MAIL = {
  ...Object.fromEntries(
    STAGES.flatMap((stage) => MAIL_REASONS.map((reason) => [`${stage}, ${reason}`, mail(stage, reason)])),
  ),
  'an expired certificate': tls('CERT_HAS_EXPIRED'),
  'an unknown authority': tls('SELF_SIGNED_CERT_IN_CHAIN', { attributes: [{ type: 'CN', value: 'FG100F' }] }),
  'a nameless authority': tls('SELF_SIGNED_CERT_IN_CHAIN', { attributes: [] }),
  'no STARTTLS': tls('NO_STARTTLS'),
  'plain text instead of TLS': tls('ERR_SSL_WRONG_VERSION_NUMBER'),
  'STARTTLS refused': mail('tls', 'rejected', '454 4.7.0 TLS not available'),
  'the client refused': mail('greeting', 'rejected', '554 5.7.1 no'),
  'too busy': mail('greeting', 'rejected', '421 4.3.2 later'),
  'the login rejected': mail('login', 'rejected', '535 5.7.8 authentication failed'),
  'no login offered': mail('login', 'rejected', '504 5.7.4 unrecognized'),
  'passwords disabled': mail('login', 'rejected', '550 5.7.30 Basic authentication is not supported'),
  'the sender rejected': mail('sender', 'rejected', '553 5.7.1 Sender address rejected: not owned by user'),
  'a login needed': mail('sender', 'rejected', '530 5.7.0 Authentication required'),
  'encryption needed': mail('sender', 'rejected', '530 5.7.0 Must issue a STARTTLS command first'),
  'the recipient rejected': mail('recipient', 'rejected', '550 5.1.1 no such user'),
  'no relaying': mail('recipient', 'rejected', '554 5.7.1 <user@example.org>: Relay access denied'),
  'no reverse name': mail('recipient', 'rejected', '550 5.7.25 no PTR record'),
  greylisting: mail('recipient', 'rejected', '450 4.2.0 Greylisted'),
  slow: judgeMail({ ...SERVER, outcome: { ...SERVER.outcome, slowestMs: 6044 } }, { fromAppliance: false }),
  'slower than a code lives': judgeMailServers([{ ...SERVER, deferral: { lasted: 2 * HOUR, codeLife: HOUR } }]),
  'one server of two': judgeMailServers([
    { ...SERVER, outcome: { ...failure('refused'), ...AT_CONNECT() } },
    { ...SERVER, server: 'b:25' },
  ]),
};

function AT_CONNECT() {
  return { stage: 'connect', code: null, tlsError: null } as const;
}

function policy(inspection: Partial<SslInspection>, more: Partial<FirewallPolicy> = {}): readonly Finding[] {
  const known = { ...NO_INSPECTION, profile: 'deep-inspection', ...inspection } as SslInspection;
  return judgePolicies([matched(more, known)]);
}

type Seen = {
  [Kind in FirewallObservation['kind']]: Omit<Extract<FirewallObservation, { readonly kind: Kind }>, keyof Flow>;
}[FirewallObservation['kind']];

function firewall(seen: Seen): readonly Finding[] {
  return judgePolicies([{ ...FLOW, ...seen }]);
}

const FIREWALL_POLICY = {
  'no inspection': policy({}),
  'deep inspection': policy({ mode: 'deep' }),
  'certificate inspection': policy({ mode: 'certificate' }),
  'deep inspection with an exemption': policy({ mode: 'deep', exemptedBy: 'wildcard-fqdn "fortinet"' }),
  'an exemption by name': policy({ mode: 'deep', exemptedBy: 'wildcard-fqdn "fortinet"', exemptsByName: true }),
  'exemptions that cannot be evaluated': policy({ mode: 'deep', unreadExemptions: ['category 52'] }),
  'a profile that cannot be read': policy({ kind: 'unreadable', profile: 'custom', message: 'HTTP 403' }),
  'security profiles in proxy mode': policy({}, { proxyMode: true, securityProfiles: ['av-profile "default"'] }),
  'security profiles in flow mode': policy({}, { securityProfiles: ['av-profile "default"'] }),
  'a policy that denies': policy({}, { action: 'deny' }),
  'no policy': firewall({
    kind: 'ok',
    fqdnObjects: [],
    serial: null,
    match: { kind: 'implicit-deny', incoming: 'port2', outgoing: 'wan1' },
  }),
  'an object that does not resolve': firewall({
    kind: 'ok',
    fqdnObjects: [{ name: 'ftm', resolves: false }],
    serial: null,
    match: { kind: 'implicit-deny', incoming: null, outgoing: null },
  }),
  'a wrong token': firewall({ kind: 'denied', status: 401 }),
  'a token without rights': firewall({ kind: 'denied', status: 403 }),
  'no answer': firewall(failure('timeout')),
  'a useless answer': firewall(failure('rejected')),
  'an untrusted certificate': firewall({ ...failure('tls'), certificate: 'untrusted' }),
  'an invalid certificate': firewall({ ...failure('tls'), certificate: 'invalid' }),
};

const ok = (seen: Partial<Parameters<typeof applianceFacts>[0]> = {}) => unit(applianceFacts(seen));

function unit(seen: ApplianceObservation, more: Partial<Parameters<typeof judgeAppliance>[2]> = {}) {
  const licenseServer = { host: 'fortitokenmobile.fortinet.com', port: 443 };
  return judgeAppliance(seen, { unit: PAIR, licenseServer }, { role: null, logSpeaks: false, ...more });
}

const DENIED = { kind: 'denied', status: 403, message: 'HTTP 403' } as const;
const SEEN = { appliance: 'fac-1', endpoint: '10.0.0.5:443' } as const;
const SILENT = { ...failure('timeout'), ...SEEN } as const;
const UNREAD: HaRoleObservation = { ...failure('timeout'), appliance: 'fac-1' };

const APPLIANCE = {
  ...Object.fromEntries(REASONS.map((reason) => [reason, unit({ ...SILENT, reason })])),
  'a name that does not resolve': unit({ ...SILENT, reason: 'name-not-resolved' }),
  'no answer, but log lines': unit(SILENT, { logSpeaks: true }),
  'no answer, but SNMP': unit(SILENT, { role: role('standalone-primary', null) }),
  'an unresolved name, but log lines': unit({ ...SILENT, reason: 'name-not-resolved' }, { logSpeaks: true }),
  'no answer, but TLS': unit({ ...SILENT, acceptedTls: true }),
  'no answer after a refusal': unit({ ...SILENT, afterRefusal: true }),
  'another name expected': unit({ ...SILENT, reason: 'rejected', refusedHost: 'fac.example.org' }),
  'an untrusted certificate': unit({ ...SILENT, reason: 'tls', certificate: 'untrusted' }),
  'an invalid certificate': unit({ ...SILENT, reason: 'tls', certificate: 'invalid' }),
  'a wrong key': unit({ kind: 'denied', ...SEEN, status: 401 }),
  'a key without rights': unit({ kind: 'denied', ...SEEN, status: 403 }),
  'another unit': ok({ system: { serial: 'FAC-X' } }),
  'another peer': ok({ system: { peerSerial: 'FAC-X' } }),
  'another server for activations': ok({
    provisioning: { kind: 'read', value: { host: 'other.example.org', port: 443, codeLife: HOUR } },
  }),
  'another port for activations': ok({
    provisioning: { kind: 'read', value: { host: 'fortitokenmobile.fortinet.com', port: 8443, codeLife: HOUR } },
  }),
  'the port that the manual names': ok({
    provisioning: { kind: 'read', value: { host: 'fortitokenmobile.fortinet.com', port: 433, codeLife: HOUR } },
  }),
  'resources that cannot be read': ok({
    tokens: DENIED,
    provisioning: DENIED,
  }),
  'little memory': ok({ system: { memoryKb: 1_000_000, load: { cpu: 0, memory: 0.97, disk: 0 } } }),
  'no answer over SNMP': unit(applianceFacts(), { role: UNREAD }),
  'facts that are old': unit(applianceFacts(), { factsAsOf: '2025-01-01', at: '2026-11-24' }),
};

function tokenPool(left: number, assigned: number, more: Partial<TokenCounts> = {}): readonly Finding[] {
  const licensed = { kind: 'read', value: { total: 100, used: null, available: null } } as const;
  return judgeTokens([readUnit(applianceFacts({ licensed, tokens: tokens(left, assigned, more) }), EXPECTED)]);
}

const EXPECTED = { licenses: ['EFTM000000000001'], tokensLow: 0.1 };
const FREE = { new: 0, available: 0, pending: 0, assigned: 0, other: 0 };

const TOKEN_POOL = {
  'all well': tokenPool(50, 50),
  'another number than licensed': tokenPool(50, 40),
  'running out': tokenPool(9, 91),
  'none left': tokenPool(0, 100),
  'locked ones': tokenPool(50, 50, { locked: { ...FREE, available: 40 } }),
  'waiting to be activated': tokenPool(40, 50, { byStatus: { ...FREE, available: 40, pending: 10, assigned: 50 } }),
  'in another state': tokenPool(40, 50, { byStatus: { ...FREE, available: 40, assigned: 50, other: 10 } }),
  'of another licence': tokenPool(50, 50, { byLicense: [{ license: 'EFTM000000000009', tokens: 100 }] }),
  'without a licence': tokenPool(50, 50, { byLicense: [], withoutLicense: 100 }),
  'trial tokens only': tokenPool(2, 0, { byLicense: [{ license: 'FTMTRIAL00000001', tokens: 2 }] }),
  'not counted by this firmware': judgeTokens([
    readUnit(applianceFacts({ licensed: { kind: 'absent' }, tokens: failure('timeout') }), EXPECTED),
  ]),
  'no licence active': judgeTokens([
    readUnit(
      applianceFacts({ licensed: { kind: 'read', value: { total: 0, used: null, available: 0 } }, tokens: DENIED }),
      EXPECTED,
    ),
  ]),
  'not to be read': judgeTokens([readUnit(applianceFacts({ tokens: DENIED }), EXPECTED)]),
};

const license = (outcome: LicenseOutcome, seen = standalone) => judge(listed(ALONE, seen), outcome);

const certificate = `certificates: [{ license: ${LICENSE}, redeemBy: 2027-03-31 }]`;
const api = 'api: { url: "https://10.0.0.5", user: monitor, keyEnv: SET_SECRET }';
const { appliances: certified } = await configOf(
  `appliances: [{ name: fac-1, ${certificate}, ${api} }, { name: fac-2, ${certificate} }]`,
);

function redeemable(day: string, name = 'fac-1'): readonly Finding[] {
  const rest = name === 'fac-1' ? applianceFacts({ tokens: TRIAL_ONLY }) : null;
  const units = certified.filter((config) => config.name === name).map((config) => ({ config, rest, role: null }));
  return judgeUnits(units, null, Date.parse(day));
}

const LICENSE_ASSIGNMENT = {
  'to be redeemed': redeemable('2027-03-02'),
  'to be redeemed today': redeemable('2027-03-31'),
  'redeemable no more': redeemable('2027-04-01'),
  'redeemed or not': redeemable('2027-03-02', 'fac-2'),
  ...Object.fromEntries(
    (
      [
        { kind: 'unregistered', status: 'Pending' },
        { kind: 'unnamed', status: 'Registered' },
        { kind: 'not-listed' },
        { kind: 'queued' },
        { kind: 'postponed', until: HOUR },
        failure('timeout'),
      ] as const
    ).map((outcome) => [outcome.kind, license(outcome)]),
  ),
  'at this unit': license(held('FAC-A')),
  'at another unit': license(held('FAC-Z')),
  'at the former unit': license(held('FAC-A'), migrated),
  'at the peer': judge(listed(PAIR, standalone), held('FAC-B')),
  'without a status': license({ kind: 'unnamed', status: null }),
  'of a unit without a serial': judge(listed({ ...ALONE, serial: null }, null), held('FAC-A')),
  'at neither member': judge(listed(PAIR, cluster), held('FAC-X')),
  'at the peer, the cluster unknown': judge(listed(PAIR, null), held('FAC-B')),
  'at the peer, before activation': judge(
    listed(PAIR, applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-B' }, tokens: TRIAL_ONLY })),
    held('FAC-B'),
  ),
  'an answer that is kept': judgeUnits([listed(ALONE, standalone)], {
    kind: 'ok',
    lookups: [{ license: LICENSE, outcome: held('FAC-A'), kept: { since: HOUR, because: failure('timeout') } }],
  }),
  'not looked up yet': judgeUnits([listed(ALONE, standalone)], { kind: 'ok', lookups: [] }),
  'at the peer, this one active': judge(listed(PAIR, standalone, role('cluster-primary')), held('FAC-B')),
  'the API user refused': judgeUnits([listed(ALONE, standalone)], { kind: 'denied', message: 'invalid_grant' }),
  'no answer': judgeUnits([listed(ALONE, standalone)], failure('timeout')),
  'not queried before': judgeUnits([listed(ALONE, standalone)], { kind: 'postponed', until: HOUR }),
  'licences unknown': judgeUnits([listed({ ...ALONE, licenses: [] }, null)], { kind: 'ok', lookups: [] }),
};

const LATER = T0 + 2 * HOUR;

const POLLING = {
  'no line yet': judgeLog(report(after([]), T0 + MINUTE)),
  'no line for long': judgeLog(report(after([]), LATER)),
  'one error': judgeLog(report(after([ftm('alpha', T0)]), T0 + MINUTE)),
  'several errors': judgeLog(report(after([ftm('alpha', T0), ftm('beta', T0 + MINUTE, 3)]), T0 + 2 * MINUTE)),
  'of an unknown unit': judgeLog(report(after([ftm('alpha', T0, 1, null)]), T0 + MINUTE)),
  'unknown senders': judgeLog(report(after([]), LATER), { unknownSenders: ['192.0.2.7'] }),
};

const clock = (...seen: readonly ClockObservation[]): readonly Finding[] => judgeClock(seen);
const offset = (protocol: 'ntp' | 'http', offsetMs: number, source: string): ClockObservation => ({
  source,
  protocol,
  outcome: { kind: 'offset', offsetMs, precisionMs: 5 },
});

const CLOCK = {
  'an hour ahead': clock(offset('ntp', HOUR, 'ntp.example.test:123')),
  'an hour behind': clock(offset('ntp', -HOUR, 'ntp.example.test:123')),
  'one server alone': clock(offset('http', HOUR, 'a:443')),
  'no answer': clock({ source: 'x:1', protocol: 'ntp', outcome: failure('timeout') }),
};

const AGENT = Object.fromEntries(
  TROUBLES.map(({ cause, health }, index) => [`${String(index + 1)} ${cause}`, judgeAgent({ ...WELL, ...health })]),
);

const ADMISSION: FirewallAdmission = {
  signature: 'fortigate-ssl-inspection',
  firstAt: T0,
  lastAt: T0,
  count: 1,
  moments: [T0],
  reliable: true,
  ofUnit: true,
  evidence: {
    device: 'fgt-1',
    policy: '20',
    profile: 'deep',
    action: null,
    sourceAddress: '10.0.0.5',
    destinationAddress: null,
    hostName: TARGET,
  },
  sample: 'devname="fgt-1"',
};
const UNNAMED = { ...ADMISSION.evidence, device: null, policy: null, profile: null, sourceAddress: null };
const REFUSED = pollingError(T0, 'FTM polling error: SSL session failed', { cause: 'tls-interception-suspected' });

function tlsBeside(more: Partial<PollingReport>, findings: readonly Finding[] = []): readonly Finding[] {
  const log = { report: { ...report(after([]), T0), ...more }, complainedOf: [] };
  const own = { id: 'tls-genuine', kind: 'judged', findings, summary: '' } as const;
  return (tlsGenuine.adjust?.(own, everything({ log })).findings ?? []).slice(findings.length);
}

const TLS_GENUINE = {
  'a firewall admits it': tlsBeside({ firewallEvidence: [ADMISSION] }),
  'a firewall admits it, in one datagram': tlsBeside({ firewallEvidence: [{ ...ADMISSION, reliable: false }] }),
  'a firewall admits it, of other traffic': tlsBeside({ firewallEvidence: [{ ...ADMISSION, ofUnit: false }] }),
  'a firewall admits it, without a name': tlsBeside({ firewallEvidence: [{ ...ADMISSION, evidence: UNNAMED }] }),
  'an unknown authority, and a complaint': tlsBeside(
    {
      appliances: [
        { name: 'fac-1', errors: [REFUSED], lastLineAt: T0, reliableLineAt: T0, silent: false, silentFor: null },
      ],
    },
    [finding('vendor-ca-changed', { level: 'warning', confidence: 'suspected', facts: { judgement: 'It is new' } })],
  ),
};

const CASES = {
  reachability: REACHABILITY,
  'license-server': LICENSE_SERVER,
  'name-resolution': NAME_RESOLUTION,
  mail: MAIL,
  'firewall-policy': FIREWALL_POLICY,
  appliance: APPLIANCE,
  'token-pool': TOKEN_POOL,
  'license-assignment': LICENSE_ASSIGNMENT,
  polling: POLLING,
  'tls-genuine': TLS_GENUINE,
  clock: CLOCK,
  agent: AGENT,
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly Finding[]>>>>;

test('the claims of every check', async () => {
  const told = Object.entries(CASES).flatMap(([check, cases]) =>
    Object.entries(cases).map(([name, findings]) => [`${check}: ${name}`, findings.map(lineOf).join('\n')] as const),
  );
  await expectRecorded('claims', Object.fromEntries(told));
});

function lineOf(finding: Finding): string {
  const { level, suggests, rule, kind, confidence, claim, expected, actual, advice } = finding;
  const ids = [level, rule, suggests, kind, confidence].filter((id) => typeof id === 'string').join(' ');
  const faults = faultsOfClaims([finding]).map((fault) => `  WRONG ${fault}`);
  return [
    `- ${ids}`,
    `  ${claim}`,
    ...namesOf(finding),
    `  expected: ${expected}`,
    ...(actual === undefined ? [] : [`  actual: ${actual}`]),
    ...(advice === undefined ? [] : [`  advice: ${[advice.summary, ...advice.remedy.map(textOfStep)].join('\n    ')}`]),
    ...faults,
  ].join('\n');
}
