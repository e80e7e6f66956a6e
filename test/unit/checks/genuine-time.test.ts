import { describe, expect, test } from 'vitest';
import type { ClockObservation, TlsOutcome } from '../../../src/core/observation.ts';
import { correctedNow } from '../../../src/checks/clock/corrected-now.ts';
import { observeDateHeader } from '../../../src/checks/clock/date-header.ts';
import { judgeClock } from '../../../src/checks/clock/judge.ts';
import { withGenuineTime } from '../../../src/checks/genuine-time.ts';
import { established } from '../../support/chains.ts';
import { DAY_MS, HOST, TARGET } from '../../support/interception-world.ts';
import { endpoint, path, round } from '../../support/observed.ts';
import { freshKnowledge } from '../../support/tls-knowledge.ts';
import { createCast } from '../../support/verdict-cast.ts';

const w = await createCast();
const knowledge = freshKnowledge(w);

interface Case {
  /** How far this machine's clock is ahead. */
  readonly ahead: number;
  readonly tls?: TlsOutcome;
  /** What the server tells, from the true time. */
  readonly tells?: number;
  readonly others?: readonly ClockObservation[];
}

function look({ ahead, tls = established(w.server, w.genuine.sub), tells = 0, others = [] }: Case) {
  const startedAt = w.now + ahead;
  const http = {
    kind: 'response',
    status: 403,
    date: w.now + tells,
    receivedAt: startedAt,
    server: null,
    proxyTraces: [],
    blockPage: null,
    durationMs: 40,
  } as const;
  const licenseServer = path({ subject: TARGET, host: HOST, endpoints: [{ ...endpoint('192.0.2.1'), tls, http }] });
  const clock = withGenuineTime(
    [...others, observeDateHeader(TARGET, http)],
    round({ startedAt, licenseServer }),
    () => knowledge,
  );
  const causes = judgeClock(clock, 60_000).map(({ level, suggests }) => `${level} ${String(suggests)}`);
  return { causes, correctedByDays: Math.round((startedAt - correctedNow(startedAt, clock)) / DAY_MS) };
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
  test.each([
    { name: 'ahead', ahead: YEAR },
    { name: 'behind', ahead: -YEAR },
  ])('believes the genuine server where our clock is $name of its certificate', ({ ahead }) => {
    expect(look({ ahead })).toEqual({ causes: SKEWED, correctedByDays: ahead / DAY_MS });
  });

  test('believes nobody whose certificate is valid at our time as well: its own clock may be wrong', () => {
    expect(look({ ahead: 2 * DAY_MS })).toEqual({ causes: ALONE, correctedByDays: 0 });
  });

  test.each([
    { name: 'is another authority', tls: established(w.byCorporate, w.corporate.root) },
    { name: 'is one that nobody knows, of the vendor', tls: established(w.byNewSub, w.newSub) },
    { name: 'is for another name', tls: established(w.misnamed, w.genuine.sub) },
  ])('believes no server whose certificate $name', ({ tls }) => {
    expect(look({ ahead: YEAR, tls })).toEqual({ causes: ALONE, correctedByDays: 0 });
  });

  test('believes no server that is out of date at its own time too', () => {
    expect(look({ ahead: YEAR, tells: YEAR - 10 * DAY_MS })).toEqual({ causes: ALONE, correctedByDays: 0 });
  });

  test('accuses nobody where a control host says that our clock is right', () => {
    expect(look({ ahead: YEAR, others: [right('www.iana.org:443', 0)] })).toMatchObject({ correctedByDays: 0 });
  });

  test('says nothing where the clock is right', () => {
    expect(look({ ahead: 0 })).toEqual({ causes: [], correctedByDays: 0 });
  });
});
