import { describe, expect, it } from 'vitest';
import { parseMailServers, parseSystemInfo } from '../../../src/connectors/appliances.ts';

const LIVE = {
  cpu: '0%',
  memory: '64%',
  disk: '0%',
  memory_usage_detail: { available: '1427344.0 KB', total: '4032452.0 KB', used: '2605108.0 KB' },
  ftm_usage_detail: { populated: 0, used: 0 },
  ha_sn: '',
  sn: 'FAC-VM0000000000',
  firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
};

describe('parseSystemInfo', () => {
  it('reads what a live 8.0.3 answers', () => {
    expect(parseSystemInfo(LIVE)).toEqual({
      serial: 'FAC-VM0000000000',
      peerSerial: null,
      firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
      tokensPopulated: 0,
      memoryKb: 4_032_452,
      load: { cpu: 0, memory: 0.64, disk: 0 },
    });
  });

  it('reads numbers as the documentation gives them', () => {
    expect(parseSystemInfo({ ...LIVE, memory: 64, cpu: null })?.load).toEqual({ cpu: null, memory: 0.64, disk: 0 });
  });

  it.each<[unknown, string | null]>([
    ['FAC-VM0000000001', 'FAC-VM0000000001'],
    ['', null],
    [undefined, null],
    [null, null],
    ['FAC-VM0000000000', null],
    ['<script>', null],
  ])('reads ha_sn %j as peer %j', (value, peerSerial) => {
    expect(parseSystemInfo({ ...LIVE, ha_sn: value })?.peerSerial).toBe(peerSerial);
  });

  it.each([
    ['4032452.0 KB', 4_032_452],
    ['2029704 KB', 2_029_704],
    ['3.8 GB', null],
    [4_032_452, null],
    [undefined, null],
  ])('reads the memory only in KB: %j', (total, memoryKb) => {
    expect(parseSystemInfo({ ...LIVE, memory_usage_detail: { total } })?.memoryKb).toBe(memoryKb);
    expect(parseSystemInfo({ ...LIVE, memory_usage_detail: 'x' })?.memoryKb).toBeNull();
  });

  it('needs a serial and nothing else', () => {
    expect(parseSystemInfo({ sn: 'FAC-VM0000000000' })).not.toBe(null);
    expect(parseSystemInfo({ ...LIVE, sn: undefined })).toBe(null);
    expect(parseSystemInfo({ ...LIVE, sn: 'a\nb' })).toBe(null);
  });

  it('shows a hostile banner safely', () => {
    expect(parseSystemInfo({ ...LIVE, firmware: `\u001B[31m${'x'.repeat(500)}` })?.firmware).toMatch(
      /^\\u\{1B\}\[31mx+…$/u,
    );
  });
});

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
