import type { UnitObservation } from '../../../src/connectors/picture.ts';
import { memoryBeside } from '../../../src/checks/appliance/judge.ts';
import { loadFirmwareFacts } from '../../../src/connectors/firmware-facts.ts';
import { factsAbout } from '../../../src/core/license/firmware.ts';
import { finding } from '../../support/checks/judged-round.ts';
import { judgeAgent } from '../../../src/checks/agent/judge.ts';
import type {
  ApplianceFacts,
  ApplianceObservation,
  HaRoleObservation,
  TokenCounts,
} from '../../../src/core/license/appliance.ts';
import type { FirewallObservation, FirewallPolicy, Flow, SslInspection } from '../../../src/core/firewall.ts';
import type { LicenseOutcome } from '../../../src/core/license/registration.ts';
import type { ClockObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { TROUBLES, WELL } from '../../support/checks/agent-health.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { FLOW, matched, NO_INSPECTION } from '../../support/checks/firewall-match.ts';
import { judgeAppliance } from '../../support/checks/judged-appliance.ts';
import { judgeClock } from '../../support/checks/judged-clock.ts';
import { judgeLog } from '../../support/checks/judged-log.ts';
import { judgePolicies } from '../../support/checks/judged-policy.ts';
import { judgeTokens, readUnit, tokens } from '../../support/checks/judged-tokens.ts';
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
} from '../../support/checks/license-bench.ts';
import { after, ftm, MINUTE, report, T0 } from '../../support/checks/polling-report.ts';
import { configOf } from '../../support/config/config-of.ts';
import { HOUR, failure, REASONS } from './failures.ts';

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

export const FIREWALL_POLICY = {
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

const shipped = await loadFirmwareFacts([]);
const firmware = (version: string) => factsAbout(`FACVMKVM v${version}, build0099 (GA)`, shipped);
const LITTLE_MEMORY = applianceFacts({ system: { memoryKb: 2_029_704 } });
const FAC_1 = { config: { name: 'fac-1' }, known: firmware('6.5.5') };
const ERROR = finding('polling-failing', { subject: 'fac-1' });
const SNMP = {
  host: '10.0.0.5',
  port: 161,
  community: null,
  authPassword: null,
  privPassword: null,
  privProtocol: null,
};

function withClock(offsetMs: number, trusted: boolean): readonly Finding[] {
  const seen = applianceFacts({ clock: { offsetMs, precisionMs: 600, answers: 6, clockBase: 1000 } });
  const estimate = { offsetMs: 0, precisionMs: 20, supporters: ['ntp.test:123'], trusted };
  return unit(seen, { ownClock: { estimate, clockBase: 1000 } });
}

export const APPLIANCE = {
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
  'little memory': unit(LITTLE_MEMORY, { known: firmware('6.5.0').filter(({ fact }) => fact.use === 'memory') }),
  'little memory, beside a fault': memoryBeside([ERROR], [{ ...FAC_1, rest: LITTLE_MEMORY }], () => 'fac-1'),
  'known faults of the firmware': unit(applianceFacts(), { known: firmware('6.6.8') }),
  'a fault that the firmware may have': unit(applianceFacts(), { known: firmware('8.0.1').slice(0, 1) }),
  'SNMP with SHA-1': unit(applianceFacts(), {
    role: UNREAD,
    known: firmware('6.6.2').filter(({ fact }) => fact.use === 'snmp-sha1'),
    snmp: { ...SNMP, user: 'u', authProtocol: 'sha' },
  }),
  'a clock that is ahead': withClock(21_000, true),
  'a clock that is far behind': withClock(-61_000, true),
  'a clock that this machine cannot judge': withClock(90_000, false),
  'no answer over SNMP': unit(applianceFacts(), { role: UNREAD }),
  'facts that are old': unit(applianceFacts(), { factsAsOf: '2025-01-01', at: '2026-11-24' }),
};

function tokenPool(left: number, assigned: number, more: Partial<TokenCounts> = {}): readonly Finding[] {
  const licensed = { kind: 'read', value: { total: 100, used: null, available: null } } as const;
  return judgeTokens([readUnit(applianceFacts({ licensed, tokens: tokens(left, assigned, more) }), EXPECTED)]);
}

const EXPECTED = { licenses: ['EFTM000000000001'], tokensLow: 0.1 };
const FREE = { new: 0, available: 0, pending: 0, assigned: 0, other: 0 };

const NOT_REGISTERED = { license: 'FTMTRIALNOREGIST', tokens: 2 };

/** Returns what is told of pending tokens that were seen this long ago. */
function waiting(ages: readonly number[], more: Partial<ApplianceFacts> = {}): readonly Finding[] {
  const pending = ages.map((age, index) => ({ id: `token-${String(index)}`, age }));
  const byStatus = { ...FREE, available: 20, pending: pending.length, assigned: 12 - pending.length };
  return judgeTokens([readUnit(applianceFacts({ tokens: tokens(20, 12, { byStatus, pending }), ...more }), EXPECTED)]);
}

function sold(bought: number, certificates: UnitObservation['config']['certificates']): readonly Finding[] {
  const outcome = { kind: 'registered', serial: 'FAC-A', bought } as const;
  const registration = { kind: 'ok', lookups: [{ license: LICENSE, outcome }] } as const;
  return judgeTokens([readUnit(applianceFacts(), { ...EXPECTED, certificates })], registration);
}

export const TOKEN_POOL = {
  'all well': tokenPool(50, 50),
  'another number than licensed': tokenPool(50, 40),
  'running out': tokenPool(9, 91),
  'none left': tokenPool(0, 100),
  'locked ones': tokenPool(50, 50, { locked: { ...FREE, available: 40 } }),
  'waiting to be activated': tokenPool(40, 50, { byStatus: { ...FREE, available: 40, pending: 10, assigned: 50 } }),
  'locked ones of users': tokenPool(50, 50, { locked: { ...FREE, available: 4, assigned: 1 } }),
  'several locked ones of users': tokenPool(50, 50, { locked: { ...FREE, assigned: 2 } }),
  'assigned just now': waiting([0, 0]),
  'assigned while the codes live': waiting([HOUR, 0]),
  'assigned with codes that are void': waiting([26 * HOUR, 2 * HOUR, HOUR]),
  'assigned for long, with codes of unknown life': waiting([26 * HOUR], { provisioning: { kind: 'absent' } }),
  'trial tokens of an unregistered unit': tokenPool(50, 50, { byLicense: [NOT_REGISTERED] }),
  'fewer than were sold': sold(50, []),
  'fewer than were sold, in two ways': sold(40, [{ license: LICENSE, tokens: 50, redeemBy: null }]),
  'in another state': tokenPool(40, 50, { byStatus: { ...FREE, available: 40, assigned: 50, other: 10 } }),
  'of another licence': tokenPool(50, 50, { byLicense: [{ license: 'EFTM000000000009', tokens: 100 }] }),
  'without a licence': tokenPool(2, 0, { byLicense: [], withoutLicense: 2 }),
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

export const LICENSE_ASSIGNMENT = {
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
  'behind a load balancer': judge(listed(ALONE, standalone, role('load-balancer')), held('FAC-X')),
  'the API user refused': judgeUnits([listed(ALONE, standalone)], { kind: 'denied', message: 'invalid_grant' }),
  'no answer': judgeUnits([listed(ALONE, standalone)], failure('timeout')),
  'not queried before': judgeUnits([listed(ALONE, standalone)], { kind: 'postponed', until: HOUR }),
  'licences unknown': judgeUnits([listed({ ...ALONE, licenses: [] }, null)], { kind: 'ok', lookups: [] }),
};

const LATER = T0 + 2 * HOUR;

const MANY_WAYS = await configOf('logs: { syslog: { udp: "10.0.0.9:514", tcp: "10.0.0.9:601" }, files: [/a, /b] }');
const SENDERS = ['1', '2', '3', '4', '5', '6', '7'].map((last) => `192.0.2.${last}`);

export const POLLING = {
  'no line yet': judgeLog(report(after([]), T0 + MINUTE)),
  'no line yet, over TCP and from files': judgeLog(report(after([]), T0 + MINUTE), { config: MANY_WAYS }),
  'no line for long': judgeLog(report(after([]), LATER)),
  'one error': judgeLog(report(after([ftm('alpha', T0)]), T0 + MINUTE)),
  'several errors': judgeLog(report(after([ftm('alpha', T0), ftm('beta', T0 + MINUTE, 3)]), T0 + 2 * MINUTE)),
  'of an unknown unit': judgeLog(report(after([ftm('alpha', T0, 1, null)]), T0 + MINUTE)),
  'many unknown senders': judgeLog(report(after([]), T0 + MINUTE), { unknownSenders: SENDERS }),
  'unknown senders': judgeLog(report(after([]), LATER), { unknownSenders: ['192.0.2.7'] }),
};

const clock = (...seen: readonly ClockObservation[]): readonly Finding[] => judgeClock(seen);
const offset = (protocol: 'ntp' | 'http', offsetMs: number, source: string): ClockObservation => ({
  source,
  protocol,
  outcome: { kind: 'offset', offsetMs, precisionMs: 5 },
});

export const CLOCK = {
  'an hour ahead': clock(offset('ntp', HOUR, 'ntp.example.test:123')),
  'an hour behind': clock(offset('ntp', -HOUR, 'ntp.example.test:123')),
  'one server alone': clock(offset('http', HOUR, 'a:443')),
  'no source': clock(),
  'no answer': clock({ source: 'x:1', protocol: 'ntp', outcome: failure('timeout') }),
};

export const AGENT = Object.fromEntries(
  TROUBLES.map(({ cause, health }, index) => [`${String(index + 1)} ${cause}`, judgeAgent({ ...WELL, ...health })]),
);
