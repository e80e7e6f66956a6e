import { describe, expect, it, test } from 'vitest';
import type { CloserLook, MailOutcome } from '../../../src/core/observation.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { MINUTE } from '../../support/time/units.ts';
import { NO_SAMPLES } from '../../../src/checks/intermittent/sampling.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
import { sampled } from '../../support/checks/sampled.ts';

const LOOK: CloserLook = {
  address: '173.243.138.84',
  again: null,
  otherName: null,
  refusable: null,
  controls: [],
};

function memoryWith(clock: HandClock): Promise<RoundMemory> {
  return loadRoundMemory('license.test:443', {}, clock);
}

test('a look into a block stands for five minutes, for the same block', async () => {
  const clock = handClock(0);
  const { closerLooks: looks } = await memoryWith(clock);
  expect(looks.recent('a cut')).toBeNull();
  looks.keep('a cut', LOOK);
  clock.advance(5 * MINUTE - 1);
  expect(looks.recent('a cut')).toBe(LOOK);
  expect(looks.recent('a silence')).toBeNull();
  clock.advance(1);
  expect(looks.recent('a cut')).toBeNull();
});

test('a clock that is set back makes an old look no newer', async () => {
  const clock = handClock(10 * MINUTE);
  const { closerLooks: looks } = await memoryWith(clock);
  looks.keep('a cut', LOOK);
  clock.step(-5 * MINUTE);
  expect(looks.recent('a cut')).toBeNull();
});

async function memoryAt(start: number) {
  const clock = handClock(start);
  return { clock, older: (await loadRoundMemory('license.test:443', {}, clock)).olderTls };
}

describe('the comparison with TLS 1.2', () => {
  test('is due at once, and then once an hour', async () => {
    const { clock, older } = await memoryAt(0);
    const isDue = [0, 59, 1, 1].map((minutes) => {
      clock.advance(minutes * MINUTE);
      return older.isDue(false);
    });
    expect(isDue).toEqual([true, false, true, false]);
  });

  test('is due in each round as long as the versions differ, and at once after a clock was set back', async () => {
    const { clock, older } = await memoryAt(1_000_000);
    const isDue = (differs: boolean): boolean => {
      older.differs = differs;
      return older.isDue(false);
    };
    expect([isDue(false), isDue(true), isDue(true), isDue(false)]).toEqual([true, true, true, false]);
    clock.step(-1_000_000);
    expect(isDue(false)).toBe(true);
  });

  test('is due twelve times an hour during complaints', async () => {
    const { clock, older } = await memoryAt(0);
    let count = 0;
    for (let round = 0; round < 120; round += 1) {
      if (older.isDue(true)) count += 1;
      clock.advance(MINUTE / 2);
    }
    expect(count).toBe(12);
  });
});

const FAILED = { kind: 'failed', message: 'as it is', durationMs: 9, tlsError: null } as const;
const PUT_OFF: MailOutcome = { ...FAILED, stage: 'recipient', reason: 'rejected', code: 450 };
const OUTCOMES: Readonly<Record<string, MailOutcome>> = {
  taken: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
  'put off': PUT_OFF,
  'put off at the sender': { ...PUT_OFF, stage: 'sender', code: 451 },
  'put off at the login': { ...PUT_OFF, stage: 'login', code: 454 },
  refused: { ...PUT_OFF, code: 550 },
  lost: { ...FAILED, stage: 'connect', reason: 'timeout', code: null },
};

/** Each look has a minute and an outcome. */
it.each([
  ['nothing of a server that takes at once', '0 taken', [null]],
  ['nothing of one that refuses for good, or is lost', '0 refused, 5 lost, 9 put off at the login', [null, null, null]],
  ['how long it goes on', '0 put off, 3 put off at the sender, 70 put off', [0, 3, 70]],
  ['how long it was, for a day', '0 put off, 20 taken, 25 taken, 1461 taken', [0, 20, 20, null]],
  ['how long it was, while it is lost', '0 put off, 20 taken, 25 lost', [0, 20, 20]],
  ['nothing where it was lost before it took', '0 put off, 20 lost, 25 taken', [0, null, null]],
  ['the second time by itself', '0 put off, 20 taken, 90 put off, 95 put off', [0, 20, 0, 5]],
])('tells %s', async (_, looks, expected) => {
  const clock = handClock(0);
  const { deferrals } = await memoryWith(clock);
  const told = looks.split(', ').map((look) => {
    const [, minute = '', name = ''] = /^(\d+) (.*)$/u.exec(look) ?? [];
    const outcome = OUTCOMES[name];
    if (outcome === undefined) throw new Error(`No outcome "${name}"`);
    clock.step(Number(minute) * MINUTE - clock.now());
    const lasted = deferrals.note('mail.test:25', outcome);
    return lasted === null ? null : lasted / MINUTE;
  });
  expect(told).toEqual(expected);
});

it('tells servers apart', async () => {
  const clock = handClock(0);
  const { deferrals } = await memoryWith(clock);
  deferrals.note('a:25', PUT_OFF);
  clock.advance(MINUTE);
  expect(deferrals.note('b:25', PUT_OFF)).toBe(0);
});

const A = '173.243.138.84';
const TARGET = 'fortitokenmobile.fortinet.com:443';
const AT = Date.UTC(2026, 10, 24, 13);
/** Returns a file that keeps the saved value as text. */
function textFile(): JsonFile & { saves: number } {
  let kept = 'null';
  const file = {
    saves: 0,
    load: () => Promise.resolve<unknown>(JSON.parse(kept)),
    save: (value: unknown) => {
      kept = JSON.stringify(value);
      file.saves += 1;
      return Promise.resolve();
    },
  };
  return file;
}

const HALF = sampled({ [A]: 'x' }, { [A]: '.x.x.x.x.x.x.x.x.x.x' });
const WORKS = sampled({ [A]: '.' }, null);

async function loadSampling(file: JsonFile, target: string, now: number): Promise<RoundMemory['sampling']> {
  return (await loadRoundMemory(target, { samplingFile: file }, handClock(now))).sampling;
}

describe('what the connections have shown', () => {
  test('goes on over a restart where it was', async () => {
    const file = textFile();
    const before = await loadSampling(file, TARGET, AT);
    before.note(HALF);
    const after = await loadSampling(file, TARGET, AT + MINUTE);
    expect(after.current()).toEqual(HALF);
    expect(after.current().kind).toBe('intermittent');
  });

  test.each<readonly [string, string, number]>([
    ['another target', 'other.test:443', AT + MINUTE],
    ['a long break', TARGET, AT + 15 * MINUTE],
    ['a clock that was wrong', TARGET, AT - MINUTE],
  ])('begins again after %s', async (_, target, now) => {
    const file = textFile();
    (await loadSampling(file, TARGET, AT)).note(HALF);
    expect((await loadSampling(file, target, now)).current()).toEqual(NO_SAMPLES);
  });

  test('begins again with what it did not write', async () => {
    const file = textFile();
    await file.save({ version: 3, target: TARGET, sampling: { addresses: [{}] } });
    expect((await loadSampling(file, TARGET, AT)).current()).toEqual(NO_SAMPLES);
  });

  test('begins again with what an older version wrote, in another format', async () => {
    const file = textFile();
    (await loadSampling(file, TARGET, AT)).note(HALF);
    const written: unknown = await file.load();
    await file.save(Object.assign({}, written, { version: 2 }));
    expect((await loadSampling(file, TARGET, AT)).current()).toEqual(NO_SAMPLES);
  });

  test('writes nothing while every connection works, and the end of a fault once', async () => {
    const file = textFile();
    const memory = await loadSampling(file, TARGET, AT);
    memory.note(WORKS);
    expect(file.saves).toBe(0);
    memory.note(HALF);
    memory.note(WORKS);
    memory.note(WORKS);
    expect(file.saves).toBe(2);
    expect((await loadSampling(file, TARGET, AT)).current().bursts).toEqual([]);
  });
});
