import { describe, expect, it } from 'vitest';
import { parseMailServers } from '../../../src/connectors/appliances.ts';

function server(more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    name: 'x',
    address: 'mail.example.test',
    port: 25,
    secure: 'none',
    default: false,
    authentication: false,
    authentication_name: 'whisper',
    authentication_password: 'hush',
    ...more,
  };
}

function hosts(...objects: readonly unknown[]): readonly string[] | undefined {
  return parseMailServers({ objects })?.map(({ host }) => host);
}

describe('parseMailServers', () => {
  it('takes the shape of a configured mail server, without credentials', () => {
    expect(
      parseMailServers({ objects: [server({ port: '587', secure: 'starttls', sender_email: 'fac@example.test' })] }),
    ).toEqual([
      {
        host: 'mail.example.test',
        port: 587,
        security: 'starttls',
        from: 'fac@example.test',
        to: null,
        user: null,
        password: null,
        caFile: null,
        applianceCaFile: null,
        hasLogin: false,
      },
    ]);
  });

  it.each<[unknown, boolean]>([
    [true, true],
    ['true', true],
    [false, false],
    [undefined, false],
    ['hush', false],
  ])('reads authentication %j as %s', (authentication, hasLogin) => {
    expect(parseMailServers({ objects: [server({ authentication })] })?.[0]?.hasLogin).toBe(hasLogin);
  });

  it('takes the default server alone where one is marked, else all', () => {
    expect(hosts(server({ address: 'a.example.test' }), server({ address: 'b.example.test', default: true }))).toEqual([
      'b.example.test',
    ]);
    expect(hosts(server({ address: 'a.example.test' }), server({ address: 'b.example.test' }))).toEqual([
      'a.example.test',
      'b.example.test',
    ]);
  });

  it.each(['localhost', '127.0.0.1', '::1', 'localhost.localdomain'])(
    "leaves out the appliance's own %s",
    (address) => {
      expect(hosts(server({ address, default: true }))).toEqual([]);
    },
  );

  it.each(['', 'a b', 'mail.example.test\r\nX', 'http://x', 'x'.repeat(300), 7, null])(
    'leaves out the address %j',
    (address) => {
      expect(hosts(server({ address }))).toEqual([]);
    },
  );

  it.each<[unknown, unknown, string]>([
    ['starttls', 25, 'starttls'],
    ['none', 25, 'none'],
    ['none', 465, 'tls'],
    ['ssl', 25, 'tls'],
    [undefined, 25, 'none'],
  ])('reads secure %j on port %j as %s', (secure, port, security) => {
    expect(parseMailServers({ objects: [server({ secure, port })] })?.[0]?.security).toBe(security);
  });

  it('drops a sender that could smuggle commands', () => {
    expect(parseMailServers({ objects: [server({ sender_email: 'a@b\r\nRCPT TO:<x>' })] })?.[0]?.from).toBe(null);
  });

  it.each([null, [], {}, { objects: 'x' }, { objects: [1] }])('does not take %j', (value) => {
    expect(parseMailServers(value)).toBe(null);
  });
});
