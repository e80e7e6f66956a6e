import { describe, expect, test } from 'vitest';
import { openPort } from '../../../src/web/http-server.ts';

describe('openPort()', () => {
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
  ])('says what to do about %s', async (code, expected) => {
    const error = Object.assign(new Error('something odd'), { code });

    await expect(openPort({ address: '10.0.0.7', port: 80 }, () => Promise.reject(error))).rejects.toThrow(
      new Error(`Cannot serve the status page on "10.0.0.7:80": ${expected}`),
    );
  });

  test('writes an IPv6 address as people type it', async () => {
    const opened = openPort({ address: '::1', port: 80 }, () => Promise.reject(new Error('no')));

    await expect(opened).rejects.toThrow('"[::1]:80"');
  });
});
