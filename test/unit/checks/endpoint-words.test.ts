import { describe, expect, test } from 'vitest';
import { shortened, withClean } from '../../../src/checks/endpoint-words.ts';
import { finding } from '../../support/checks/judged-round.ts';

test('what a stranger wrote is bounded', () => {
  expect(shortened('x'.repeat(5_000)).length).toBeLessThan(200);
});

describe('withClean()', () => {
  const fault = finding('tls-blocked', { facts: { address: '192.0.2.1', product: 'Squid' } });

  test('names the addresses that are fine, and keeps what else is known', () => {
    expect(withClean(fault, ['192.0.2.2', '192.0.2.3'])).toEqual({
      ...fault,
      clean: ['192.0.2.2', '192.0.2.3'],
    });
  });

  test('does not name the address that it is about', () => {
    expect(withClean(fault, ['192.0.2.1', '192.0.2.2']).clean).toEqual(['192.0.2.2']);
    expect(withClean(fault, ['192.0.2.1'])).toEqual(fault);
  });

  test('names them beside a fault of no address', () => {
    expect(withClean(finding('tls-blocked'), ['192.0.2.2']).clean).toEqual(['192.0.2.2']);
  });

  test('adds nothing to what is no fault', () => {
    expect(withClean(finding(null), ['192.0.2.2'])).toEqual(finding(null));
  });
});
