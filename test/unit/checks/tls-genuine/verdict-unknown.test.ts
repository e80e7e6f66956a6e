import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { failed, handshake } from '../../../support/certificates/chains.ts';
import { DAY_MS } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { describeVerdicts, PINNED, sees, type VerdictRow } from '../../../support/certificates/verdict-rows.ts';

const { now, evidence, cleanControl, ownRoot, ownLeaf } = await createCast();

const UNKNOWN: readonly VerdictRow[] = [
  {
    name: "this machine's clock is wrong: the control host has expired too",
    seen: { now: now + 900 * DAY_MS, controls: [cleanControl] },
    verdict: 'unknown',
    rule: 'certificate-is-in-date',
  },
  { name: 'nothing at all is trusted', seen: { ...PINNED, ...sees(ownLeaf, ownRoot) }, verdict: 'unknown' },
  { name: 'nothing at all is trusted, nor sent', seen: { ...PINNED, ...sees(ownLeaf) }, verdict: 'unknown' },
  {
    name: 'certificates that cannot be read',
    seen: { outcome: handshake({ chain: { certificates: [], dropped: 3 } }) },
    verdict: 'unknown',
    rule: 'chain-is-readable',
  },
  { name: 'our own trouble', seen: { outcome: failed({ reason: 'internal' }) }, verdict: 'unknown' },
  { name: 'the round was called off', seen: { outcome: failed({ reason: 'aborted' }) }, verdict: 'unknown' },
];

describeVerdicts('too little', UNKNOWN, evidence);

describe('judgeTls() on too little', () => {
  test.each(UNKNOWN)('says what would settle it: $name', ({ seen }) => {
    expect(judgeTls(evidence(seen)).wouldSettle).toMatch(/\w{3}/u);
  });
});
