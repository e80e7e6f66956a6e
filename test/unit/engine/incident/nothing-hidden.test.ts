import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_IDS, preconditionOf, wordsOf } from '../../../../src/checks/registry.ts';
import type { Cause } from '../../../../src/engine/model.ts';
import type { EpochMs } from '../../../../src/core/clock.ts';
import { sameFault, type Incident, type Notification } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { itemsOf, timeline } from '../../../support/store/incident-timeline.ts';
import { SECOND } from '../../../support/time/units.ts';
import { samples } from '../../../support/random/samples.ts';

const ROUND = 30 * SECOND;

/** Every cause at two targets of its precondition, only suspected at the second. */
const CAUSES: readonly Cause[] = FAULT_IDS.flatMap((id) => {
  const { severity } = wordsOf(id);
  const subject = preconditionOf(id);
  return [
    causeOf(id, { severity, subject, confidence: id === 'tls-interception-suspected' ? 'suspected' : 'confirmed' }),
    causeOf(id, { severity, subject: `${subject}-2`, confidence: 'suspected' }),
  ];
});

/** State during a number of rounds: simultaneous causes, and symptoms that the first cause explains. */
interface Phase {
  readonly rounds: number;
  readonly causes: readonly Cause[];
  readonly symptoms: readonly Cause[];
}

/** Phases with few causes, so that these overlap and return more often than if all causes were drawn at random. */
const phases: fc.Arbitrary<readonly Phase[]> = fc.subarray([...CAUSES], { minLength: 3, maxLength: 5 }).chain((cast) =>
  fc.array(
    fc.record({
      rounds: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 20, max: 60 })),
      causes: fc.subarray([...cast], { maxLength: 3 }),
      symptoms: fc.subarray([...cast], { maxLength: 1 }),
    }),
    { maxLength: 20 },
  ),
);

const policy = fc.record({
  confirmations: fc.integer({ min: 1, max: 3 }),
  recoveries: fc.integer({ min: 1, max: 3 }),
  maxPerHour: fc.integer({ min: 1, max: 20 }),
});

interface Seen {
  readonly at: EpochMs;
  readonly causes: readonly Cause[];
  readonly told: readonly Notification[];
  readonly incidents: readonly Incident[];
}

/** Returns the causes of each round and the notifications sent until then. */
function play(story: readonly Phase[], rules: Parameters<typeof timeline>[0]): readonly Seen[] {
  const line = timeline(rules);
  const seen: Seen[] = [];
  const rounds = story.flatMap((phase) => Array.from({ length: phase.rounds }, () => phase));
  for (const { causes, symptoms } of rounds) {
    const at = line.now;
    const hidden = symptoms.filter((symptom) => causes[0]?.consequences.includes(symptom.precondition) === true);
    const shown = oneForEachFault(causes).filter((cause) => !hidden.includes(cause));
    line.shown(shown, hidden);
    seen.push({ at, causes: shown, told: [...line.told], incidents: line.state.incidents });
    line.wait(ROUND);
  }
  return seen;
}

/** As a diagnosis does. */
function oneForEachFault(causes: readonly Cause[]): readonly Cause[] {
  return causes.filter((cause, index) => causes.findIndex((other) => sameFault(other, cause)) === index);
}

function keyOf({ id, subject }: Pick<Cause, 'id' | 'subject'>): string {
  return `${id} ${subject}`;
}

describe('whatever comes, goes and overlaps', () => {
  it('names every critical cause while it lasts, or in an incident that has not been told to end since', () => {
    fc.assert(
      fc.property(phases, policy, (story, rules) => {
        const seen = play(story, rules);
        for (let index = rules.confirmations; index < seen.length; index += 1) {
          const lasting = lastingIn(seen.slice(index - rules.confirmations, index + 1));
          expect(openToPeople(seen[index]?.told ?? [])).toEqual(expect.arrayContaining([...lasting]));
        }
      }),
      { numRuns: samples(20) },
    );
  });

  it('ends nothing that was not told to begin', () => {
    fc.assert(
      fc.property(phases, policy, (story, rules) => {
        const begun = new Set<string>();
        const told = play(story, rules).at(-1)?.told ?? [];
        const endless = told.flatMap(itemsOf).filter(({ event, incident }) => {
          if (event !== 'resolved') begun.add(incident.id);
          // A digest can report the beginning and the end of an incident in one item.
          return event === 'resolved' && incident.lastNotified !== null && !begun.delete(incident.id);
        });
        expect(endless).toEqual([]);
      }),
      { numRuns: samples(20) },
    );
  });

  it('tells what else is open', () => {
    fc.assert(
      fc.property(phases, policy, (story, rules) => {
        for (const { told, incidents, at } of play(story, rules)) {
          const news = told.filter((one) => one.at === at);
          expect(news.map(otherwiseOpen)).toEqual(news.map((notification) => restOf(notification, incidents)));
        }
      }),
      { numRuns: samples(20) },
    );
  });

  it('gives the times of the cause', () => {
    fc.assert(
      fc.property(phases, policy, (story, rules) => {
        const seen = play(story, rules);
        const showed = (at: EpochMs, key: string): boolean =>
          seen.some((round) => round.at === at && round.causes.some((cause) => keyOf(cause) === key));
        for (const { at, incidents } of seen) {
          for (const { cause, causeSince, lastSeen, formerCauses } of incidents) {
            const wrong = [...formerCauses, { ...cause, since: causeSince, until: lastSeen }].filter(
              (one) =>
                !(
                  showed(one.since, keyOf(one)) &&
                  showed(one.until, keyOf(one)) &&
                  one.since <= one.until &&
                  one.until <= at
                ),
            );
            expect(wrong).toEqual([]);
          }
        }
      }),
      { numRuns: samples(20) },
    );
  });

  it('holds back no beginning of a critical incident, and no end of what was told', () => {
    fc.assert(
      fc.property(phases, policy, (story, rules) => {
        for (const { incidents } of play(story, { ...rules, maxPerHour: 1 })) {
          const untold = incidents.filter(({ status, cause, presence, lastNotified }) =>
            status === 'open'
              ? cause.severity === 'critical' && presence === 'seen' && lastNotified === null
              : lastNotified !== null,
          );
          expect(untold).toEqual([]);
        }
      }),
      { numRuns: samples(20) },
    );
  });
});

/** Returns the causes whose beginning was sent but not their end. */
function openToPeople(told: readonly Notification[]): readonly string[] {
  const open = new Map<string, readonly string[]>();
  for (const { event, incident } of told.flatMap(itemsOf)) {
    if (event === 'resolved') open.delete(incident.id);
    else open.set(incident.id, [...(open.get(incident.id) ?? []), keyOf(incident.cause)]);
  }
  return [...open.values()].flat();
}

function otherwiseOpen(notification: Notification): readonly string[] {
  return notification.kind === 'test' || notification.kind === 'note'
    ? []
    : notification.stillOpen.map(keyOf).toSorted();
}

function restOf(notification: Notification, incidents: readonly Incident[]): readonly string[] {
  const told = new Set(itemsOf(notification).map(({ incident }) => incident.id));
  return incidents
    .filter(({ id, status, cause }) => status === 'open' && cause.severity !== 'info' && !told.has(id))
    .map(({ cause }) => keyOf(cause))
    .toSorted();
}

/** Returns the critical causes that all of these rounds showed. */
function lastingIn(rounds: readonly Seen[]): readonly string[] {
  const [first, ...others] = rounds.map(({ causes }) =>
    causes.filter(({ severity }) => severity === 'critical').map(keyOf),
  );
  return (first ?? []).filter((key) => others.every((keys) => keys.includes(key)));
}
