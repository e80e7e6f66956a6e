import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import { readSecret, type SecretSource } from '../../../src/system/secret.ts';
import type { MessageChannel, RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import { deliverTo, mailChannel } from '../../support/notify/channel-bench.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { freePort } from '../../support/network/free-port.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

type MailRelay = NonNullable<Config['notify']['email']>['servers'][number];

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';
const NOTIFICATION = firingOf(causeOf('tls-intercepted', { product: 'Fortinet FortiGate' }));

const folder = folderOfEachTest();

function relay(port: number, more: Partial<MailRelay> = {}): MailRelay {
  return { host: '127.0.0.1', port, security: 'none', user: null, password: null, caFile: null, ...more };
}

function channelTo(to: readonly string[], servers: readonly MailRelay[], clock = systemClock): MessageChannel {
  const deps = { ...AT_HQ, clock, readSecret: (source: SecretSource) => readSecret(source, {}) };
  return mailChannel({ from: 'ftm-watch@example.org', to, minSeverity: 'warning', servers }, deps);
}

type Outcomes = readonly RecipientOutcome[];

/** Sends one message through the first of these servers that takes it. */
function send(to: readonly string[], ...servers: readonly MailRelay[]): Promise<Outcomes> {
  return deliverTo(channelTo(to, servers), NOTIFICATION);
}

function kinds(outcomes: Outcomes): readonly string[] {
  return outcomes.map(({ recipient, kind }) => `${recipient} ${kind}`);
}

/** Returns the outcome of sending a message to Alice. */
async function toAlice(...servers: readonly MailRelay[]): Promise<RecipientOutcome['kind'] | undefined> {
  return (await send([ALICE], ...servers))[0]?.kind;
}

describe('the mail channel', () => {
  it('sends one mail to all, with what filters and threads need', async () => {
    await using server = await createMailServer();
    expect(kinds(await send([ALICE, BOB], relay(server.port)))).toEqual([`${ALICE} sent`, `${BOB} sent`]);
    expect(server.mails).toHaveLength(1);
    const [mail] = server.mails;
    expect(mail?.recipients).toEqual([ALICE, BOB]);
    expect(mail?.raw).toMatch(/^X-FTM-Watch-Event: firing\r\nX-FTM-Watch-Cause: tls-intercepted\r\n/mu);
    expect(mail?.headers.get('subject')).toBe('CRITICAL FTM hq: TLS is intercepted by FortiGate');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.headers.get('content-type')).toContain('multipart/alternative');
    expect(mail?.headers.get('message-id')).toBe('<ftm-watch.20261124T130030Z-a1b2c3d4e5-1.1@example.org>');
  });

  it.each([
    ['does not let one refused mailbox block the others', 550, null, ['rejected', 'sent']],
    ['tells a mailbox that is busy from one that is gone, when both are refused', 450, 551, ['deferred', 'rejected']],
  ])('%s', async (_, alice, bob, expected) => {
    await using server = await createMailServer({
      recipient: (address) => {
        const code = address === ALICE ? alice : bob;
        return code === null ? null : { code, text: 'not here' };
      },
    });
    const outcomes = await send([ALICE, BOB], relay(server.port));
    expect(outcomes.map(({ kind }) => kind)).toEqual(expected);
    expect(outcomes[0]?.detail).toContain(`${String(alice)} not here`);
    expect(server.mails.map(({ recipients }) => recipients)).toEqual(bob === null ? [[BOB]] : []);
  });

  it('takes the next server when the first is down, and asks nobody twice', async () => {
    await using second = await createMailServer();
    const down = relay(await freePort());
    expect(kinds(await send([ALICE, BOB], down, relay(second.port)))).toEqual([`${ALICE} sent`, `${BOB} sent`]);
    await using first = await createMailServer({
      recipient: (address) => (address === ALICE ? { code: 451, text: 'later' } : null),
    });
    const outcomes = await send([ALICE, BOB], relay(first.port), relay(second.port));
    expect(kinds(outcomes)).toEqual([`${ALICE} sent`, `${BOB} sent`]);
    expect(first.mails.map(({ recipients }) => recipients)).toEqual([[BOB]]);
    expect(second.mails.map(({ recipients }) => recipients)).toEqual([[ALICE, BOB], [ALICE]]);
  });

  it.each([
    ['a server that may not relay is not the end of the mail', 554, '5.7.1 Relay access denied', true, 'deferred'],
    ['but it is when every server refuses', 554, '5.7.1 Relay access denied', false, 'rejected'],
    ['nor is one that knows no such mailbox, whatever its code says', 550, '5.1.1 User unknown', true, 'deferred'],
  ])('while another one is down, %s', async (...[, code, text, hasSecond, expected]) => {
    await using server = await createMailServer({ recipient: () => ({ code, text }) });
    const others = hasSecond ? [relay(await freePort())] : [];
    expect(await toAlice(relay(server.port), ...others)).toBe(expected);
  });

  it.each([
    [550, 'relay not permitted'],
    [553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
    [550, '5.1.8 <ftm-watch@example.org>: Sender address rejected: Domain not found'],
    [550, '5.1.1 <alice@example.org>: Recipient address rejected: User unknown in virtual mailbox table'],
    [554, '5.7.1 Service unavailable; Client host [5.1.1.23] blocked using bl.example.org'],
  ])('asks the next server after "%i %s"', async (code, text) => {
    await using first = await createMailServer({ recipient: () => ({ code, text }) });
    await using second = await createMailServer();
    expect(await toAlice(relay(first.port), relay(second.port))).toBe('sent');
    await using busy = await createMailServer({ recipient: () => ({ code: 451, text: 'later' }) });
    expect(await toAlice(relay(first.port), relay(busy.port))).toBe('deferred');
    const [outcome] = await send([ALICE], relay(first.port), relay(first.port));
    expect(outcome?.kind).toBe('rejected');
    expect(outcome?.detail.split(text)).toHaveLength(3);
  });

  it('gives no recipient up for a server that was not asked', async () => {
    const stopping = new AbortController();
    await using first = await createMailServer({
      recipient: () => {
        stopping.abort(new Error('stopping'));
        return { code: 550, text: 'no' };
      },
    });
    await using second = await createMailServer();
    const channel = channelTo([ALICE], [relay(first.port), relay(second.port)]);
    expect(kinds(await deliverTo(channel, NOTIFICATION, stopping.signal))).toEqual([`${ALICE} deferred`]);
  });

  it.each([
    [452, 'deferred'],
    [552, 'rejected'],
  ])('takes %i after the message as %s', async (code, expected) => {
    await using server = await createMailServer({ message: () => ({ code, text: 'no' }) });
    expect(await toAlice(relay(server.port))).toBe(expected);
  });

  it('logs in with the password as it is now in the file, and tries again when it is refused or missing', async () => {
    const seen: string[] = [];
    await using server = await createMailServer({
      login: (user, password) => {
        seen.push(`${user}:${password}`);
        return password === 'refused' ? { code: 535, text: 'bad password' } : null;
      },
    });
    const path = folder.at('password');
    const login = relay(server.port, { user: 'ftm', password: { kind: 'file', path } });
    for (const password of ['first', 'second']) {
      writeFileSync(path, `${password}\n`);
      expect(await toAlice(login)).toBe('sent');
    }
    expect(seen).toEqual(['ftm:first', 'ftm:second']);
    writeFileSync(path, 'refused\n');
    const outcomes = await send([ALICE], login);
    expect(kinds(outcomes)).toEqual([`${ALICE} deferred`]);
    expect(JSON.stringify(outcomes)).not.toContain('refused');
    rmSync(path);
    expect(await send([ALICE], login)).toMatchObject([{ kind: 'deferred', detail: expect.stringContaining(path) }]);
  });

  it.each(['starttls', 'tls'] as const)('verifies the certificate (%s)', async (security) => {
    const { root, leaf, intermediate } = await createHierarchy({ dnsNames: ['localhost'] });
    await using server = await createMailServer({ security, chain: [leaf, intermediate] });
    const caFile = folder.at('ca.pem');
    writeFileSync(caFile, chainPem(root));
    const named = relay(server.port, { host: 'localhost', security });
    expect(await toAlice(named)).toBe('deferred');
    expect(await toAlice({ ...named, host: '127.0.0.1', caFile })).toBe('deferred');
    expect(server.mails).toEqual([]);
    expect(await toAlice({ ...named, caFile })).toBe('sent');
    expect(server.mails[0]?.secure).toBe(true);
  });

  it('sends nothing in the clear to a server without STARTTLS', async () => {
    await using server = await createMailServer();
    expect(await toAlice(relay(server.port, { security: 'starttls' }))).toBe('deferred');
    expect(server.mails).toEqual([]);
  });

  it('gives a silent server up when its time is over, and stops at once when told to', async () => {
    let onConnection = (): void => clock.advance(45_000);
    await using silent = await createTcpPeer(() => onConnection());
    const clock = handClock(START);
    const channel = channelTo([ALICE], [relay(silent.port)], clock);
    expect(kinds(await deliverTo(channel, NOTIFICATION))).toEqual([`${ALICE} deferred`]);
    expect(clock.timers()).toBe(0);
    const stopping = new AbortController();
    onConnection = () => stopping.abort(new Error('stop'));
    expect(kinds(await deliverTo(channel, NOTIFICATION, stopping.signal))).toEqual([`${ALICE} deferred`]);
  });
});
