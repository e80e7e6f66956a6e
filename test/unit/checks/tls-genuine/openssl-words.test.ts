import { describe, expect, test } from 'vitest';
import { createFlawMemory } from '../../../../src/checks/tls-genuine/flaw-memory.ts';
import { createOpensslWords } from '../../../../src/checks/tls-genuine/openssl-words.ts';
import { createHierarchy } from '../../../support/authority.ts';
import { chainOf } from '../../../support/chains.ts';

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

describe('createFlawMemory()', () => {
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

  test('keeps the 256 addresses that were seen last', () => {
    const memory = createFlawMemory(null);
    const addresses = Array.from({ length: 257 }, (_, index) => `2001:db8::${index.toString(16)}`);
    for (const address of addresses.slice(0, 256)) memory.keep(address, ['openssl']);
    memory.keep('2001:db8::0', []);
    memory.keep('2001:db8::100', ['openssl']);
    expect(addresses.filter((address) => memory.at(address) === null)).toEqual(['2001:db8::1']);
    expect(memory.at('2001:db8::0')).toEqual([]);
    expect(memory.at('2001:db8::100')).toEqual(['openssl']);
  });
});
