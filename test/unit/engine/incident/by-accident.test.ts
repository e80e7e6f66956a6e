import { expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline } from '../../../support/store/incident-timeline.ts';

const intercepted = causeOf('tls-intercepted');

it('2 % of failing rounds make less than one incident a month beyond two in a row', () => {
  const chances = randomOf(20_261_124);
  const line = timeline();
  let before = false;
  for (let round = 0; round < 86_400; round += 1) {
    // Two failures in a row are a separate case, which a further check decides.
    const fails: boolean = !before && chances() < 0.02;
    before = fails;
    line.state = { ...line.state, sent: [] };
    line.rounds(1, fails ? [intercepted] : []);
  }
  expect(line.transitions).toEqual([]);
});

/** Returns a generator of the same sequence each time (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
