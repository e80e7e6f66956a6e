import { describe, expect, test } from 'vitest';
import { shortened, uncleanAddresses, withClean, withoutUnclean } from '../../../src/checks/endpoint-words.ts';
import type { EndpointObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { failed } from '../../support/certificates/chains.ts';
import { finding } from '../../support/checks/judged-round.ts';
import { endpoint } from '../../support/checks/observed.ts';

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

describe('withoutUnclean()', () => {
  const fault = finding('tls-blocked', { facts: { address: '192.0.2.1' } });
  const compared = { ...fault, clean: ['192.0.2.2', '192.0.2.3'] };

  test('keeps the others, and says nothing where none is left', () => {
    expect(withoutUnclean(compared, ['192.0.2.2']).clean).toEqual(['192.0.2.3']);
    expect(withoutUnclean(compared, ['192.0.2.9'])).toEqual(compared);
    expect(withoutUnclean(compared, ['192.0.2.2', '192.0.2.3'])).toEqual(fault);
  });

  test('leaves alone what is compared with none', () => {
    expect(withoutUnclean(fault, ['192.0.2.2'])).toBe(fault);
    expect(withoutUnclean(finding('tls-blocked'), ['192.0.2.2'])).toEqual(finding('tls-blocked'));
  });
});

describe('uncleanAddresses()', () => {
  const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
  const http = { kind: 'client-certificate-demanded', durationMs: 1 } as const;
  const whole = (address: string) => ({ ...endpoint(address), tls: failed({}), http });
  const at = (address: string, level: Finding['level']) => finding('tls-blocked', { level, facts: { address } });

  test.each<readonly [string, readonly EndpointObservation[], readonly Finding[], readonly string[]]>([
    ['nothing is wrong', [whole(A), whole(B)], [], []],
    [
      'something is broken, or worth a look',
      [whole(A), whole(B), whole(C)],
      [at(A, 'broken'), at(B, 'warning')],
      [A, B],
    ],
    ['something could not be judged', [whole(A), whole(B)], [at(B, 'unknown')], [B]],
    ['something is worth reading', [whole(A), whole(B)], [at(B, 'note')], []],
    ['something is wrong without an address', [whole(A)], [finding('tls-blocked')], []],
    ['TLS was not tried', [whole(A), { ...whole(B), tls: null }], [], [B]],
    ['HTTP was not tried', [whole(A), { ...whole(B), http: null }], [], [B]],
    ['several things are wrong', [{ ...whole(A), http: null }], [at(A, 'broken'), at(A, 'warning')], [A]],
  ])('%s', (_, endpoints, findings, expected) => {
    expect(uncleanAddresses(endpoints, findings)).toEqual(expected);
  });
});
