import { describe, expect, test } from 'vitest';
import { untilSettled } from '../../../src/cli/until-settled.ts';
import { diagnose } from '../../../src/engine/diagnosis/diagnose.ts';
import type { RoundResult } from '../../../src/report/round-result.ts';
import { CONTEXT, finding, round as assessments, type Special } from '../../support/judged-round.ts';
import { round } from '../../support/observed.ts';

type Seen = 'nothing' | 'mail' | 'port' | 'resolver' | 'blind';

const FOUND: Readonly<Record<Seen, readonly Special[]>> = {
  nothing: [],
  mail: [['mail', [finding('mail-unreachable')]]],
  port: [['reachability', [finding('egress-blocked')]]],
  resolver: [['name-resolution', [finding('resolver-unreachable')]]],
  blind: [['name-resolution', [], 'unjudged']],
};

function examination(seen: Seen): RoundResult {
  const probed = assessments(...FOUND[seen]);
  return {
    diagnosis: diagnose(probed, CONTEXT),
    observations: round(),
    judged: { assessments: probed, tls: [] },
  };
}

interface Settled {
  readonly made: number;
  readonly result: RoundResult;
}

/** What is settled when each look takes so long and shows the next of these, the last one again and again. */
async function settled(seconds: number, ...shown: readonly Seen[]): Promise<Settled> {
  let [made, now] = [0, 0];
  const look = (): Promise<RoundResult> => {
    const seen = shown[Math.min(made, shown.length - 1)] ?? 'nothing';
    made += 1;
    now += seconds * 1000;
    return Promise.resolve(examination(seen));
  };
  const tools = {
    kit: { needsCloserLook: () => false },
    clock: { elapsed: () => now },
    signal: new AbortController().signal,
  };
  const result = await untilSettled(look, tools);
  return { made, result };
}

async function looks(seconds: number, ...shown: readonly Seen[]): Promise<number> {
  return (await settled(seconds, ...shown)).made;
}

describe('untilSettled()', () => {
  test.each([
    { name: 'one where everything works', shown: ['nothing'], expected: 1 },
    { name: 'two where both show the same', shown: ['port'], expected: 2 },
    { name: 'two where a fault is gone', shown: ['port', 'nothing'], expected: 2 },
    { name: 'three where the second shows another fault', shown: ['port', 'mail'], expected: 3 },
    { name: 'three of a silent resolver that was asked for a name or two', shown: ['resolver'], expected: 3 },
    { name: 'four where each shows another fault', shown: ['port', 'mail', 'port', 'mail'], expected: 4 },
  ] as const)('makes $name', async ({ shown, expected }) => {
    expect(await looks(1, ...shown)).toBe(expected);
  });

  test.each<{ readonly name: string; readonly shown: readonly Seen[]; readonly expected: readonly string[] }>([
    { name: 'shown twice', shown: ['resolver', 'resolver', 'blind'], expected: ['resolver-unreachable'] },
    {
      name: 'shown twice with a blind look between',
      shown: ['resolver', 'blind', 'resolver', 'blind'],
      expected: ['resolver-unreachable'],
    },
    { name: 'shown once', shown: ['resolver', 'blind'], expected: [] },
    { name: 'that was over in the last look that saw', shown: ['resolver', 'nothing'], expected: [] },
  ])('lets no look that could not judge take back what was $name', async ({ shown, expected }) => {
    const { result } = await settled(1, ...shown);
    expect(result.diagnosis.causes.map(({ id }) => id)).toEqual(expected);
  });

  test.each([
    { seconds: 7.5, expected: 3 },
    { seconds: 7.6, expected: 2 },
    { seconds: 14.5, expected: 2 },
    { seconds: 60, expected: 2 },
  ])('begins no third look after 15 s: $expected of $seconds s', async ({ seconds, expected }) => {
    expect(await looks(seconds, 'port', 'mail', 'port', 'mail')).toBe(expected);
  });
});
