import { describe, expect, test } from 'vitest';
import type { ResolverConfig } from '../../../src/config/schema/secret.ts';
import type { DnsObservation, DnsReply } from '../../../src/core/observation.ts';
import { askInTurn } from '../../../src/round/dns.ts';
import { sleep } from '../../../src/system/clock.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { probeContext } from '../../support/checks/probe-context.ts';

const NAME = 'control.test';
const RESOLVERS: readonly ResolverConfig[] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => ({
  kind: 'udp',
  host: address,
  port: 53,
  label: address,
}));

/** The delay of each resolver's answer in milliseconds, and its address if any. */
type Answers = readonly (readonly [number, string | null])[];

async function ask(answers: Answers): Promise<{ readonly asked: readonly string[]; readonly took: number }> {
  const clock = handClock(0);
  const ctx = probeContext({ clock });
  const asked: string[] = [];
  async function askName(name: string, { label }: ResolverConfig): Promise<DnsObservation> {
    const [delay, address] = answers[RESOLVERS.findIndex((resolver) => resolver.label === label)] ?? [0, null];
    asked.push(`${label} at ${String(clock.elapsed())}`);
    await sleep(clock, delay, ctx.signal);
    const a: DnsReply = {
      kind: 'answer',
      rcode: 'NOERROR',
      addresses: address === null ? [] : [address],
      cnames: [],
      ttlSeconds: null,
      durationMs: delay,
      attempts: 1,
    };
    return { resolver: label, name, a, aaaa: { ...a, addresses: [] } };
  }
  const isEnough = (seen: readonly DnsObservation[]): boolean =>
    seen.some(({ a }) => a.kind === 'answer' && a.addresses.length > 0);
  const began = clock.elapsed();
  const progress = { isDone: false };
  const work = askInTurn(NAME, RESOLVERS, { askName, isEnough }, ctx).finally(() => {
    progress.isDone = true;
  });
  for (let step = 0; !progress.isDone && step < 1_000; step += 1) {
    await new Promise(setImmediate);
    if (!progress.isDone) clock.advance(10);
  }
  const seen = await work;
  expect(seen.map(({ resolver }) => resolver)).toEqual(asked.map((one) => one.split(' ')[0]));
  return { asked, took: clock.elapsed() - began };
}

const KNOWS = [20, '192.0.2.1'] as const;
const HAS_NONE = [20, null] as const;
const SILENT = [3_000, null] as const;

describe('askInTurn()', () => {
  test.each<readonly [string, Answers, readonly string[], number]>([
    ['the first one knows it', [KNOWS], ['10.0.0.1 at 0'], 20],
    ['the first one has no address', [HAS_NONE, KNOWS], ['10.0.0.1 at 0', '10.0.0.2 at 20'], 40],
    ['the first one is silent, and waited for', [SILENT, KNOWS], ['10.0.0.1 at 0', '10.0.0.2 at 500'], 3_000],
    [
      'all of them are silent',
      [SILENT, SILENT, SILENT],
      ['10.0.0.1 at 0', '10.0.0.2 at 500', '10.0.0.3 at 1000'],
      4_000,
    ],
  ])('where %s', async (_, answers, asked, took) => {
    expect(await ask(answers)).toEqual({ asked, took });
  });

  test('where there is no resolver', async () => {
    const tools = { askName: () => Promise.reject(new Error('nobody is asked')), isEnough: () => false };
    expect(await askInTurn(NAME, [], tools, probeContext())).toEqual([]);
  });
});
