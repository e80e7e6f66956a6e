import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { CHECKS, titleOf } from '../../../src/checks/registry.ts';
import type { OpenIncident, SeenDiagnosis } from '../../../src/document/site-state.ts';
import type { Cause, Diagnosis, Quantity } from '../../../src/engine/model.ts';
import { checkmkLines, checkmkUnknown } from '../../../src/report/checkmk-lines.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { type CheckmkHost, MONITOR, readCheckmk } from '../../support/monitoring/checkmk-site.ts';

type Looked = Parameters<typeof checkmkLines>[1];

const AT = Date.UTC(2026, 10, 24, 13);
const MINUTE = 60_000;
const UNITS = ['fac-1', 'fac-2'];
const SITE = 'FTM Activation';
const OF_UNITS = ['appliance', 'license-assignment', 'token-pool', 'polling'].map(serviceOf);

function serviceOf(id: string): string {
  return `FTM ${titleOf(id)}`;
}

function daemon(incidents: readonly OpenIncident[] = [], age = 12_000): Looked {
  return { by: 'daemon', incidents, now: AT + age, longest: 15 * MINUTE };
}

function seen(causes: readonly Cause[], states: Parameters<typeof diagnosisOf>[2] = {}, more: Partial<Diagnosis> = {}) {
  return diagnosisToJson({ ...diagnosisOf(AT, causes, states), ...more });
}

function hostsOf(diagnosis: SeenDiagnosis, looked = daemon(), units: readonly string[] = []) {
  return readCheckmk(checkmkLines(diagnosis, looked, units));
}

function monitorOf(diagnosis: SeenDiagnosis, looked = daemon()): CheckmkHost {
  const hosts = hostsOf(diagnosis, looked);
  expect([...hosts.keys()]).toEqual([MONITOR]);
  return hosts.get(MONITOR) ?? new Map();
}

/** Services that are not OK. */
function alarmsOf(host: CheckmkHost | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries([...(host ?? [])].flatMap(([name, { state }]) => (state === 0 ? [] : [[name, state]])));
}

const INTERCEPTED = causeOf('tls-intercepted');
const SLOW = causeOf('mail-slow', { severity: 'warning', subject: 'mail.example.org:25' });
const STATES: Readonly<Record<string, readonly [SeenDiagnosis, Looked, Readonly<Record<string, number>>]>> = {
  ready: [seen([]), daemon(), {}],
  warning: [seen([SLOW]), daemon(), { [SITE]: 1, [serviceOf('mail')]: 1 }],
  critical: [seen([INTERCEPTED]), daemon(), { [SITE]: 2, [serviceOf('tls-genuine')]: 2 }],
  unknown: [
    seen([], { internet: 'unknown' }, { ready: 'unknown' }),
    daemon(),
    { [SITE]: 3, [serviceOf('internet')]: 3 },
  ],
  'ready without daemon': [seen([]), { by: 'itself' }, {}],
  'ready while an incident is open': [
    seen([]),
    daemon([incidentOf({ cause: 'mail-unreachable' })]),
    { [SITE]: 1, [serviceOf('mail')]: 1 },
  ],
};

function incidentOf(more: Partial<OpenIncident>): OpenIncident {
  return {
    id: '20261124T110705-a-1',
    cause: 'mail-unreachable',
    subject: 'mail:25',
    severity: 'critical',
    summary: 'Nobody answers.',
    headline: 'Mail is down',
    remedy: ['Start it.'],
    since: '2026-11-24T11:07:00.000Z',
    lastSeen: '2026-11-24T12:59:30.000Z',
    ...more,
  };
}

describe('the services in Checkmk', () => {
  test.each(Object.entries(STATES))('alarm as they should: %s', (_, [diagnosis, looked, alarms]) => {
    expect(alarmsOf(monitorOf(diagnosis, looked))).toEqual(alarms);
  });

  test('are the same in every state, with and without units', () => {
    const names = [SITE, ...CHECKS.map(({ id }) => serviceOf(id))];
    for (const [diagnosis, looked] of Object.values(STATES)) {
      expect([...monitorOf(diagnosis, looked).keys()]).toEqual(names);
      const hosts = hostsOf(diagnosis, looked, UNITS);
      expect([...(hosts.get(MONITOR)?.keys() ?? [])]).toEqual(names.filter((name) => !OF_UNITS.includes(name)));
      for (const unit of UNITS) expect([...(hosts.get(unit)?.keys() ?? [])]).toEqual(OF_UNITS);
    }
    const gone = readCheckmk(checkmkUnknown('The daemon was killed', UNITS));
    expect([...gone.values()].flatMap((host) => [...host.keys()])).toHaveLength(names.length + OF_UNITS.length);
    for (const host of gone.values())
      for (const { state, summary } of host.values())
        expect({ state, summary }).toEqual({ state: 3, summary: 'The daemon was killed' });
  });

  test('name the fault as a mail does, and say what to do', () => {
    const diagnosis = seen([INTERCEPTED, SLOW]);
    const headline = diagnosis.causes[0]?.headline ?? 'none';
    const services = monitorOf(diagnosis);
    expect(services.get(serviceOf('tls-genuine'))?.summary).toBe(headline);
    expect(services.get(SITE)?.summary).toMatch(new RegExp(`^${headline} .*1`, 'u'));
    for (const name of [SITE, serviceOf('tls-genuine')])
      expect(services.get(name)?.details).toEqual([INTERCEPTED.summary, expect.stringMatching(/Do this\.$/u)]);
  });

  test('say what to do about an open incident unless its fault is no longer found', () => {
    const open = daemon([incidentOf({ cause: 'polling-failing' })]);
    const { preconditions, ...rest } = seen([]);
    const unseen = preconditions.map((one) =>
      one.id === 'polling' ? { ...one, state: 'unknown' as const, isLeftOut: true as const } : one,
    );
    const over = monitorOf({ preconditions, ...rest }, open).get(serviceOf('polling'));
    const unknown = monitorOf({ preconditions: unseen, ...rest }, open).get(serviceOf('polling'));
    expect([over?.state, unknown?.state]).toEqual([1, 1]);
    expect(over?.details).toEqual(['Nobody answers.']);
    expect(unknown?.details).toEqual(['Nobody answers.', expect.stringMatching(/Start it\.$/u)]);
    expect(unknown?.summary).not.toBe(over?.summary);
  });

  test('do not prefix why something is not configured', () => {
    const { preconditions, ...rest } = seen([]);
    const told = preconditions.map((one) => ({ ...one, state: 'not-configured' as const, summary: 'It is not set' }));
    const service = monitorOf({ ...rest, preconditions: told }).get(serviceOf('delivery'));
    expect(service).toMatchObject({ state: 0, summary: 'It is not set' });
  });

  test('are all unknown when the last round is too old', () => {
    const old = monitorOf(seen([INTERCEPTED]), daemon([], 15 * MINUTE + 1));
    expect(Object.values(alarmsOf(old))).toEqual(['site', ...CHECKS].map(() => 3));
    expect([...old.values()].flatMap(({ metrics }) => [...metrics.keys()])).toEqual(['round_age']);
  });

  test('do not alarm for what is unknown but does not count', () => {
    const { preconditions, ...rest } = diagnosisOf(AT, [], { polling: 'unknown' });
    const waiting = preconditions.map((one) => (one.id === 'polling' ? { ...one, isLeftOut: true as const } : one));
    expect(alarmsOf(monitorOf(diagnosisToJson({ ...rest, preconditions: waiting })))).toEqual({});
  });

  test('have numbers: the counts, and each quantity at its precondition', () => {
    const quantities: readonly Quantity[] = [
      { id: 'certificate-days', subject: 'a.example.org:443', value: -3, unit: 'days' },
      { id: 'tokens-free', subject: 'fac-1', value: 12, unit: 'tokens' },
      { id: 'tokens-free', subject: 'fac-2', value: 0, unit: 'tokens' },
    ];
    const diagnosis = seen([INTERCEPTED], {}, { quantities });
    const services = monitorOf(diagnosis);
    expect(Object.fromEntries(services.get(SITE)?.metrics ?? [])).toEqual({
      causes_critical: 1,
      causes_warning: 0,
      preconditions_broken: 1,
      preconditions_unknown: 0,
      incidents_open: 0,
      round_age: 12,
      certificate_days_a_example_org_443: -3,
    });
    const pool = services.get(serviceOf('token-pool'))?.metrics ?? [];
    expect(Object.fromEntries(pool)).toEqual({ tokens_free_fac_1: 12, tokens_free_fac_2: 0 });
    const ofUnit = hostsOf(diagnosis, daemon(), UNITS).get('fac-2')?.get(serviceOf('token-pool'))?.metrics ?? [];
    expect(Object.fromEntries(ofUnit)).toEqual({ tokens_free: 0 });
  });
});

describe('with the lines about units at their hosts', () => {
  const alarms = (causes: readonly Cause[], looked = daemon()): unknown =>
    Object.fromEntries([...hostsOf(seen(causes), looked, UNITS)].map(([host, services]) => [host, alarmsOf(services)]));

  test('a fault of one unit alarms at its host, and for the site', () => {
    const warning = { severity: 'warning', subject: 'clock of fac-2' } as const;
    expect(
      alarms([causeOf('tokens-exhausted', { subject: 'fac-1' }), causeOf('appliance-clock-skewed', warning)]),
    ).toEqual({
      [MONITOR]: { [SITE]: 2 },
      'fac-1': { [serviceOf('token-pool')]: 2 },
      'fac-2': { [serviceOf('appliance')]: 1 },
    });
  });

  test('a fault of no single unit alarms at every unit', () => {
    const at = { [serviceOf('license-assignment')]: 2 };
    expect(alarms([causeOf('license-on-peer', { subject: 'EFTM000000000001' })])).toMatchObject({
      'fac-1': at,
      'fac-2': at,
    });
  });

  test('a broken precondition without a known fault is broken at every unit', () => {
    const hosts = hostsOf(seen([], { 'token-pool': 'broken' }), daemon(), UNITS);
    for (const unit of UNITS) expect(alarmsOf(hosts.get(unit))).toEqual({ [serviceOf('token-pool')]: 2 });
  });

  test('an open incident of a unit is at its host', () => {
    const open = incidentOf({ cause: 'polling-failing', subject: 'fac-2' });
    expect(alarms([], daemon([open]))).toEqual({
      [MONITOR]: { [SITE]: 1 },
      'fac-1': {},
      'fac-2': { [serviceOf('polling')]: 1 },
    });
  });

  test('names that Checkmk would change become one host', () => {
    const names = ['fac 1', 'fac_1', '.fac-ä'];
    expect([...hostsOf(seen([]), daemon(), names).keys()]).toEqual([MONITOR, 'fac_1', '_fac-_']);
  });
});

/** Includes unpaired surrogates. */
const ANY_CHARACTER = fc.integer({ min: 0, max: 0x10_ff_ff }).map((code) => String.fromCodePoint(code));
const RESERVED = fc.constantFrom(
  '"',
  "'",
  '|',
  '\\',
  '\\n',
  '\n',
  '\r',
  ' ',
  ';',
  '=',
  '%',
  '`',
  '\0',
  '\u0085',
  '\u2028',
  '\u202E',
  '\uD800',
  '$(id)',
  'cached(1,2) ',
  '0 "FTM Mail" - x',
  '\n<<<<fac-1>>>>\n',
  '<<<<',
  '>>>>',
  '<<<local>>>',
  '<<<>>>',
);
const HOSTILE = fc
  .tuple(fc.array(fc.oneof(ANY_CHARACTER, RESERVED), { maxLength: 60 }), fc.constantFrom(1, 40))
  .map(([pieces, times]) => pieces.join('').repeat(times));

test('no text can break a line, add a service or change the state of one', () => {
  fc.assert(
    fc.property(HOSTILE, HOSTILE, fc.boolean(), (text, subject, isCached) => {
      const cause = { subject, summary: text, remedy: [text] };
      const diagnosis = seen([causeOf('tls-intercepted', cause), causeOf('polling-failing', cause)]);
      const quantities = [{ id: 'certificate-days', subject, value: 1, unit: 'days' }];
      const told = {
        ...diagnosis,
        causes: diagnosis.causes.map((one) => ({ ...one, headline: text })),
        preconditions: diagnosis.preconditions.map((one) => ({ ...one, summary: text })),
        quantities,
      };
      const open = incidentOf({ headline: text, summary: text, subject, remedy: [text] });
      const written = checkmkLines(told, daemon([open]), UNITS);
      const hosts = readCheckmk(written, { isCached });
      expect([...hosts.keys()]).toEqual([MONITOR, ...UNITS]);
      const services = [...hosts.values()].flatMap((host) => [...host.values()]);
      expect(services).toHaveLength(1 + CHECKS.length + OF_UNITS.length);
      expect(hosts.get(MONITOR)?.get(serviceOf('tls-genuine'))?.state).toBe(2);
      expect(hosts.get('fac-1')?.get(serviceOf('polling'))?.state).toBe(2);
      for (const { summary, details } of services) {
        expect(details.length).toBeLessThanOrEqual(2);
        expect(`${summary}${details.join('')}`.length).toBeLessThan(2_100);
      }
      readCheckmk(checkmkUnknown(text, [`x${subject}`.slice(0, 64)]), { isCached });
    }),
  );
});
