import { describe, expect, test } from 'vitest';
import type { Cause, Finding } from '../../../src/engine/model.ts';
import { type AnswerFaults, answersAfter, earlierAnswers } from '../../../src/checks/intermittent/answers.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../support/checks/judged-round.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { MINUTE, SECOND } from '../../support/time/units.ts';
import { render } from '../../support/web/rendered-page.ts';

/** Runs rounds of 5 s, in which every second answer is wrong, and returns what the page shows while the incident is open. */
function shownDuring(fault: Special): { readonly words: readonly string[]; readonly events: readonly string[] } {
  const line = timeline();
  const words = new Set<string>();
  let faults: AnswerFaults = [];
  for (let count = 0; line.now < START + 5 * MINUTE; count += 1) {
    const [id, wrong] = fault;
    const now = count % 2 === 0 ? wrong : [];
    faults = answersAfter(faults, now, line.now);
    const diagnosis = diagnose(judgedRound([id, [...now, ...earlierAnswers(faults)]]), { ...CONTEXT, at: line.now });
    line.input({ kind: 'diagnosis', diagnosis, fresh: null });
    const { incidents } = line.state;
    if (incidents.some(({ status }) => status === 'open')) {
      const [, word = ''] = /<title>([^<]*) – hq/u.exec(render({ diagnosis, incidents: [...incidents] })) ?? [];
      words.add(word);
    }
    line.wait(5 * SECOND);
  }
  const events = line.told.map((told) => (told.kind === 'incident' ? told.event : told.kind));
  return { words: [...words], events };
}

const WRONG: Special = ['name-resolution', [finding('answer-hijacked', { subject: 'udp://10.0.0.53:53' })]];
const SERVFAIL: Special = ['name-resolution', [finding('resolver-unreachable', { subject: 'udp://10.0.0.53:53' })]];

test.each([
  ['wrong', WRONG],
  ['SERVFAIL', SERVFAIL],
] as const)('every second answer is %s: one incident, told once', (_, fault) => {
  expect(shownDuring(fault).events).toEqual(['firing']);
});

test.each([
  ['wrong', WRONG],
  ['SERVFAIL', SERVFAIL],
] as const)('every second answer is %s: the page shows one state', (_, fault) => {
  expect(shownDuring(fault).words).toHaveLength(1);
});

test('an answer that was wrong in two outages is right after each, and a repaired one after five minutes', () => {
  const rightAfter = (pattern: string): boolean => {
    let faults: AnswerFaults = [];
    for (const [index, look] of pattern.split('').entries())
      faults = answersAfter(faults, look === 'x' ? WRONG[1] : [], START + index * 30 * SECOND);
    return earlierAnswers(faults).length === 0;
  };
  expect(['xxxx.', 'xx..xx.', 'x.x.x.', `x.x.x${'.'.repeat(9)}`, `x.x.x${'.'.repeat(10)}`].map(rightAfter)).toEqual([
    true,
    true,
    false,
    false,
    true,
  ]);
});

describe('an explanation that contradicts the rounds before it', () => {
  const plain = finding('resolver-unreachable', { subject: 'udp://10.0.0.53:53' });
  const contradicting = { ...plain, kind: 'this-name-alone' };

  /** Runs a round every 30 s, and returns how certain each round is, and what each message says. */
  function told(...rounds: readonly (Finding | null)[]) {
    const line = timeline();
    const certain: (string | undefined)[] = [];
    let before: readonly Cause[] = [];
    for (const one of rounds) {
      const special: readonly Special[] = one === null ? [] : [['name-resolution', [one]]];
      const diagnosis = diagnose(judgedRound(...special), { ...CONTEXT, at: line.now, before });
      line.input({ kind: 'diagnosis', diagnosis, fresh: null }).wait(30 * SECOND);
      before = diagnosis.causes;
      certain.push(before[0]?.confidence);
    }
    const kinds = line.told.map((one) => (one.kind === 'incident' ? [one.event, one.incident.cause.kind] : [one.kind]));
    return { certain, kinds };
  }

  test('is only suspected in its first round, and is not told as the cause if the fault ended in this round', () => {
    const { certain, kinds } = told(plain, plain, plain, contradicting, null, null);
    expect(certain).toEqual(['confirmed', 'confirmed', 'confirmed', 'suspected', undefined, undefined]);
    expect(kinds).toEqual([
      ['firing', undefined],
      ['resolved', undefined],
    ]);
  });

  test('is confirmed by a round of its own', () => {
    const { certain, kinds } = told(plain, plain, contradicting, contradicting, null, null);
    expect(certain.slice(2, 4)).toEqual(['suspected', 'confirmed']);
    expect(kinds.at(-1)).toEqual(['resolved', 'this-name-alone']);
  });
});
