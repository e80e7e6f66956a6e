import { describe, expect, it } from 'vitest';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../../support/store/incident-timeline.ts';
import { MINUTE, SECOND } from '../../../support/time/units.ts';
import { randomOf } from '../../../support/random/random-of.ts';
import { samples } from '../../../support/random/samples.ts';

const intercepted = causeOf('tls-intercepted');

describe('another fault', () => {
  const hijacked = causeOf('answer-hijacked', { subject: 'fortitokenmobile.fortinet.com' });

  it('is told at once when it takes the place of the first on the path, and they have one end', () => {
    const line = timeline().rounds(4, [intercepted]).rounds(2, [hijacked]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'changed answer-hijacked']);
    expect(line.rounds(20, [hijacked]).heard()).toEqual([]);
    expect(line.rounds(2, []).heard()).toEqual(['resolved answer-hijacked']);
  });

  it('is told at once after some flapping of the first', () => {
    const line = timeline().rounds(2, [intercepted]);
    for (let index = 0; index < 4; index += 1) line.rounds(1, []).rounds(1, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    expect(line.rounds(2, [hijacked]).heard()).toEqual(['changed answer-hijacked']);
  });

  it('alternates with the first on the path in one incident, which is told once for each, and ends once', () => {
    const line = timeline().rounds(4, [intercepted]).rounds(4, [hijacked]).rounds(4, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'changed answer-hijacked']);
    expect(line.state.incidents).toMatchObject([
      { status: 'open', formerCauses: [{ id: 'tls-intercepted' }, { id: 'answer-hijacked' }] },
    ]);
    for (let index = 0; index < 4; index += 1) line.rounds(4, [hijacked]).rounds(4, [intercepted]);
    expect(line.heard()).toEqual([]);
    expect(line.rounds(40, []).heard()).toEqual(['resolved tls-intercepted']);
  });

  it.each([
    ['two certain explanations', causeOf('tls-blocked')],
    ['a suspicion', causeOf('tls-interception-suspected', { confidence: 'suspected', severity: 'warning' })],
  ])('in the same place is a change of the same fault: %s', (_, other) => {
    const line = timeline().rounds(4, [intercepted]).rounds(1, [other]);
    expect(line.state.incidents).toMatchObject([{ presence: 'seen', cause: { id: 'tls-intercepted' } }]);
    line.rounds(1, [intercepted]).rounds(2, [other]);
    expect(line.heard()).toEqual(['firing tls-intercepted', `changed ${other.id}`]);
    const seen = { until: START + 150 * SECOND };
    expect(line.state.incidents).toMatchObject([{ causeSince: START + 180 * SECOND, formerCauses: [seen] }]);
    expect(line.rounds(4, [intercepted]).rounds(4, [other]).heard()).toEqual([]);
    expect(line.rounds(2, []).heard()).toEqual([`resolved ${other.id}`]);
  });

  it('in the same place is told at once when two witnesses agree', () => {
    const line = timeline().rounds(4, [intercepted]);
    const blocked = causeOf('tls-blocked');
    const { id, subject } = blocked;
    line.input({
      kind: 'diagnosis',
      diagnosis: { ...diagnosisOf(line.now, [blocked]), corroborated: [{ id, subject }] },
      fresh: null,
    });
    expect(line.heard()).toEqual(['firing tls-intercepted', 'changed tls-blocked']);
  });

  it('of each second round confirms the first, since something is broken there in both', () => {
    const line = timeline();
    for (let index = 0; index < 20; index += 1)
      line.rounds(1, [index % 2 === 0 ? intercepted : causeOf('tls-blocked')]);
    expect(line.heard()).toEqual(['firing tls-blocked']);
  });
});

describe('an intermittent fault', () => {
  it('opens when every second round shows it, is told once, and ends once', () => {
    const line = timeline();
    for (let index = 0; index < 200; index += 1) line.rounds(1, index % 2 === 0 ? [intercepted] : []);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    expect(line.state.incidents).toMatchObject([{ since: START }]);
    expect(line.rounds(60, []).heard()).toEqual(['resolved tls-intercepted']);
    expect(line.told.at(-1)?.at).toBeGreaterThanOrEqual(START + 199 * 30 * SECOND + 14 * MINUTE);
  });

  it('is not made of single rounds that fail now and then', () => {
    const line = timeline();
    for (let index = 0; index < 400; index += 1) line.rounds(1, index % 4 === 0 ? [intercepted] : []);
    expect(line.transitions).toEqual([]);
  });
});

/** In a month with a round every 30 s, there are nine times as many. */
const ROUNDS = samples(9_600);

it('2 % of failing rounds make less than one incident a month beyond two in a row', () => {
  const chances = randomOf(20_261_124);
  const line = timeline();
  let before = false;
  for (let round = 0; round < ROUNDS; round += 1) {
    // Two failures in a row are a separate case, which a further check decides.
    const fails: boolean = !before && chances() < 0.02;
    before = fails;
    line.state = { ...line.state, sent: [] };
    line.rounds(1, fails ? [intercepted] : []);
  }
  expect(line.transitions).toEqual([]);
});
