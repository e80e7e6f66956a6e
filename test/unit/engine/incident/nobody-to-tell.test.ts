import { expect, test } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, timeline } from '../../../support/store/incident-timeline.ts';

const intercepted = causeOf('tls-intercepted');

test('an incident of which nobody can be told counts as not told, and is forgotten when it is over', () => {
  const line = timeline({ tells: false }).rounds(4, [intercepted]);

  expect(line.state.incidents).toMatchObject([
    { status: 'open', lastNotified: null, awaitsDigest: false, thread: { count: 0 }, published: true },
  ]);
  expect(
    line
      .rounds(2, [])
      .wait(2 * HOUR)
      .tick().state.incidents,
  ).toEqual([]);
  expect(line.told).toEqual([]);
});

test('one that was told before is forgotten too: there is nobody left to hear its end', () => {
  const before = timeline().rounds(2, [intercepted]);
  const line = timeline({ tells: false });
  line.state = before.state;
  line.now = before.now;

  expect(
    line
      .rounds(2, [])
      .wait(2 * HOUR)
      .tick().state.incidents,
  ).toEqual([]);
});
