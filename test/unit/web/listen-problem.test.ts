import { describe, expect, test } from 'vitest';
import { listenProblem } from '../../../src/web/http-server.ts';

describe('listenProblem()', () => {
  test.each([
    [
      'EADDRINUSE',
      'the port is in use by another program (possibly another ftm-watch); stop that program, or set web.listen to a free port',
    ],
    ['EACCES', 'permission denied; set web.listen to a port above 1023'],
    [
      'EADDRNOTAVAIL',
      'this machine does not have this address; set web.listen to an address of this machine, or to 0.0.0.0 for all addresses',
    ],
    ['EWHATEVER', 'something odd; set web.listen to an address and a free port of this machine'],
  ])('says what to do about %s', (code, expected) => {
    const error = Object.assign(new Error('something odd'), { code });

    expect(listenProblem({ address: '10.0.0.7', port: 80 }, error)).toBe(
      `Cannot serve the status page on "10.0.0.7:80": ${expected}`,
    );
  });

  test('writes an IPv6 address as people type it', () => {
    expect(listenProblem({ address: '::1', port: 80 }, new Error('no'))).toContain('"[::1]:80"');
  });
});
