import { expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { randomOf } from '../../../support/random/random-of.ts';
import { samples } from '../../../support/random/samples.ts';
import { timeline } from '../../../support/store/incident-timeline.ts';

/** In a month with a round every 30 s, there are nine times as many. */
const ROUNDS = samples(9_600);

const intercepted = causeOf('tls-intercepted');

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
