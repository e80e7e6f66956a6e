import { describe, expect, test } from 'vitest';
import { createFlawMemory } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { createOpensslWords } from '../../../../src/checks/tls-genuine/judge-path.ts';
import { createHierarchy } from '../../../support/certificates/hierarchy.ts';
import { chainOf } from '../../../support/certificates/chains.ts';

const { leaf, intermediate, root } = await createHierarchy();
const chain = chainOf(leaf, intermediate);
const HOUR = 3_600_000;

describe('createOpensslWords()', () => {
  test('asks once about a chain, and again about another', () => {
    const words = createOpensslWords({ now: () => 0 });
    expect(words.take(chain)).toBe(true);
    words.keep(chain, { refusal: null });
    expect([words.take(chain), words.take(chainOf(leaf, intermediate, root))]).toEqual([false, true]);
    expect(words.of(chain)).toEqual({ refusal: null });
  });

  test('asks twice where no answer comes, and no more', () => {
    const words = createOpensslWords({ now: () => 0 });
    expect([1, 2, 3].map(() => words.take(chain))).toEqual([true, true, false]);
    expect(words.of(chain)).toBeNull();
  });

  test('makes eight connections an hour at most, however many chains are shown', async () => {
    const time = { now: 0 };
    const words = createOpensslWords({ now: () => time.now });
    const chains = await Promise.all(Array.from({ length: 10 }, async () => chainOf((await createHierarchy()).leaf)));
    expect(chains.filter((one) => words.take(one))).toHaveLength(8);
    time.now = HOUR;
    expect(chains.filter((one) => words.take(one))).toHaveLength(8);
  });

  test('forgets the oldest of more than 256 chains', () => {
    const words = createOpensslWords({ now: () => 0 });
    const [first] = chain.certificates;
    const chains = Array.from({ length: 257 }, (_, index) => ({
      ...chain,
      certificates: chain.certificates.map((one) => ({
        ...one,
        fingerprint: `${String(first?.fingerprint)}${String(index)}`,
      })),
    }));
    for (const one of chains.slice(0, 256)) words.keep(one, { refusal: null });
    expect(chains.filter((one) => words.of(one) === null)).toEqual([chains[256]]);
    expect(words.of(chains[1] ?? chain)).toEqual({ refusal: null });
    expect(words.isOpen(chains[0] ?? chain)).toBe(true);
  });
});

test('a chain that is seen all the time is not pushed out by others', () => {
  const words = createOpensslWords({ now: () => 0 });
  words.keep(chain, { refusal: null });
  for (let index = 0; index < 1_000; index += 1) {
    const certificates = chain.certificates.map((one) => ({ ...one, fingerprint: String(index) }));
    expect(words.of({ ...chain, certificates })).toBeNull();
    expect(words.of(chain)).toEqual({ refusal: null });
  }
});

describe('createFlawMemory()', () => {
  test('goes on when more than 256 addresses were seen, and forgets the one that was not seen for longest', () => {
    const memory = createFlawMemory(null);
    memory.keep('192.0.2.1', ['path-length']);
    memory.keep('192.0.2.2', ['path-length']);
    for (let index = 0; index < 1_000; index += 1) {
      memory.keep(`10.0.${String(index >> 8)}.${String(index & 255)}`, ['openssl']);
      memory.keep('192.0.2.1', ['path-length']);
    }
    expect(memory.at('10.0.3.231')).toEqual(['openssl']);
    expect(memory.at('192.0.2.1')).toEqual(['path-length']);
    expect([memory.at('192.0.2.2'), memory.at('10.0.0.0')]).toEqual([null, null]);
  });

  test('keeps what every chain at an address had', () => {
    const memory = createFlawMemory(null);
    expect(memory.at('192.0.2.1')).toBeNull();
    memory.keep('192.0.2.1', ['path-length', 'openssl']);
    memory.keep('192.0.2.1', ['path-length', 'not-for-servers']);
    expect(memory.at('192.0.2.1')).toEqual(['path-length']);
    expect(memory.at('192.0.2.2')).toBeNull();
  });

  test('a new flaw stays new while it lasts, from the learned chain on', () => {
    const memory = createFlawMemory(['openssl']);
    memory.keep('192.0.2.1', ['path-length']);
    memory.keep('192.0.2.1', ['path-length']);
    expect(memory.at('192.0.2.1')).toEqual([]);
  });
});
