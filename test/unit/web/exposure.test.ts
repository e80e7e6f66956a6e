import { expect, test } from 'vitest';
import { exposureNotes } from '../../../src/web/access.ts';
import type { WebConfig } from '../../../src/config/schema/web.ts';
import { webConfig } from '../../support/web/web-bench.ts';

const OPEN = { listen: { address: '0.0.0.0', port: 9843 } };
const USERS: WebConfig['users'] = [{ name: 'ops', passwordHash: { kind: 'env', name: 'OPS' }, role: 'read' }];
const TOKENS: WebConfig['tokens'] = [{ name: 'ops', token: { kind: 'env', name: 'OPS' }, role: 'read' }];
const TLS: WebConfig['tls'] = { certFile: 'a', keyFile: 'b', clientCaFile: null, clientCrlFile: null };

test.each<[string, Partial<WebConfig>, readonly RegExp[]]>([
  ['on loopback without users', {}, []],
  ['on IPv6 loopback without users', { listen: { address: '::1', port: 1 } }, []],
  ['on loopback with users and without TLS', { users: USERS }, []],
  ['open without users', OPEN, [/can read it\. Set web\.users/u]],
  ['open without users, as is meant', { ...OPEN, anonymous: 'read' }, []],
  ['open for metrics alone', { ...OPEN, anonymous: 'metrics' }, []],
  ['open with users and without TLS', { ...OPEN, users: USERS }, [/unencrypted\. Set web\.tls/u]],
  ['open with a token and without TLS', { ...OPEN, tokens: TOKENS }, [/unencrypted\. Set web\.tls/u]],
  ['open with users and without TLS, as is meant', { ...OPEN, users: USERS, plaintext: true }, []],
  ['open with users and TLS', { ...OPEN, users: USERS, tls: TLS }, []],
  ['open with TLS and without users', { ...OPEN, tls: TLS }, [/can read it/u]],
  ['on loopback, with reloads for everybody', { localReload: true }, [/can reload .*web\.localReload/u]],
  ['open without users, with reloads', { ...OPEN, localReload: true }, [/can read it/u, /web\.localReload/u]],
])('%s', (_, config, notes) => {
  expect(exposureNotes(webConfig(config))).toEqual(notes.map((note) => expect.stringMatching(note) as string));
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['10.0.0.9', false],
  ['128.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['::2', false],
  ['::ffff:10.0.0.9', false],
  ['fe80::1%eth0', false],
  ['localhost', false],
  ['127.1', false],
  ['127.0.0.1, 10.0.0.9', false],
  ['', false],
])('an open page on %j can be read from this machine only: %s', (address, isLocal) => {
  expect(exposureNotes(webConfig({ listen: { address, port: 9843 } })).length === 0).toBe(isLocal);
});
