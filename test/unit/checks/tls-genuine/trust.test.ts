import { describe, expect, test } from 'vitest';
import { type Trust, type TrustProfile, trustUnder } from '../../../../src/tls/trust.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, pinOf, publicRootsOf } from '../../../support/certificates/chains.ts';

const authority = (name: string): Promise<Identity> => createIdentity({ name: `CN=${name}`, authority: true });
const shippedPin = await authority('shipped pin');
const ownPin = await authority('own pin');
const shippedAnchor = await authority('shipped anchor');
const ownAnchor = await authority('own anchor');
const trust: Trust = {
  pins: [pinOf(shippedPin), pinOf(ownPin, 'configured')],
  anchors: [anchorOf(shippedAnchor), anchorOf(ownAnchor, 'configured')],
  publicRoots: publicRootsOf(),
};

const ALL = [shippedPin, ownPin, shippedAnchor, ownAnchor];

describe('the keys that count', () => {
  test.each<readonly [TrustProfile, readonly Identity[]]>([
    ['fortinet', ALL],
    ['public', [ownPin, ownAnchor]],
    ['pinned', [ownPin, ownAnchor]],
  ])('under the profile %s', (profile, counting) => {
    const names = counting.map(({ name }) => name);
    const { pins, anchors, publicRoots } = trustUnder(profile, trust);
    expect([...pins, ...anchors].map(({ label }) => label)).toEqual(names);
    expect(publicRoots).toBe(trust.publicRoots);
  });
});
