import type { Answer } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import type { DnsObservation, DnsReply, MailObservation } from '../../../src/core/observation.ts';
import type { Look } from '../../../src/round/instruments.ts';
import { observeRecipientServer, withRecipientServers } from '../../../src/round/mail.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { createDnsServer, type DnsServer, zone } from '../../support/network/dns-server.ts';
import { hurriedClock } from '../../support/time/hurried-clock.ts';
import { lookUnder } from '../../support/checks/look.ts';
import { unusedPort } from '../../support/mail/mail-bench.ts';
import { path } from '../../support/checks/observed.ts';
import { CLOSE, createScriptedSmtp, type SmtpScript } from '../../support/mail/smtp-script.ts';

const AT_HOME = '127.0.0.1';

function mx(name: string, preference: number, exchange: string): Answer {
  return { type: 'MX', name, class: 'IN', ttl: 60, data: { preference, exchange } };
}

function a(name: string): Answer {
  return { type: 'A', name, class: 'IN', ttl: 60, data: AT_HOME };
}

let dns: DnsServer;

beforeEach(async () => {
  dns = await createDnsServer(
    zone({
      'two.test': [mx('two.test', 20, 'second.test'), mx('two.test', 10, 'first.test'), mx('two.test', 30, 'no.test')],
      'first.test': [],
      'second.test': [a('second.test')],
      'own.test': [a('own.test')],
      'null.test': [mx('null.test', 0, '.')],
    }),
  );
});

afterEach(async () => {
  await dns[Symbol.asyncDispose]();
});

/** Queries the test's resolver, and checks mail servers on this port. */
async function lookAt(port: number, clock: Clock = systemClock): Promise<Look> {
  const look = await lookUnder(
    'mail: [{ host: mail.test, from: fac@x.test, to: user@own.test }]\n' +
      'notify: { email: { from: f@x.test, to: [admin@own.test], servers: [{ host: mail.test }] } }\n' +
      `resolvers: ["udp://127.0.0.1:${String(dns.port)}"]`,
    { clock },
  );
  return { ...look, exchangePort: port };
}

describe('observeRecipientServer', () => {
  test.each([
    ['two.test', ['first.test', 'second.test']],
    ['own.test', ['own.test']],
  ])('%s: looks at the hosts in the order of their preference, and says nothing but QUIT', async (domain, hosts) => {
    await using server = await createScriptedSmtp();
    expect(await observeRecipientServer(domain, await lookAt(server.port))).toMatchObject({
      domain,
      hosts,
      outcome: { kind: 'greets' },
    });
    await expect.poll(() => server.lines, { timeout: 5000 }).toEqual(['QUIT']);
  });

  test.each(['null.test', 'gone.test'])('%s has no mail server to look at', async (domain) => {
    await using server = await createScriptedSmtp();
    const seen = await observeRecipientServer(domain, await lookAt(server.port));
    expect(seen.outcome).toMatchObject({ kind: 'failed', reason: 'name-not-resolved' });
    expect(server.lines).toEqual([]);
  });

  test.each<[string, SmtpScript, string]>([
    ['a silent one', { greeting: null }, 'timeout'],
    ['one that hangs up', { greeting: CLOSE }, 'protocol'],
    ['another service', { greeting: 'SSH-2.0-x\r\n' }, 'protocol'],
    ['one that refuses everybody', { greeting: '554 go away\r\n' }, 'protocol'],
  ])('does not count %s, and says nothing to it', async (_, script, reason) => {
    await using server = await createScriptedSmtp(script);
    const seen = await observeRecipientServer('own.test', await lookAt(server.port, hurriedClock(5)));
    expect(seen.outcome).toMatchObject({ kind: 'failed', reason });
    expect(server.lines).toEqual([]);
  });

  test('counts one that lets strangers wait for the rest of its greeting, and does not speak before it', async () => {
    await using server = await createScriptedSmtp({ greeting: '220-wait\r\n' });
    const seen = await observeRecipientServer('own.test', await lookAt(server.port, hurriedClock(5)));
    expect(seen.outcome).toMatchObject({ kind: 'greets' });
    expect(server.lines).toEqual([]);
  });

  test('a port that is shut', async () => {
    const seen = await observeRecipientServer('own.test', await lookAt(await unusedPort()));
    expect(seen.outcome).toMatchObject({ kind: 'failed', reason: 'refused' });
  });
});

describe('withRecipientServers', () => {
  const FAILED = { kind: 'failed', message: 'x', durationMs: 1, code: null, tlsError: null } as const;
  const SEEN: Omit<MailObservation, 'server' | 'outcome'> = {
    security: 'none',
    required: false,
    patience: 5000,
    certificateNotAfter: null,
    recipientServers: [],
  };
  const SILENT: MailObservation = {
    ...SEEN,
    server: 'a:25',
    outcome: { ...FAILED, stage: 'connect', reason: 'refused' },
  };
  const REFUSES: MailObservation = {
    ...SEEN,
    server: 'b:25',
    outcome: { ...FAILED, stage: 'recipient', reason: 'rejected', code: 550 },
  };
  const OURS: MailObservation = {
    ...SEEN,
    server: 'c:25',
    outcome: { ...FAILED, stage: 'connect', reason: 'internal' },
  };

  async function bench(port: number): Promise<{
    readonly lookAgain: (
      own: readonly MailObservation[],
      names?: readonly DnsObservation[],
    ) => Promise<readonly MailObservation[]>;
    readonly pass: (span: number) => void;
  }> {
    let now = 0;
    const look = await lookAt(port, { ...systemClock, now: () => now });
    return {
      lookAgain: (own, names = []) => withRecipientServers(own, path({ names }), look),
      pass: (span) => {
        now += span;
      },
    };
  }

  test('looks at most hourly, and what was seen stands until then', async () => {
    await using server = await createScriptedSmtp();
    const { lookAgain, pass } = await bench(server.port);
    const patience = { timeout: 5000 };
    expect((await lookAgain([SILENT]))[0]?.recipientServers).toMatchObject([{ domain: 'own.test' }]);
    await expect.poll(() => server.lines, patience).toEqual(['QUIT']);
    pass(3_599_000);
    expect((await lookAgain([SILENT]))[0]?.recipientServers).toMatchObject([{ outcome: { kind: 'greets' } }]);
    expect(dns.asked.filter(({ type }) => type === 'MX')).toHaveLength(1);
    pass(1000);
    await lookAgain([SILENT]);
    await expect.poll(() => server.lines, patience).toEqual(['QUIT', 'QUIT']);
  });

  test('looks as soon as a resolver answers, and not before', async () => {
    await using server = await createScriptedSmtp();
    const { lookAgain } = await bench(server.port);
    const silence: DnsReply = { kind: 'failed', reason: 'timeout', message: '', durationMs: 3000, attempts: 3 };
    const names: readonly DnsObservation[] = [{ resolver: 'one', name: 'server.test', a: silence, aaaa: silence }];
    expect(await lookAgain([SILENT], names)).toEqual([SILENT]);
    expect(dns.asked).toEqual([]);
    expect((await lookAgain([SILENT]))[0]?.recipientServers).toMatchObject([{ domain: 'own.test' }]);
  });

  test.each([
    [
      'another server works',
      [SILENT, { ...SILENT, outcome: { kind: 'accepted', durationMs: 1, slowestMs: 1, greeting: '' } }],
    ],
    ['a server refuses the recipient', [REFUSES]],
    ['this machine could not look', [OURS]],
    ['there is none', []],
  ] satisfies readonly (readonly [string, readonly MailObservation[]])[])('does not look where %s', async (_, own) => {
    await using server = await createScriptedSmtp();
    const { lookAgain } = await bench(server.port);
    expect(await lookAgain(own)).toEqual(own);
    expect(server.lines).toEqual([]);
    expect(dns.asked).toEqual([]);
  });
});
