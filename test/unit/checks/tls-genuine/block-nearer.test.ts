import { describeBlocks, EARLY_RESET, other, PASSES, RESET } from '../../../support/certificates/block-rows.ts';
import type { BlockRow } from '../../../support/certificates/block-rows.ts';
import { failed } from '../../../support/certificates/chains.ts';

const ROWS: readonly BlockRow[] = [
  { when: 'an early reset', outcome: EARLY_RESET, closer: {}, kind: 'answered-nearer', confidence: 'confirmed' },
  {
    when: 'an early reset, once: it passes a moment later, as another name does',
    outcome: EARLY_RESET,
    closer: { ...other(PASSES), again: PASSES },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early reset, once: it passes a moment later',
    outcome: EARLY_RESET,
    closer: { again: PASSES },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early alert',
    outcome: failed({ reason: 'tls', alert: 'access_denied', durationMs: 1 }),
    closer: {},
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early reset, two SYNs of six repeated',
    outcome: EARLY_RESET,
    closer: { connects: [1021, 20, 23, 22, 21, 1022] },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early reset, three SYNs of six repeated',
    outcome: EARLY_RESET,
    closer: { connects: [1021, 1020, 1022, 23, 22, 21] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, each SYN repeated',
    outcome: EARLY_RESET,
    closer: { connects: [1021, 1020, 1023, 3022, 1021, 1020] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, connects noticed late in the rush of the round',
    outcome: EARLY_RESET,
    closer: { connects: [180, 90, 60, 70, 2.5, 2.4] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, too few connects',
    outcome: EARLY_RESET,
    closer: { connects: [20, 21] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, three SYNs of six repeated after just a second',
    outcome: EARLY_RESET,
    closer: { connects: [1000, 1000, 1000, 23, 22, 21] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, the server as near as can be measured',
    outcome: EARLY_RESET,
    closer: { connects: [4, 4, 4, 4] },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'a reset after just as much of a round trip as a server may need',
    outcome: failed({ reason: 'reset', durationMs: 12 }),
    closer: {},
    confidence: 'suspected',
  },
  { when: 'an early reset through a proxy', outcome: EARLY_RESET, closer: { connects: [] }, confidence: 'suspected' },
  {
    when: 'an early reset seen by a busy process',
    outcome: EARLY_RESET,
    closer: { stalledMs: 18 },
    confidence: 'suspected',
  },
  { when: 'a reset after a round trip', outcome: RESET, closer: {}, confidence: 'suspected' },
  {
    when: 'a reset from a server as near as the neighbour',
    outcome: failed({ reason: 'reset', durationMs: 0.2 }),
    closer: { connects: [1, 1, 1, 1, 1, 1] },
    confidence: 'suspected',
  },
];

describeBlocks(ROWS);
