import { expect, test } from 'vitest';
import { createFlawMemory } from '../../../../src/checks/tls-genuine/chain-case.ts';

test('the address that was not seen for longest makes room for the 257th', () => {
  const memory = createFlawMemory(null);
  for (let index = 0; index < 256; index += 1) memory.keep(`10.0.0.${String(index)}`, []);
  expect(memory.at('10.0.0.0')).toEqual([]);
  // Seen again, so 10.0.0.1 is now the oldest.
  memory.keep('10.0.0.0', []);
  memory.keep('192.0.2.1', []);
  expect(['10.0.0.0', '10.0.0.1', '10.0.0.2', '192.0.2.1'].map((address) => memory.at(address) === null)).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

test('keeps what every accepted chain at an address had, the learned one first', () => {
  const [fresh, taught] = [createFlawMemory(null), createFlawMemory(['path-length', 'openssl'])];
  for (const memory of [fresh, taught]) memory.keep('192.0.2.1', ['openssl', 'critical-extension']);
  expect(fresh.at('192.0.2.1')).toEqual(['openssl', 'critical-extension']);
  expect(taught.at('192.0.2.1')).toEqual(['openssl']);
  expect(taught.at('192.0.2.2')).toEqual(['path-length', 'openssl']);
  fresh.keep('192.0.2.1', ['critical-extension', 'path-length']);
  expect(fresh.at('192.0.2.1')).toEqual(['critical-extension']);
});
