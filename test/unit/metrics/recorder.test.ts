import { Registry } from 'prom-client';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Picture } from '../../../src/connectors/picture.ts';
import type { Certificate } from '../../../src/core/certificate.ts';
import type { ApplianceObservation } from '../../../src/core/license/appliance.ts';
import type { DnsReply, HttpOutcome, TlsOutcome } from '../../../src/core/observation.ts';
import type { SignatureSet } from '../../../src/core/polling/signature.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { Assessment, Diagnosis, Finding, FindingLevel } from '../../../src/engine/model.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { CHANNEL_IDS } from '../../../src/config/schema/channels.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { endpoint, failed, open, path, picture, round } from '../../support/checks/observed.ts';
import { configOf } from '../../support/config/config-of.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { parseExposition, type Series } from '../../support/monitoring/exposition.ts';

const TARGET = 'server.test:443';
const ANSWER: DnsReply = {
  kind: 'answer',
  rcode: 'NOERROR',
  addresses: ['173.243.138.84'],
  cnames: [],
  ttlSeconds: 300,
  durationMs: 1,
  attempts: 1,
};
/** An address that was checked completely. */
const ANSWERED = {
  ...endpoint('192.0.2.1'),
  tls: {
    kind: 'established',
    durationMs: 40,
    chain: { certificates: [{ notAfter: 1_800_000_000_000 } as Certificate], dropped: 0 },
  } as unknown as TlsOutcome,
  http: { kind: 'response', status: 200, durationMs: 40 } as unknown as HttpOutcome,
};

let config: Config;
let signatures: SignatureSet;
let registry: Registry;
let recorder: Recorder;

beforeAll(async () => {
  config = await configOf(
    'appliances:\n' +
      '  - { name: fac-1, serial: FACVM0000000001, licenses: [EFTM000000000001, eftm000000000002] }\n' +
      '  - { name: fac-2, serial: FACVM0000000002, licenses: [EFTM000000000003] }\n' +
      'registration: { user: api, passwordEnv: SET_SECRET }\n' +
      'services: [{ name: push, host: push.test }]',
  );
  signatures = await shippedCatalogue();
});

beforeEach(begin);

function begin(): void {
  registry = new Registry();
  recorder = new Recorder(defineMetrics(registry));
  expectMore({});
}

function expectMore(more: Partial<Parameters<Recorder['expect']>[0]>): void {
  const probes = [{ probe: 'tcp', target: TARGET }] as const;
  recorder.expect({ config, signatures, probes, judged: [TARGET], ...more });
}

async function series(name: string): Promise<readonly Series[]> {
  return parseExposition(await registry.metrics()).filter((each) => each.name === name);
}

/** Returns the values of a metric by its label values, in the order of the label names. */
async function values(name: string): Promise<Readonly<Record<string, number>>> {
  const texts = (labels: Series['labels']): readonly (string | undefined)[] =>
    Object.keys(labels)
      .toSorted()
      .map((key) => labels[key]);
  return Object.fromEntries((await series(name)).map(({ labels, value }) => [texts(labels).join(' '), value]));
}

function look(...endpoints: Parameters<typeof endpoint>[]): void {
  const seen = endpoints.map((each) => endpoint(...each));
  recorder.measured(round({ licenseServer: path({ endpoints: seen }) }), [], config);
}

function polled(appliance: string | null, count = 1): void {
  const at = 1_795_000_000_500;
  recorder.logEvent({
    kind: 'ftm',
    appliance,
    signature: 'ftm-polling-ssl',
    at,
    count,
    line: 'hostile',
    reliable: false,
  });
}

describe('from the start', () => {
  test('every state and verdict is there, and only "unknown" is set', async () => {
    for (const [name, label] of [
      ['ftm_precondition_state', 'state'],
      ['ftm_tls_verdict', 'verdict'],
    ] as const) {
      const { 0: unset = [], 1: set = [] } = Object.groupBy(await series(name), ({ value }) => value);
      expect(new Set(set.map(({ labels }) => labels[label]))).toEqual(new Set(['unknown']));
      expect(new Set(unset.map(({ labels }) => labels[label])).size).toBeGreaterThan(3);
    }
  });

  test('every channel is there at zero, with each result', async () => {
    const sent = await values('ftm_notifications_total');
    expect(Object.keys(sent).toSorted()).toEqual(
      CHANNEL_IDS.toSorted().flatMap((channel) =>
        ['expired', 'failed', 'rejected', 'sent'].map((result) => `${channel} ${result}`),
      ),
    );
    const pending = await values('ftm_notifications_pending');
    const last = await values('ftm_notification_last_success_timestamp_seconds');
    expect([pending, last].map((one) => Object.keys(one).length)).toEqual([CHANNEL_IDS.length, CHANNEL_IDS.length]);
    expect([sent, pending, last].flatMap(Object.values).filter((value) => value !== 0)).toEqual([]);
  });

  test('errors of a log are counted for signatures of messages only, and for nobody as well', async () => {
    const errors = await series('ftm_polling_errors_total');
    // Signatures that only `explain` uses are never counted.
    const messages = signatures.signatures
      .filter((signature) => signature.kind === 'message' && signature.explainOnly !== true)
      .map(({ id }) => id);
    expect(messages.length).toBeLessThan(signatures.signatures.length);
    for (const appliance of ['fac-1', 'unnamed'])
      expect(
        errors.filter(({ labels }) => labels['appliance'] === appliance).map(({ labels }) => labels['signature']),
      ).toEqual(messages);
    expect(Object.values(await values('ftm_polling_last_error_timestamp_seconds'))).toEqual([0, 0, 0]);
  });

  test('a cause is there at its own severity, and at those of the services', async () => {
    const severitiesOf = async (cause: string): Promise<readonly unknown[]> =>
      (await series('ftm_cause_active'))
        .filter(({ labels }) => labels['cause'] === cause)
        .map(({ labels }) => labels['severity']);
    const bare = await configOf('appliances: []');
    expectMore({ config: bare });
    expect(await severitiesOf('tls-intercepted')).toEqual(['critical']);
    expect(await severitiesOf('license-expires-in-7-days')).toEqual(['warning', 'critical']);
    expectMore({ config: await configOf('services: [{ name: push, host: push.test, severity: warning }]') });
    expect(await severitiesOf('tls-intercepted')).toEqual(['critical', 'warning']);
    recorder.incidents([{ status: 'open', openedAt: 0, cause: causeOf('tls-blocked', { severity: 'warning' }) }]);
    expect(await values('ftm_cause_active')).toMatchObject({ 'tls-blocked warning': 1 });
    expectMore({ config: bare });
    expect(await severitiesOf('tls-intercepted')).toEqual(['critical']);
    expect(await severitiesOf('tls-blocked')).toEqual(['critical']);
  });

  test('the site is named as the configuration in force names it', async () => {
    expectMore({ config: await configOf('site: branch') });
    expect(await values('ftm_site_info')).toEqual({ branch: 1 });
  });
});

describe('probes', () => {
  test('succeed for a target when all of its addresses answer', async () => {
    look(['192.0.2.1'], ['192.0.2.2', failed('timeout')]);
    expect(await values('ftm_probe_success')).toEqual({ [`tcp ${TARGET}`]: 0 });
    expect(await values('ftm_probe_runs_total')).toEqual({ [`tcp ${TARGET}`]: 2 });
    look(['192.0.2.1', open()]);
    expect(await values('ftm_probe_success')).toEqual({ [`tcp ${TARGET}`]: 1 });
  });

  test('are counted by the reason of their failure, the usual ones from the start', async () => {
    const failures = async (): Promise<readonly unknown[]> => {
      const all = await values('ftm_probe_failures_total');
      return [Object.keys(all).length, all[`tcp timeout ${TARGET}`], all[`tcp refused ${TARGET}`]];
    };
    expect(await failures()).toEqual([2, 0, 0]);
    look(['192.0.2.1'], ['192.0.2.2', failed('timeout')]);
    expect(await failures()).toEqual([2, 1, 0]);
  });

  test('that fail in an unusual way are at zero in one scrape before they count', async () => {
    const fail = (): void => look(['192.0.2.1', failed('no-route')]);
    const unusual = async (): Promise<number | undefined> =>
      (await values('ftm_probe_failures_total'))[`tcp no-route ${TARGET}`];
    const early = recorder.scraping();
    fail();
    fail();
    // A scrape that began before the series existed did not include it.
    early();
    expect(await unusual()).toBe(0);
    const scraped = recorder.scraping();
    fail();
    expect(await unusual()).toBe(0);
    scraped();
    expect(await unusual()).toBe(3);
    fail();
    expect(await unusual()).toBe(4);
  });

  test('take at most 40 series for a target', async () => {
    const count = async (targets: readonly string[]): Promise<number> => {
      begin();
      const probes = targets.flatMap((target) => ['tcp', 'tls', 'http'].map((probe) => ({ probe, target })));
      expectMore({ probes, judged: targets });
      const whole = (target: string) => path({ subject: target, endpoints: [{ ...ANSWERED, target }] });
      recorder.measured(round({ services: targets.map(whole) }), [], config);
      return parseExposition(await registry.metrics()).length;
    };
    const one = (await count(['a.test:443', 'b.test:443'])) - (await count(['a.test:443']));
    expect(one).toBeGreaterThan(30);
    expect(one).toBeLessThanOrEqual(40);
  });
});

test.each([
  ['expected', [], 1],
  ['expected with what a DNS64 makes of it', ['2620:101:9064::adf3:8a54'], 1],
  ['not expected beside another one', ['192.0.2.66'], 0],
  ['not expected beside another one behind the DNS64', ['2620:101:9064::adf3:8a54', '2620:101:9064::1'], 0],
])('an answer of a resolver has its time to live, and is %s', async (_, others, expected) => {
  const a: DnsReply = { ...ANSWER, addresses: [...ANSWER.addresses, ...others] };
  const names = [{ resolver: 'system', name: 'server.test', a, aaaa: a }];
  recorder.measured(round({ licenseServer: path({ names }) }), [], config);
  expect(await values('ftm_dns_answer_ttl_seconds')).toEqual({ system: 300 });
  expect(await values('ftm_dns_answers_expected')).toEqual({ system: expected });
});

describe('gauges of what was observed', () => {
  const NAMES = [
    'ftm_tls_certificate_not_after_timestamp_seconds',
    'ftm_dns_answer_ttl_seconds',
    'ftm_dns_answers_expected',
    'ftm_tokens',
    'ftm_tokens_locked',
    'ftm_tokens_licensed',
    'ftm_peer_readable',
  ];
  const SEEN = round({
    licenseServer: path({
      names: [{ resolver: 'system', name: 'server.test', a: ANSWER, aaaa: ANSWER }],
      endpoints: [{ ...ANSWERED, http: null }],
    }),
  });
  const LOST = round({ licenseServer: path({ endpoints: [endpoint('192.0.2.1', failed('timeout'))] }) });
  const unitsWith = (rest: ApplianceObservation, peers: Picture['peers']): Picture =>
    picture({ appliances: config.appliances.map((unit) => ({ config: unit, rest, role: null })), peers });
  const names = async (): Promise<readonly string[]> => {
    const told = new Set(parseExposition(await registry.metrics()).map(({ name }) => name));
    return NAMES.filter((name) => told.has(name));
  };

  test('come with their facts, go with them or with the configuration, and leave those of slower queries', async () => {
    const seen = unitsWith(applianceFacts(), [{ kind: 'seen', peer: 'dmz', at: 0, preconditions: [], causes: [] }]);
    expect(await names()).toEqual([]);
    recorder.measured(SEEN, [], config);
    recorder.units(seen);
    expect(await names()).toEqual(NAMES);
    recorder.measured(LOST, [], config);
    // The date of a certificate stays until another one is seen.
    expect(await names()).toEqual(NAMES.filter((name) => !name.startsWith('ftm_dns')));
    recorder.units(unitsWith({ ...applianceFacts(), ...failed('timeout') }, []));
    expect(await names()).toEqual(NAMES.slice(0, 1));
    recorder.measured(SEEN, [], config);
    recorder.units(seen);
    expectMore({ probes: [], judged: [] });
    expect(await names()).toEqual([]);
  });
});

describe('where the licences are', () => {
  function finding(level: FindingLevel, appliance: string, license?: string): Finding {
    const facts = { appliance, ...(license === undefined ? {} : { license }) };
    const subject = license ?? appliance;
    return { rule: 'r', subject, claim: 'c', expected: 'e', actual: 'a', level, suggests: null, facts };
  }

  function diagnosed(kind: Assessment['kind'], ...findings: readonly Finding[]): Diagnosis {
    return diagnose([{ id: 'license-assignment', kind, findings, summary: '' }], {
      site: 'hq',
      at: 0,
      host: 'license.example.test',
      port: 443,
      source: null,
      activation: { licenseActive: null, offlineSupported: null },
      checks: CHECKS,
      applianceUnaffected: false,
    });
  }

  /** Returns `1=1 2=0 3=-`, with each licence by its last digit. */
  async function assigned(diagnosis: Diagnosis, under = config): Promise<string> {
    recorder.diagnosed(diagnosis, under);
    const known = new Map(
      (await series('ftm_license_assigned')).map(({ labels, value }) => [String(labels['license']).slice(-1), value]),
    );
    return ['1', '2', '3'].map((digit) => `${digit}=${String(known.get(digit) ?? '-')}`).join(' ');
  }

  const [ONE, TWO, THREE] = ['EFTM000000000001', 'EFTM000000000002', 'EFTM000000000003'] as const;
  test.each<readonly [string, Assessment['kind'], readonly Finding[], string]>([
    ['all are where they belong', 'judged', [], '1=1 2=1 3=1'],
    ['nothing was asked yet', 'unjudged', [], '1=- 2=- 3=-'],
    ['nobody can be asked', 'not-configured', [], '1=- 2=- 3=-'],
    ['one is elsewhere', 'judged', [finding('broken', 'fac-1', TWO)], '1=1 2=0 3=1'],
    ['one is on the peer of a cluster', 'judged', [finding('warning', 'fac-1', ONE)], '1=0 2=1 3=1'],
    ['one is not listed', 'judged', [finding('unknown', 'fac-1', ONE)], '1=- 2=1 3=1'],
    [
      'one is not listed, and one is wrong',
      'judged',
      [finding('unknown', 'fac-1', ONE), finding('broken', 'fac-2', THREE)],
      '1=- 2=1 3=0',
    ],
    ['nothing is said of a unit', 'judged', [finding('unknown', 'fac-1')], '1=- 2=- 3=1'],
    ['the licence of another unit is wrong', 'judged', [finding('broken', 'fac-2', ONE)], '1=1 2=1 3=1'],
  ])('is known when %s', async (_, kind, findings, expected) => {
    expect(await assigned(diagnosed('judged', finding('warning', 'fac-1', ONE)))).toBe('1=0 2=1 3=1');
    expect(await assigned(diagnosed(kind, ...findings))).toBe(expected);
  });

  test('is not said of licences that nobody was asked about, whatever else is found of them', async () => {
    const diagnosis = diagnosed('judged', finding('warning', 'fac-1', ONE));
    expect(await assigned(diagnosis, { ...config, registration: null })).toBe('1=- 2=- 3=-');
  });
});

describe('open incidents', () => {
  type Shown = Parameters<Recorder['incidents']>[0][number];
  const incident = (subject: string, more: Partial<Shown> = {}): Shown => ({
    status: 'open',
    openedAt: 0,
    cause: causeOf('appliance-unreachable', { subject }),
    ...more,
  });
  const shown = async (...incidents: readonly Shown[]): Promise<readonly string[]> => {
    recorder.incidents(incidents);
    const all = await series('ftm_incident_open');
    return all.map(({ labels }) => `${String(labels['severity'])} ${String(labels['subject'])}`);
  };

  test.each(['fac-1', 'EFTM000000000001', 'push.test:443', 'fortitokenmobile.fortinet.com:443', TARGET, 'internet'])(
    'have the subject %s, which the configuration, a probe or a check names',
    async (subject) => {
      expect(await shown(incident(subject))).toEqual([`critical ${subject}`]);
    },
  );

  test('are told apart by their subjects, and are "other" together where nothing names these', async () => {
    const all = ['fac-1', 'fac-2', 'EFTM1', 'smtp.evil.example"} 1\n', ''].map((subject) => incident(subject));
    expect(await shown(...all)).toEqual(['critical fac-1', 'critical fac-2', 'critical other']);
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 1 });
    expect(await shown(incident('fac-1', { status: 'closed' }))).toEqual([]);
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 0 });
  });

  test('are 50 at most: the gravest, then the oldest', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `fac-${String(index)}`);
    expectMore({ config: await configOf(`appliances: ${JSON.stringify(names.map((name) => ({ name })))}`) });
    const many = names.map((subject, index) => incident(subject, { openedAt: 1000 - index }));
    const note = incident('fac-9', { cause: causeOf('mail-slow', { severity: 'info', subject: 'fac-9' }) });
    expect(await shown(note, ...many)).toEqual(
      names
        .toReversed()
        .slice(0, 50)
        .map((name) => `critical ${name}`),
    );
  });
});

test('the log counts an error for its appliance, and one without owner as unnamed', async () => {
  for (const appliance of ['fac-1', null]) polled(appliance, 4);
  expect(await values('ftm_polling_errors_total')).toMatchObject({
    'fac-1 ftm-polling-ssl': 4,
    'unnamed ftm-polling-ssl': 4,
    'fac-1 ftm-polling-timeout': 0,
  });
  const last = { 'fac-1': 1_795_000_000.5, 'fac-2': 0, unnamed: 1_795_000_000.5 };
  expect(await values('ftm_polling_last_error_timestamp_seconds')).toEqual(last);
  expect(await registry.metrics()).not.toContain('hostile');
});

describe('a reload', () => {
  const expected = async (count: number): Promise<Parameters<Recorder['expect']>[0]> => {
    const numbers = Array.from({ length: count }, (_, index) => String(index));
    const probes = numbers.map((number) => ({ probe: 'tcp', target: `service-${number}.test:443` }) as const);
    const appliances = numbers.map((number) => ({ name: `fac-${number}` }));
    return {
      config: await configOf(`appliances: ${JSON.stringify(appliances)}`),
      signatures,
      probes,
      judged: probes.map(({ target }) => target),
    };
  };
  const names = async (): Promise<readonly string[]> =>
    parseExposition(await registry.metrics())
      .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
      .toSorted();

  test('has as many series as its configuration asks for: so many for each target and appliance', async () => {
    const counts = new Map<number, number>();
    for (const size of [10, 40, 400, 10]) {
      recorder.expect(await expected(size));
      counts.set(size, (await registry.metrics()).split('\n').length);
    }
    const [few = 0, some = 0, many = 0] = [10, 40, 400].map((size) => counts.get(size));
    expect((many - some) / 360).toBe((some - few) / 30);
    const after = await names();
    begin();
    recorder.expect(await expected(10));
    expect(after).toEqual(await names());
  });

  test('goes on counting what both name, and forgets what the new one does not', async () => {
    recorder.expect(await expected(2));
    for (const target of ['service-0.test:443', 'service-1.test:443']) {
      const service = path({ subject: target, endpoints: [{ ...endpoint('192.0.2.1'), target }] });
      recorder.measured(round({ services: [service] }), [], config);
    }
    polled('fac-1');
    polled('fac-0', 2);
    recorder.expect(await expected(1));
    expect(await values('ftm_probe_runs_total')).toEqual({ 'tcp service-0.test:443': 1 });
    expect(await values('ftm_polling_errors_total')).toHaveProperty('fac-0 ftm-polling-ssl', 2);
    expect(await values('ftm_polling_errors_total')).not.toHaveProperty('fac-1 ftm-polling-ssl');
    recorder.expect(await expected(2));
    expect(await values('ftm_probe_runs_total')).toEqual({ 'tcp service-0.test:443': 1, 'tcp service-1.test:443': 0 });
    expect(await values('ftm_polling_errors_total')).toHaveProperty('fac-1 ftm-polling-ssl', 0);
  });

  test('forgets what was measured before it, until it is told again', async () => {
    const tell = (): void => {
      recorder.diagnosed(diagnosisOf(0, []), config);
      recorder.incidents([{ status: 'open', openedAt: 0, cause: causeOf('appliance-unreachable') }]);
    };
    tell();
    look(['192.0.2.1']);
    recorder.heard({ appliances: [{ name: 'fac-1', lastLineAt: 5_000, errors: [] }] } as never);
    polled('fac-1');
    expectMore({ judged: [] });
    for (const gone of [
      'ftm_license_assigned',
      'ftm_log_last_received_timestamp_seconds',
      'ftm_probe_success',
      'ftm_tls_verdict',
    ])
      expect([gone, await values(gone)]).toEqual([gone, {}]);
    expect(Object.values(await values('ftm_polling_last_error_timestamp_seconds'))).toEqual([0, 0, 0]);
    expect(await values('ftm_precondition_state')).toMatchObject({ 'internet unknown': 1, 'internet ok': 0 });
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 0 });
    tell();
    expect(await values('ftm_precondition_state')).toMatchObject({ 'internet unknown': 0, 'internet ok': 1 });
    expect(await values('ftm_cause_active')).toMatchObject({ 'appliance-unreachable critical': 1 });
  });
});
