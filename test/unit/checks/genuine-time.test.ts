import { describe, expect, test, vi } from 'vitest';
import type { ClockObservation, EndpointObservation, HttpOutcome, TlsOutcome } from '../../../src/core/observation.ts';
import { correctedNow, observeDateHeader, withGenuineTime } from '../../../src/checks/clock/judge.ts';
import type { TlsKnowledge } from '../../../src/checks/tls-genuine/judge-path.ts';
import { established } from '../../support/certificates/chains.ts';
import { DAY_MS, HOST, TARGET } from '../../support/certificates/interception-world.ts';
import { endpoint, failed, path, round } from '../../support/checks/observed.ts';
import { judgeClock } from '../../support/checks/judged-clock.ts';
import { freshKnowledge } from '../../support/certificates/tls-knowledge.ts';
import { createCast } from '../../support/certificates/verdict-cast.ts';

const w = await createCast();
const knowledge = freshKnowledge(w);

interface Case {
  /** How far this machine's clock is ahead. */
  readonly ahead: number;
  readonly tls?: TlsOutcome | null;
  /** Offset of the server's date from the true time. */
  readonly tells?: number;
  readonly others?: readonly ClockObservation[];
  /** Additional addresses of the server. */
  readonly also?: readonly EndpointObservation[];
  readonly knows?: Partial<TlsKnowledge>;
}

function response(date: number | null, receivedAt: number): HttpOutcome {
  const nothing = { server: null, proxyTraces: [], blockPage: null } as const;
  return { kind: 'response', status: 403, date, receivedAt, ...nothing, durationMs: 40 };
}

function look({
  ahead,
  tls = established(w.server, w.genuine.sub),
  tells = 0,
  others = [],
  also = [],
  knows = {},
}: Case) {
  const startedAt = w.now + ahead;
  const http = response(w.now + tells, startedAt);
  const endpoints = [...also, { ...endpoint('192.0.2.1'), tls, http }];
  const knowledgeOf = vi.fn<() => TlsKnowledge>(() => ({ ...knowledge, ...knows }));
  const clock = withGenuineTime(
    [...others, observeDateHeader(TARGET, http)],
    round({ startedAt, licenseServer: path({ subject: TARGET, host: HOST, endpoints }) }),
    knowledgeOf,
  );
  const causes = judgeClock(clock).map(({ level, suggests }) => `${level} ${String(suggests)}`);
  return {
    causes,
    correctedByDays: Math.round((startedAt - correctedNow(startedAt, clock)) / DAY_MS),
    proven: clock.filter(({ protocol }) => protocol === 'certificate').map(({ source }) => source),
    judgedChains: knowledgeOf.mock.calls.length,
  };
}

const right = (source: string, ahead: number): ClockObservation => ({
  source,
  protocol: 'http',
  outcome: { kind: 'offset', offsetMs: -ahead, precisionMs: 550 },
});
const YEAR = 400 * DAY_MS;
const SKEWED = ['warning clock-skewed'];
const ALONE = ['note null'];

describe('withGenuineTime()', () => {
  test.each<readonly [string, Case, proven: boolean]>([
    ['ahead of its certificate', { ahead: YEAR }, true],
    ['behind its certificate', { ahead: -YEAR }, true],
    ['one at which its certificate is valid as well, so its own clock may be wrong', { ahead: 2 * DAY_MS }, false],
    ['ahead, but the authority is another', { ahead: YEAR, tls: established(w.byCorporate, w.corporate.root) }, false],
    ["ahead, but nobody knows the vendor's authority", { ahead: YEAR, tls: established(w.byNewSub, w.newSub) }, false],
    ['ahead, but the name is another', { ahead: YEAR, tls: established(w.misnamed, w.genuine.sub) }, false],
    ['ahead, and it is out of date at its own time too', { ahead: YEAR, tells: YEAR - 10 * DAY_MS }, false],
    ['ahead, but its chain was not seen', { ahead: YEAR, tls: null }, false],
  ])('believes the genuine server where our clock is %s: $2', (_, seen, proven) => {
    const correctedByDays = proven ? seen.ahead / DAY_MS : 0;
    const expected = { causes: proven ? SKEWED : ALONE, correctedByDays, proven: proven ? [TARGET] : [] };
    expect(look(seen)).toMatchObject(expected);
  });

  test('accuses nobody where a control host says that our clock is right, or where it is', () => {
    expect(look({ ahead: YEAR, others: [right('www.iana.org:443', 0)] })).toMatchObject({ correctedByDays: 0 });
    expect(look({ ahead: 0 })).toMatchObject({ causes: [], correctedByDays: 0 });
  });

  // Half a second on average for the header's resolution, plus half of the 40 ms until the answer.
  const rounding = 520;
  test.each([
    [59_999 + rounding, false],
    [60_000 + rounding, true],
    [rounding - 60_000, true],
  ])('judges chains once the clocks are a minute apart: %i ms, %s', (ahead, judged) => {
    expect(look({ ahead }).judgedChains > 0).toBe(judged);
  });

  test('believes the genuine server with a certificate that is newer than the learned one', () => {
    const knows = { baseline: w.baseline(w.server, w.genuine.sub) };
    expect(look({ ahead: YEAR, tls: established(w.otherNode, w.genuine.sub), knows }).proven).toEqual([TARGET]);
  });

  test('believes the server at one address where others give no answer, no time or the same time as ours', () => {
    const address = endpoint('192.0.2.2', failed('timeout'));
    const also = [
      address,
      { ...address, http: { kind: 'failed', reason: 'timeout', message: 'no answer', durationMs: 3 } as const },
      { ...address, http: response(null, w.now + YEAR) },
      { ...address, http: response(w.now + YEAR, w.now + YEAR) },
    ];
    expect(look({ ahead: YEAR, also })).toMatchObject({ causes: SKEWED, proven: [TARGET] });
    expect(look({ ahead: 0, also: also.slice(0, 3) }).judgedChains).toBe(0);
  });

  test('believes nobody who tells the same time and proves nothing', () => {
    const others = [right('www.iana.org:443', YEAR - rounding), right(TARGET, 0)];
    expect(look({ ahead: YEAR, others }).proven).toEqual([TARGET]);
  });
});
