import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import { readSecret, type SecretSource } from '../../../src/system/secret.ts';
import type { Notification } from '../../../src/engine/incident/incident.ts';
import type { MessageChannel, RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import { mailChannel } from '../../support/notify/channel-bench.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { smtpSink } from '../../support/mail/smtp-sink.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { freePort } from '../../support/network/free-port.ts';

type MailRelay = NonNullable<Config['notify']['email']>['servers'][number];

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-email-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function relay(port: number, more: Partial<MailRelay> = {}): MailRelay {
  return { host: '127.0.0.1', port, security: 'none', user: null, password: null, caFile: null, ...more };
}

const [NOTIFICATION] = timeline().rounds(2, [causeOf('tls-intercepted', { product: 'Fortinet FortiGate' })]).told;

type Outcomes = readonly RecipientOutcome[];

interface Sending {
  readonly servers: readonly MailRelay[];
  readonly to?: readonly string[];
  readonly notification?: Notification | undefined;
  readonly signal?: AbortSignal;
}

function channelTo(to: readonly string[], servers: readonly MailRelay[], clock = systemClock): MessageChannel {
  const deps = { ...AT_HQ, clock, readSecret: (source: SecretSource) => readSecret(source, {}) };
  return mailChannel({ from: 'ftm-watch@example.org', to, minSeverity: 'warning', servers }, deps);
}

async function send({ servers, to = [ALICE, BOB], notification = NOTIFICATION, signal }: Sending): Promise<Outcomes> {
  if (notification === undefined) throw new Error('Nothing was told');
  return channelTo(to, servers).deliver(
    { notification, recipients: to, firstFailedAt: null },
    signal ?? new AbortController().signal,
  );
}

/** Returns the outcome of sending a message to Alice through this server. */
async function toAlice(server: MailRelay): Promise<RecipientOutcome['kind'] | undefined> {
  return (await send({ servers: [server], to: [ALICE] }))[0]?.kind;
}

function kinds(outcomes: Outcomes): readonly string[] {
  return outcomes.map(({ recipient, kind }) => `${recipient} ${kind}`);
}

describe('the mail channel', () => {
  it('sends one mail to all, with what filters and threads need', async () => {
    await using sink = await smtpSink();
    expect(kinds(await send({ servers: [relay(sink.port)] }))).toEqual([`${ALICE} sent`, `${BOB} sent`]);
    expect(sink.mails).toHaveLength(1);
    const [mail] = sink.mails;
    expect(mail?.recipients).toEqual([ALICE, BOB]);
    expect(mail?.raw).toMatch(/^X-FTM-Watch-Event: firing\r\nX-FTM-Watch-Cause: tls-intercepted\r\n/mu);
    expect(mail?.headers.get('subject')).toBe('CRITICAL hq: TLS intercepted by FortiGate');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.headers.get('content-type')).toContain('multipart/alternative');
    expect(mail?.headers.get('message-id')).toBe('<ftm-watch.20261124T130030Z-a1b2c3d4e5-1.1@example.org>');
  });

  it('does not let one refused mailbox block the others', async () => {
    await using sink = await smtpSink({
      recipient: (address) => (address === ALICE ? { code: 550, text: 'no such user' } : null),
    });
    const outcomes = await send({ servers: [relay(sink.port)] });
    expect(kinds(outcomes)).toEqual([`${ALICE} rejected`, `${BOB} sent`]);
    expect(outcomes[0]?.detail).toContain('550 no such user');
    expect(sink.mails[0]?.recipients).toEqual([BOB]);
  });

  it('tells a mailbox that is busy from one that is gone, when both are refused', async () => {
    await using sink = await smtpSink({
      recipient: (address) => ({ code: address === ALICE ? 450 : 551, text: 'no' }),
    });
    expect(kinds(await send({ servers: [relay(sink.port)] }))).toEqual([`${ALICE} deferred`, `${BOB} rejected`]);
  });

  it('takes the next server when the first is down, and asks nobody twice', async () => {
    await using second = await smtpSink();
    expect(kinds(await send({ servers: [relay(await freePort()), relay(second.port)] }))).toEqual([
      `${ALICE} sent`,
      `${BOB} sent`,
    ]);
    await using first = await smtpSink({
      recipient: (address) => (address === ALICE ? { code: 451, text: 'later' } : null),
    });
    expect(kinds(await send({ servers: [relay(first.port), relay(second.port)] }))).toEqual([
      `${ALICE} sent`,
      `${BOB} sent`,
    ]);
    expect(first.mails.map(({ recipients }) => recipients)).toEqual([[BOB]]);
    expect(second.mails.map(({ recipients }) => recipients)).toEqual([[ALICE, BOB], [ALICE]]);
  });

  it.each([
    [
      'a server that may not relay is not the end of the mail while another one is down',
      554,
      '5.7.1 Relay access denied',
      true,
      'deferred',
    ],
    ['but it is when every server refuses', 554, '5.7.1 Relay access denied', false, 'rejected'],
    ['nor is one that knows no such mailbox, whatever its code says', 550, '5.1.1 User unknown', true, 'deferred'],
  ])('%s', async (...[, code, text, hasSecond, expected]) => {
    await using sink = await smtpSink({ recipient: () => ({ code, text }) });
    const servers = [relay(sink.port), ...(hasSecond ? [relay(await freePort())] : [])];
    expect(kinds(await send({ servers, to: [ALICE] }))).toEqual([`${ALICE} ${expected}`]);
  });

  it.each([
    [550, 'relay not permitted'],
    [553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
    [550, '5.1.8 <ftm-watch@example.org>: Sender address rejected: Domain not found'],
    [550, '5.1.1 <alice@example.org>: Recipient address rejected: User unknown in virtual mailbox table'],
    [554, '5.7.1 Service unavailable; Client host [5.1.1.23] blocked using bl.example.org'],
  ])('asks the next server after "%i %s"', async (code, text) => {
    await using first = await smtpSink({ recipient: () => ({ code, text }) });
    await using second = await smtpSink();
    expect(kinds(await send({ servers: [relay(first.port), relay(second.port)], to: [ALICE] }))).toEqual([
      `${ALICE} sent`,
    ]);
    await using busy = await smtpSink({ recipient: () => ({ code: 451, text: 'later' }) });
    expect(kinds(await send({ servers: [relay(first.port), relay(busy.port)], to: [ALICE] }))).toEqual([
      `${ALICE} deferred`,
    ]);
    const [outcome] = await send({ servers: [relay(first.port), relay(first.port)], to: [ALICE] });
    expect(outcome?.kind).toBe('rejected');
    expect(outcome?.detail.split(text)).toHaveLength(3);
  });

  it('gives no recipient up for a server that was not asked', async () => {
    const stopping = new AbortController();
    await using first = await smtpSink({
      recipient: () => {
        stopping.abort(new Error('stopping'));
        return { code: 550, text: 'no' };
      },
    });
    await using second = await smtpSink();
    const servers = [relay(first.port), relay(second.port)];
    expect(kinds(await send({ servers, to: [ALICE], signal: stopping.signal }))).toEqual([`${ALICE} deferred`]);
  });

  it.each([
    [452, 'deferred'],
    [552, 'rejected'],
  ])('takes %i after the message as %s', async (code, expected) => {
    await using sink = await smtpSink({ message: () => ({ code, text: 'no' }) });
    expect(kinds(await send({ servers: [relay(sink.port)], to: [ALICE] }))).toEqual([`${ALICE} ${expected}`]);
  });

  it('retries when the login is refused, since that is fixed at the server', async () => {
    await using sink = await smtpSink({
      options: {
        allowInsecureAuth: true,
        onAuth: (_auth, _session, done) => {
          done(Object.assign(new Error('bad password'), { responseCode: 535 }));
        },
      },
    });
    const path = join(folder, 'password');
    writeFileSync(path, 'hunter2\n');
    const outcomes = await send({
      servers: [relay(sink.port, { user: 'ftm', password: { kind: 'file', path } })],
      to: [ALICE],
    });
    expect(kinds(outcomes)).toEqual([`${ALICE} deferred`]);
    expect(JSON.stringify(outcomes)).not.toContain('hunter2');
  });

  it('logs in with the password as it is now in the file', async () => {
    const seen: string[] = [];
    await using sink = await smtpSink({
      options: {
        allowInsecureAuth: true,
        onAuth: ({ username, password }, _session, done) => {
          seen.push(`${String(username)}:${String(password)}`);
          done(null, { user: 'ftm' });
        },
      },
    });
    const path = join(folder, 'password');
    const servers = [relay(sink.port, { user: 'ftm', password: { kind: 'file', path } })];
    writeFileSync(path, 'first\n');
    await send({ servers });
    writeFileSync(path, 'second\n');
    await send({ servers });
    expect(seen).toEqual(['ftm:first', 'ftm:second']);
    rmSync(path);
    const [unread] = await send({ servers, to: [ALICE] });
    expect(unread).toMatchObject({ kind: 'deferred', detail: expect.stringContaining(path) as string });
  });

  it.each(['starttls', 'tls'] as const)('verifies the certificate (%s)', async (security) => {
    const { root, leaf, intermediate } = await createHierarchy({ dnsNames: ['localhost'] });
    await using sink = await smtpSink({
      options: {
        secure: security === 'tls',
        disabledCommands: [],
        cert: chainPem(leaf, intermediate),
        key: leaf.keyPem,
      },
    });
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, chainPem(root));
    const server = relay(sink.port, { host: 'localhost', security });
    expect(await toAlice(server)).toBe('deferred');
    expect(await toAlice({ ...server, host: '127.0.0.1', caFile })).toBe('deferred');
    expect(sink.mails).toEqual([]);
    expect(await toAlice({ ...server, caFile })).toBe('sent');
    expect(sink.mails[0]?.secure).toBe(true);
  });

  it('sends nothing in the clear to a server without STARTTLS', async () => {
    await using sink = await smtpSink();
    expect(await toAlice(relay(sink.port, { security: 'starttls' }))).toBe('deferred');
    expect(sink.mails).toEqual([]);
  });

  it('gives a silent server up when its time is over, and stops at once when told to', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const servers = [relay((silent.address() as AddressInfo).port)];
    const clock = handClock(START);
    const channel = channelTo([ALICE], servers, clock);
    if (NOTIFICATION === undefined) throw new Error('Nothing was told');
    const connected = new Promise((resolve) => silent.once('connection', resolve));
    const pending = channel.deliver(
      { notification: NOTIFICATION, recipients: [ALICE], firstFailedAt: null },
      new AbortController().signal,
    );
    await connected;
    clock.advance(45_000);
    expect(kinds(await pending)).toEqual([`${ALICE} deferred`]);
    expect(clock.timers()).toBe(0);

    const controller = new AbortController();
    silent.once('connection', () => {
      controller.abort(new Error('stop'));
    });
    expect(kinds(await send({ servers, to: [ALICE], signal: controller.signal }))).toEqual([`${ALICE} deferred`]);
    silent.close();
  });
});
