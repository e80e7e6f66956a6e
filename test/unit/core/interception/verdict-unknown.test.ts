import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/core/interception/verdict.ts';
import { createIdentity } from '../../../support/authority.ts';
import { chainOf, anchorOf, failed, handshake, pinOf } from '../../../support/chains.ts';
import { DAY_MS } from '../../../support/interception-world.ts';
import { createCast } from '../../../support/verdict-cast.ts';
import { describeVerdicts, recent, HOUR_MS, PINNED, PUBLIC, sees, type VerdictRow } from '../../../support/verdict-rows.ts';

const {
  leafFor,
  byCorporate,
  byCorporateSub,
  corporate,
  genuine,
  server,
  trust,
  now,
  leaf,
  evidence,
  control,
  cleanControl,
  ownRoot,
  ownLeaf,
  newRoot,
  newSub,
  byNewSub,
  publicServer,
} = await createCast();

const namesake = await createIdentity({ name: 'C=DE, O=Acme AG, CN=Acme Root CA', authority: true });

const UNKNOWN: readonly VerdictRow[] = [
  { name: 'new sub-authority whose root is not sent', seen: sees(byNewSub, newSub), verdict: 'unknown', rule: 'chain-verifies-under-pin' },
  {
    name: 'the same, made an hour ago',
    seen: sees(await leaf(newSub, { notBefore: new Date(now - HOUR_MS) }), newSub),
    verdict: 'unknown',
  },
  { name: 'the same, control host clean', seen: { ...sees(byNewSub, newSub), controls: [cleanControl] }, verdict: 'unknown' },
  {
    name: "the same, a host of the vendor's own under the same authority",
    seen: { ...sees(byNewSub, newSub), controls: [await control('directregistration.fortinet.com', newSub)] },
    verdict: 'unknown',
  },
  {
    name: 'missing intermediate, another authority of the same name on the control host',
    seen: { ...sees(byCorporate), controls: [{ target: 'www.iana.org:443', chain: chainOf(await leafFor('www.iana.org', namesake)) }] },
    verdict: 'unknown',
  },
  {
    name: 'missing intermediate, serials that come back',
    seen: { ...sees(byNewSub), previous: recent(now, '01', '02', '01', '02') },
    verdict: 'unknown',
  },
  { name: 'missing intermediate', seen: sees(await leaf(genuine.otherSub)), verdict: 'unknown' },
  { name: 'missing intermediate of a public authority', seen: { ...PUBLIC, ...sees(publicServer) }, verdict: 'unknown' },
  {
    name: 'missing intermediate, expired as well',
    seen: sees(await leaf(genuine.otherSub, { notAfter: new Date(now - 1) })),
    verdict: 'unknown',
  },
  {
    name: "this machine's clock is wrong: the control host has expired too",
    seen: { now: now + 900 * DAY_MS, controls: [cleanControl] },
    verdict: 'unknown',
    rule: 'certificate-is-in-date',
  },
  { name: 'nothing at all is trusted', seen: { ...PINNED, ...sees(ownLeaf, ownRoot) }, verdict: 'unknown' },
  {
    name: 'signed by a leaf of the genuine authority, which is no authority',
    seen: sees(await leaf(server), server, genuine.sub),
    verdict: 'unknown',
  },
  {
    name: 'a pin may be the key of the issuer that was not sent',
    seen: {
      ...sees(await leaf({ ...genuine.root, keys: newRoot.keys })),
      trust: { ...trust, anchors: [anchorOf(genuine.root)], pins: [pinOf(newRoot, 'configured')] },
    },
    verdict: 'unknown',
  },
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
    expect(judgeTls(evidence(seen)).settle).toMatch(/\w{3}/u);
  });

  test('names the authority to add when its root is missing', () => {
    const { settle } = judgeTls(evidence(sees(byNewSub, newSub)));
    expect(settle).toContain('CN=fortinet-ca3');
    expect(settle).toContain('trust.caFiles');
  });

  test('never names a company for an authority to add', () => {
    const { settle } = judgeTls(evidence(sees(byCorporateSub, corporate.sub)));
    expect(settle).not.toContain('Acme');
  });
});
