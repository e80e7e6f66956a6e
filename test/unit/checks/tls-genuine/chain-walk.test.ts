import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { walkChain, createSignatureChecks } from '../../../../src/tls/chain.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';

type WalkOptions = Parameters<typeof walkChain>[0];

const authority = (name: string, issuer?: Identity): Promise<Identity> =>
  createIdentity({ name, authority: true, ...(issuer === undefined ? {} : { issuer }) });
const rootIdentity = await authority('CN=Root');
const subIdentity = await authority('CN=Sub', rootIdentity);
const server = await createIdentity({ name: 'CN=Server', issuer: subIdentity });
const crossed = await createIdentity({
  name: 'CN=Root',
  authority: true,
  issuer: subIdentity,
  keys: rootIdentity.keys,
});
const renamed = await createIdentity({
  name: 'CN=Another name',
  authority: true,
  issuer: rootIdentity,
  keys: subIdentity.keys,
});
const namesake = await authority('CN=Sub');
const below = await createIdentity({ name: 'CN=Below', issuer: server });
const leaf = certificateOf(server);
const sub = certificateOf(subIdentity);
const root = certificateOf(rootIdentity);
const cycle = certificateOf(crossed);
const other = certificateOf(renamed);
const wrong = certificateOf(namesake);

/** Returns the certificates that were reached, and the number of signatures checked. */
function walk(candidates: readonly Certificate[], over: Partial<WalkOptions> = {}) {
  const checks = createSignatureChecks().forOneChain();
  const count = { signs: 0 };
  const steps = walkChain({
    leaf,
    candidates,
    lookUp: () => [],
    accepts: () => true,
    checks: {
      areCut: () => checks.areCut(),
      signs: (issuer, subject) => {
        count.signs += 1;
        return checks.signs(issuer, subject);
      },
    },
    ...over,
  });
  return { steps, reached: steps.map(({ certificate }) => certificate), looked: count.signs, cut: checks.areCut() };
}

describe('walkChain()', () => {
  test.each([
    ['the leaf alone', [], [leaf]],
    ['upwards, in whatever order they were sent', [root, sub], [leaf, sub, root]],
    ['not past a gap', [root], [leaf]],
    ['not to a namesake that has not signed', [wrong, root], [leaf]],
    ['past a namesake', [wrong, sub, root], [leaf, sub, root]],
    ['by the key, where nobody has the name', [other, root], [leaf, other, root]],
    ['by the name first', [other, sub], [leaf, sub]],
    ['each once, though they sign each other', [sub, root, cycle], [leaf, sub, root, cycle]],
    ['each once, though it was sent twice', [sub, sub, root], [leaf, sub, root]],
    ['not to what is no authority', [{ ...sub, isAuthority: false }, root], [leaf]],
  ])('goes: %s', (_, candidates, reached) => {
    expect(walk(candidates).reached).toEqual(reached);
  });

  test('does not go from what a server has signed, as that is no authority', () => {
    expect(walk([leaf, sub], { leaf: certificateOf(below) }).reached).toEqual([certificateOf(below)]);
  });

  test('goes to what is looked up by the name of the issuer', () => {
    const lookUp: WalkOptions['lookUp'] = (name) =>
      [sub, root].filter(({ subject }) => subject.attributes[0]?.value === name.attributes[0]?.value);
    expect(walk([], { lookUp }).reached).toEqual([leaf, sub, root]);
  });

  test('goes no further than is accepted', () => {
    expect(walk([sub, root], { accepts: (issuer) => issuer !== root }).reached).toEqual([leaf, sub]);
  });

  test('does not ask a root whether it signed itself', () => {
    expect(walk([root], { leaf: root })).toMatchObject({ reached: [root], looked: 0 });
  });

  test('verifies 64 signatures at most, however many are sent', () => {
    const tangle = Array.from({ length: 200 }, (_, index) => ({ ...wrong, fingerprint: String(index) }));
    expect(walk([...tangle, sub])).toMatchObject({ reached: [leaf], cut: true });
    expect(walk([...tangle.slice(0, 63), sub])).toMatchObject({ reached: [leaf, sub], cut: true });
    expect(walk([...tangle.slice(0, 10), sub])).toMatchObject({ reached: [leaf, sub], cut: false });
  });
});

test('each step knows the one below', () => {
  const { steps } = walk([sub, root]);
  expect(steps.map(({ below }) => below?.certificate ?? null)).toEqual([null, leaf, sub]);
});
