import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_STATE, type IncidentState, type Notification } from '../../../../src/engine/incident/incident.ts';
import type { IncidentInput } from '../../../../src/engine/incident/round-view.ts';
import { next } from '../../../../src/engine/incident/machine.ts';
import type { Cause } from '../../../../src/engine/model.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { itemsOf, POLICY, START } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';
import { samples } from '../../../support/random/samples.ts';

const CAUSES: readonly Cause[] = [
  causeOf('internet-unreachable', { subject: 'internet' }),
  causeOf('egress-blocked'),
  causeOf('tls-intercepted'),
  causeOf('tls-interception-suspected'),
  causeOf('tokens-running-out', { severity: 'warning', subject: 'fac-1' }),
  causeOf('tokens-exhausted', { subject: 'fac-1' }),
  causeOf('certificate-rotated', { severity: 'info' }),
  ...Array.from({ length: 5 }, (_, index) =>
    causeOf('mail-unreachable', { subject: `mail-${String(index)}`, severity: 'warning' }),
  ),
];

type Event = { readonly wait: number } & (
  | { readonly kind: 'round'; readonly causes: readonly Cause[]; readonly unknown: boolean }
  | { readonly kind: 'revision'; readonly causes: readonly Cause[] }
  | { readonly kind: 'tick' }
  | { readonly kind: 'maintenance'; readonly active: boolean }
  | { readonly kind: 'silence'; readonly minutes: number }
);

const wait = fc.oneof(
  fc.constantFrom(0, SECOND, 30 * SECOND, 5 * MINUTE, HOUR),
  fc.integer({ min: -HOUR, max: 5 * HOUR }),
);

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('round' as const),
      wait,
      causes: fc.subarray([...CAUSES]),
      unknown: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('revision' as const), wait, causes: fc.subarray([...CAUSES]) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), wait }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('maintenance' as const), wait, active: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('silence' as const), wait, minutes: fc.integer({ min: 1, max: 300 }) }),
  },
);

function inputsOf(events: readonly Event[]): readonly IncidentInput[] {
  let at = START;
  let roundAt = START;
  return events.map((one): IncidentInput => {
    at += one.wait;
    switch (one.kind) {
      case 'revision':
        return { kind: 'revision', at, diagnosis: diagnosisOf(roundAt, one.causes) };
      case 'round':
        roundAt = at;
        return {
          kind: 'diagnosis',
          diagnosis: diagnosisOf(at, one.causes, one.unknown ? { mail: 'unknown' } : {}),
          fresh: null,
        };
      case 'tick':
        return { kind: 'tick', at };
      case 'maintenance':
        return { kind: 'maintenance', at, active: one.active };
      case 'silence':
        return {
          kind: 'silence',
          at,
          silence: { cause: null, subject: null, from: at, until: at + one.minutes * MINUTE, by: '', comment: '' },
        };
    }
  });
}

const policy = fc.record({
  confirmations: fc.integer({ min: 1, max: 3 }),
  recoveries: fc.integer({ min: 1, max: 3 }),
  maxPerHour: fc.integer({ min: 1, max: 6 }),
  reminder: fc.constantFrom(0, HOUR),
});

function run(
  inputs: readonly IncidentInput[],
  rules: Partial<typeof POLICY>,
): { readonly state: IncidentState; readonly told: readonly Notification[] } {
  let state = EMPTY_STATE;
  const told: Notification[] = [];
  for (const input of inputs) {
    const step = next(state, input, { ...POLICY, ...rules });
    state = step.state;
    for (const effect of step.effects) if (effect.kind === 'notify') told.push(effect.notification);
  }
  return { state, told };
}

/** Returns the events sent about each incident, in order. Items of a digest count like separate mails. */
function heard(told: readonly Notification[]): ReadonlyMap<string, readonly string[]> {
  const events = new Map<string, string[]>();
  for (const notification of told) {
    for (const { event: name, incident } of itemsOf(notification)) {
      const cameAndWent = notification.kind === 'digest' && name === 'resolved' && incident.lastNotified === null;
      events.set(incident.id, [...(events.get(incident.id) ?? []), ...(cameAndWent ? ['firing', 'resolved'] : [name])]);
    }
  }
  return events;
}

function tellsOfABeginning(notification: Notification): boolean {
  return itemsOf(notification).some(
    ({ event, incident }) => incident.cause.severity === 'critical' && (event === 'firing' || event === 'changed'),
  );
}

function tellsOnlyEnds(notification: Notification): boolean {
  return itemsOf(notification).every(({ event, incident }) => event === 'resolved' && incident.lastNotified !== null);
}

describe('next over any timeline', () => {
  it('tells each incident as firing, then anything but firing, then resolved', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), policy, (events, rules) => {
        for (const names of heard(run(inputsOf(events), rules).told).values()) {
          expect(names.join(' ')).toMatch(
            /^(?:firing(?: (?:changed|reminder))* resolved ?)*(?:firing(?: (?:changed|reminder))*)?$/u,
          );
        }
      }),
      { numRuns: samples(60) },
    );
  });

  it('ends in the same state when it is replayed, or goes on from what was stored at any point', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), policy, (events, rules) => {
        const inputs = inputsOf(events);
        const whole = run(inputs, rules);
        expect(run(inputs, rules)).toEqual(whole);
        let state = EMPTY_STATE;
        for (const input of inputs)
          state = next(JSON.parse(JSON.stringify(state)) as IncidentState, input, { ...POLICY, ...rules }).state;
        expect(state).toEqual(whole.state);
      }),
      { numRuns: samples(25) },
    );
  });

  it('tells no more in an hour than it may, but that critical ones began or any ended, and names every notification once', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), policy, (events, rules) => {
        const forward = events.map((one) => ({ ...one, wait: Math.abs(one.wait) }));
        const { told } = run(inputsOf(forward), rules);
        const counted = told.filter((notification) => !tellsOnlyEnds(notification));
        for (const one of counted.filter((notification) => !tellsOfABeginning(notification))) {
          expect(
            counted.slice(0, counted.indexOf(one) + 1).filter(({ at }) => one.at - at < HOUR).length,
          ).toBeLessThanOrEqual(rules.maxPerHour);
        }
        expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
      }),
      { numRuns: samples(50) },
    );
  });

  it('has one open incident at most for each cause', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), policy, (events, rules) => {
        const open = run(inputsOf(events), rules).state.incidents.filter(({ status }) => status === 'open');
        const keys = open.map(({ cause }) => `${cause.id} ${cause.subject}`);
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: samples(50) },
    );
  });
});
