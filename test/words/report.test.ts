import { strFromU8, unzipSync } from 'fflate';
import { test } from 'vitest';
import { INTERMITTENT_RULE } from '../../src/checks/intermittent/finding.ts';
import { repairVerdict } from '../../src/checks/repair-verdict.ts';
import type { LogEvent } from '../../src/core/polling/log-event.ts';
import { emptyPolling, recordEvents } from '../../src/core/polling/state.ts';
import { diagnose } from '../../src/engine/diagnose.ts';
import { checklistOf } from '../../src/document/checklist.ts';
import type { Incident } from '../../src/engine/incident/incident.ts';
import type { ReportData } from '../../src/report/report-data.ts';
import { reportHtml } from '../../src/report/report-html.ts';
import type { OpenIncident } from '../../src/document/site-state.ts';
import type { CertificateJson, SeenChain } from '../../src/report/seen.ts';
import { logExcerpts, maskedHistory } from '../../src/report/timeline.ts';
import type { StoredHistory } from '../../src/store/stored-history.ts';
import { createMask } from '../../src/text/mask.ts';
import { matched, NO_INSPECTION } from '../support/checks/firewall-match.ts';
import { CONTEXT, finding, judgedRound, type Special, TARGET } from '../support/checks/judged-round.ts';
import { formerCauseOf, incidentNotificationOf, incidentOf, outboxEntryOf } from '../support/notify/outbox-entry-of.ts';
import { prtgAnswer } from '../../src/document/prtg.ts';
import { diagnosisToJson } from '../../src/checks/diagnosis-json.ts';
import { ALL_TIME } from '../../src/core/time-text.ts';
import { reportArchive } from '../../src/report/report-archive.ts';
import { checkmkLines } from '../../src/report/checkmk-lines.ts';
import { pluginAnswer } from '../../src/report/nagios-line.ts';
import {
  renderDiagnosis,
  renderRepair,
  renderRoots,
  renderSteps,
  unseenIncidents,
} from '../../src/report/report-text.ts';
import { causeOf, diagnosisOf } from '../support/checks/diagnosis-of.ts';
import { path, round } from '../support/checks/observed.ts';
import { wordedCause } from '../support/checks/worded-cause.ts';
import { HOUR, MINUTE, SECOND, START } from '../support/store/incident-timeline.ts';
import { expectRecorded } from './recorded.ts';
import { textOfPage } from './text-of-page.ts';

const STYLE = { color: false, width: 100 } as const;

const DIAGNOSES = {
  'nothing is wrong': {
    ...diagnosisOf(START, []),
    quantities: [
      { id: 'certificate-days', subject: 'mail.example.org:25', value: 30, unit: 'days' },
      { id: 'license-days', subject: 'EFTM000000000001', value: 12, unit: 'days' },
      { id: 'polling-errors', subject: 'fac-1', value: 0, unit: 'errors' },
      { id: 'sms-left', subject: 'fac-1', value: 90, unit: 'messages' },
      { id: 'tokens-free', subject: 'fac-1', value: 30, unit: 'tokens' },
    ],
  },
  intercepted: diagnosisOf(START, [wordedCause('tls-intercepted')]),
  'a warning': diagnosisOf(START, [causeOf('mail-slow', { severity: 'warning' })]),
  'push does not work': diagnosisOf(START, [wordedCause('push-unreachable')]),
} as const;

const OPEN: OpenIncident = {
  id: '20261124T130005Z-a-1',
  cause: 'egress-blocked',
  subject: 'fortitokenmobile.fortinet.com:443',
  severity: 'critical',
  summary: 'Every second connection is not opened.',
  headline: 'Connections are not opened',
  remedy: [],
  since: '2026-11-24T12:50:00.000Z',
  lastSeen: '2026-11-24T12:59:30.000Z',
};

/** Open incidents of the daemon that a check does not see, by the rule that the daemon judged. */
const UNSEEN = Object.entries({
  'an outage': ['port-opens', {}],
  'an intermittent fault': [INTERMITTENT_RULE, {}],
  'an intermittent warning': [INTERMITTENT_RULE, { severity: 'warning' }],
} as const).map(([name, [rule, more]]) => {
  const clean = DIAGNOSES['nothing is wrong'];
  const diagnosis = { preconditions: [{ id: 'reachability', findings: [{ rule }] }] };
  const unseen = unseenIncidents(clean, { diagnosis, incidents: [{ ...OPEN, ...more }] });
  return [`check, beside ${name}`, renderDiagnosis(clean, STYLE, { unseen })] as const;
});

const ANSWERS = [
  ['an incident that is still open', START + SECOND],
  ['a round of long ago', START + HOUR],
] as const;
const NAGIOS = ANSWERS.map(([name, now]) => {
  const looked = { by: 'daemon', incidents: [OPEN], now, longest: 15 * MINUTE } as const;
  return [
    `check --nagios, ${name}`,
    pluginAnswer(diagnosisToJson(DIAGNOSES['nothing is wrong']), looked).text,
  ] as const;
});

function checkmk(): Readonly<Record<string, string>> {
  const units = ['fac-1', 'fac-2'];
  const exhausted = { ...wordedCause('tokens-exhausted'), subject: 'fac-1' };
  const unread = diagnosisToJson(diagnosisOf(START, [], { polling: 'unknown' }));
  const leftOut = unread.preconditions.map((one) => ({ ...one, isLeftOut: one.id === 'polling' }));
  const looked = { by: 'daemon', incidents: [OPEN], now: START + SECOND, longest: 15 * MINUTE } as const;
  const itself = { by: 'itself' } as const;
  return {
    'check --checkmk, intercepted': checkmkLines(diagnosisToJson(DIAGNOSES.intercepted), itself, []),
    'check --checkmk, an incident that is still open': checkmkLines(unread, looked, []),
    'check --checkmk, an incident about what is unknown': checkmkLines(
      { ...unread, preconditions: leftOut },
      { ...looked, incidents: [{ ...OPEN, cause: 'polling-failing' }] },
      [],
    ),
    'check --piggyback, a fault of one unit': checkmkLines(
      diagnosisToJson(diagnosisOf(START, [exhausted])),
      itself,
      units,
    ),
    'check --checkmk, another version': checkmkLines(
      { ...diagnosisToJson(DIAGNOSES['nothing is wrong']), preconditions: [] },
      itself,
      [],
    ),
  };
}

const MASK = createMask({ accounts: [], withoutSecrets: (text) => text });
const STORY: Incident = {
  ...incidentOf(),
  openedAt: START + MINUTE,
  formerCauses: [formerCauseOf('egress-blocked', START + 2 * MINUTE, 'a:443')],
  returns: [START + 4 * MINUTE],
  earlier: [{ ...incidentOf(), since: START - HOUR, openedAt: START - HOUR, closedAt: START - MINUTE }],
  closedAt: START + 5 * MINUTE,
  status: 'closed',
};
const HISTORY: Extract<StoredHistory, { readonly kind: 'read' }> = {
  kind: 'read',
  incidents: [STORY],
  olderIncidents: 2,
  outboxEntries: [
    outboxEntryOf(incidentNotificationOf(STORY), { status: 'rejected', attempts: 1, finishedAt: START, detail: '550' }),
    outboxEntryOf(incidentNotificationOf(STORY), { channel: 'webhook', recipient: 'https://h.example.org/secret' }),
  ],
  olderEntries: 3,
  certificates: [],
};
const HEARD = Array.from({ length: 12 }, (_, index): LogEvent => {
  const at = START - index * SECOND;
  return { kind: 'ftm', appliance: 'fac-1', signature: 'alpha', at, count: 2, line: 'a line', reliable: false };
});
const LOG = { kind: 'read', state: recordEvents(emptyPolling(15 * MINUTE), HEARD), listeningSince: null } as const;

const CERTIFICATE: CertificateJson = {
  subject: 'CN=a',
  issuer: 'CN=b',
  serial: '01',
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2027-01-01T00:00:00Z',
  isAuthority: false,
  names: ['a', 'b'],
  key: 'RSA 2048',
  pin: 'sha256/p',
  signatureAlgorithm: null,
  sha256: 'ab',
};
const CHAIN: SeenChain = {
  file: 'a.pem',
  target: 'a:443',
  way: '192.0.2.1',
  judgement: { verdict: 'intercepted', confidence: 'confirmed', summary: 'By a device.', settle: 'Ask again' },
  certificates: [CERTIFICATE],
  pem: '',
  dropped: 2,
};

/** Pages with what one archive does not have. */
function pages(): Readonly<Record<string, string>> {
  const checklist = checklistOf(DIAGNOSES['nothing is wrong'], 'whole').items;
  const period = { since: null, until: new Date(START + HOUR).toISOString() };
  const plain: ReportData = {
    version: 1,
    site: 'hq',
    writtenAt: period.until,
    period,
    versions: { ftmWatch: '1.2.3', node: '26', openssl: '3.5', os: 'Linux' },
    check: diagnosisToJson(DIAGNOSES['nothing is wrong']),
    round: {},
    chains: [],
    issuers: [],
    timeline: { note: null, incidents: [], events: [] },
    logExcerpts: logExcerpts({ kind: 'none' }, { mask: MASK, period: ALL_TIME }),
    configuration: {},
    masked: { 'user-name': 0, 'mail-address': 0, 'phone-number': 0, code: 0, password: 0 },
  };
  const [target, seen] = [STORY.cause.subject, { firstSeen: period.until, lastSeen: period.until }];
  const issuer = { target, name: 'FG100F', issuer: 'CN=FG100F', certificates: 1, ...seen, verdict: null };
  const open = { ...STORY, status: 'open', closedAt: null } as const;
  const full: Partial<ReportData> = {
    chains: [CHAIN, { ...CHAIN, judgement: null, dropped: 0 }],
    issuers: [{ ...issuer, firstSeen: new Date(START).toISOString() }],
    logExcerpts: logExcerpts(LOG, { mask: MASK, period: ALL_TIME }),
  };
  const unreadable: Partial<ReportData> = {
    logExcerpts: logExcerpts({ kind: 'unreadable', message: 'damaged' }, { mask: MASK, period: ALL_TIME }),
  };
  const silent = {
    logExcerpts: logExcerpts({ ...LOG, state: emptyPolling(MINUTE) }, { mask: MASK, period: ALL_TIME }),
  };
  const stored = { ...HISTORY, incidents: [open, { ...STORY, id: 'over', cause: causeOf('mail-slow') }] };
  const variants: readonly (readonly [string, Partial<ReportData>, StoredHistory])[] = [
    ['a fault that is over', full, stored],
    ['nothing can be read', unreadable, { kind: 'unreadable', message: 'damaged' }],
    ['no log lines', silent, { kind: 'none' }],
  ];
  return Object.fromEntries(
    variants.map(([name, data, history]) => [
      `page, ${name}`,
      textOfPage(
        reportHtml({ ...plain, ...data }, maskedHistory(history, MASK), {
          answers: '',
          byHand: [],
          checklist,
          files: [],
        }),
      ),
    ]),
  );
}

const FLOW = `10.0.0.5 to ${TARGET}`;
const POLICY = {
  subject: FLOW,
  rule: 'policy-leaves-tls-alone',
  claim: 'Policy 5 inspects.',
  describesPolicy: true,
} as const;
const INTERCEPTS: Special = ['tls-genuine', [finding('tls-intercepted')]];
const INSPECTS: Special = ['firewall-policy', [finding('policy-inspects-traffic', POLICY)]];
const NO_FIREWALL: Special = ['firewall-policy', [], 'not-configured'];
const REPAIRS: Readonly<Record<string, readonly Special[]>> = {
  'in force': [],
  'still intercepted': [INTERCEPTS],
  'still inspected': [INSPECTS],
  'another fault': [['tls-genuine', [finding('tls-blocked')]]],
  'the firewall does not answer': [['firewall-policy', [finding(null, { level: 'unknown' })]]],
  'the firewall is not asked': [['firewall-policy', [], 'unjudged']],
  'no firewall': [NO_FIREWALL],
  'broken before it': [['reachability', [finding('egress-blocked')]]],
  unjudged: [NO_FIREWALL, ['tls-genuine', [], 'unjudged']],
  'not looked at': [NO_FIREWALL, ['tls-genuine', [], 'not-configured']],
  unknown: [NO_FIREWALL, ['tls-genuine', [finding(null, { level: 'unknown' })]]],
};

function repairs(): readonly (readonly [string, string])[] {
  const [cause] = diagnose(judgedRound(INTERCEPTS, INSPECTS), CONTEXT).causes;
  if (cause === undefined) throw new Error('No cause');
  const open = incidentOf(cause);
  const closed = { ...open, status: 'closed', closedAt: START } as const;
  const told = (incident: Incident, parts: readonly Special[], more: object = {}): string => {
    const firewall = parts.includes(NO_FIREWALL) ? [] : [matched({ id: 7 }, NO_INSPECTION, { destination: TARGET })];
    const after = { diagnosis: diagnose(judgedRound(...parts), CONTEXT), firewall, isLookedAt: () => true, silent: [] };
    return renderRepair(repairVerdict(incident, { ...after, ...more }), cause, STYLE);
  };
  return [
    ...Object.entries(REPAIRS).map(([name, parts]) => [`check --verify, ${name}`, told(open, parts)] as const),
    ['check --verify, back again', told(closed, [INTERCEPTS])],
    ['check --verify, gone from the configuration', told(open, [], { isLookedAt: () => false })],
  ];
}

test('the result of a check, and the files of a report', async () => {
  const printed = Object.entries(DIAGNOSES).flatMap(([name, diagnosis]) => [
    [`check, ${name}`, renderDiagnosis(diagnosis, STYLE)] as const,
    [`check --steps, ${name}`, renderSteps(diagnosis, STYLE)] as const,
    [`check --nagios, ${name}`, pluginAnswer(diagnosisToJson(diagnosis), { by: 'itself' }).text] as const,
    [
      `check --prtg, ${name}`,
      JSON.stringify(prtgAnswer(diagnosisToJson(diagnosis), { by: 'itself' }), null, 2),
    ] as const,
  ]);
  const asides = { ...Object.fromEntries([...UNSEEN, ...NAGIOS, ...repairs()]), ...checkmk() };
  const roots = { 'check --mail-roots, none': renderRoots([], STYLE) };
  await expectRecorded('report', { ...Object.fromEntries(printed), ...asides, ...roots, ...archive(), ...pages() });
});

function archive(): Readonly<Record<string, string>> {
  const { bytes } = reportArchive({
    site: 'hq',
    writtenAt: START,
    period: ALL_TIME,
    versions: { ftmWatch: '1.2.3', node: '26', openssl: '3.5', os: 'Linux' },
    examination: {
      diagnosis: DIAGNOSES.intercepted,
      observations: round({ startedAt: START, durationMs: 1, licenseServer: path() }),
      targets: [],
    },
    configuration: { site: 'hq' },
    storedHistory: { kind: 'none' },
    capture: null,
    logMemory: { kind: 'none' },
    secrets: [],
  });
  const files = Object.entries(unzipSync(bytes)).map(([name, file]) => [name, strFromU8(file)] as const);
  return Object.fromEntries(
    files.flatMap(([name, text]) => {
      if (name.endsWith('.html')) return [[name, textOfPage(text)]];
      return name.endsWith('.txt') ? [[name, text]] : [];
    }),
  );
}
