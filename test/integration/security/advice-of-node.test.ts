import { Agent } from 'undici';
import { beforeAll, expect, test } from 'vitest';
import { createHeartbeat } from '../../../src/notify/heartbeat.ts';
import { postJson } from '../../../src/notify/channels/http-post.ts';
import { failureFrom } from '../../../src/network/failure.ts';
import { exchangeJson } from '../../../src/network/rest/json-exchange.ts';
import { systemClock, nextTurn } from '../../../src/system/clock.ts';
import { mailChannel } from '../../support/notify/channel-bench.ts';
import { createHierarchy, type Hierarchy } from '../../support/certificates/hierarchy.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, timeline } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { createMailBench } from '../../support/mail/mail-bench.ts';
import { AT_HQ, DIRECT } from '../../support/checks/message-context.ts';
import { createTlsPeer } from '../../support/network/tls-peer.ts';

const [NOTIFICATION] = timeline().rounds(2, [causeOf('tls-intercepted')]).told;

let stranger: Hierarchy;
let selfSigned: Identity;

beforeAll(async () => {
  stranger = await createHierarchy({ ipAddresses: ['127.0.0.1'] });
  selfSigned = await createIdentity({ name: 'CN=localhost', ipAddresses: ['127.0.0.1'] });
});

/** The message from each part of the program about a peer whose authority this machine does not trust. */
const TOLD: Readonly<Record<string, (port: number) => Promise<unknown>>> = {
  'a web hook': (port) =>
    postJson(
      { url: `https://127.0.0.1:${String(port)}/`, body: {}, authorization: null, secrets: [], caFile: null },
      { ...DIRECT, clock: systemClock, readSecret: () => Promise.resolve('') },
      AbortSignal.timeout(5_000),
    ),
  mail: (port) => {
    const server = { host: '127.0.0.1', port, security: 'tls', user: null, password: null, caFile: null } as const;
    const channel = mailChannel(
      { from: 'ftm-watch@example.org', to: ['a@example.org'], minSeverity: 'warning', servers: [server] },
      { ...AT_HQ, clock: systemClock, readSecret: () => Promise.resolve('') },
    );
    if (NOTIFICATION === undefined) throw new Error('Nothing was told');
    const delivery = { notification: NOTIFICATION, recipients: ['a@example.org'], firstFailedAt: null };
    return channel.deliver(delivery, AbortSignal.timeout(5_000));
  },
  'the heartbeat': async (port) => {
    const logger = logRecorder();
    const heartbeat = createHeartbeat(
      { url: { kind: 'file', path: 'url' }, every: MINUTE },
      {
        ...DIRECT,
        clock: systemClock,
        logger,
        isAlive: () => true,
        readSecret: () => Promise.resolve(`https://127.0.0.1:${String(port)}/`),
      },
    );
    heartbeat.start();
    await expect.poll(() => logger.lines.length, { timeout: 5_000 }).toBe(1);
    heartbeat.stop();
    return logger.lines;
  },
  'an API': async (port) => {
    const agent = new Agent({ pipelining: 0 });
    const signal = AbortSignal.timeout(5_000);
    const request = { method: 'GET', path: '/', headers: {}, withoutSecrets: String } as const;
    const context = { clock: systemClock, signal, ownTurn: nextTurn };
    try {
      return await exchangeJson(agent, `https://127.0.0.1:${String(port)}`, request, context);
    } catch (error) {
      return failureFrom(error, 0, signal);
    } finally {
      await agent.destroy();
    }
  },
  'a mail server of FortiAuthenticator': async (port) => {
    const bench = await createMailBench();
    return (await bench.look(port, { config: { security: 'tls' } })).outcome;
  },
};

const CHAINS = ['self-signed', 'under a root that it sends', 'without its intermediate'] as const;

function chainOf(kind: (typeof CHAINS)[number]): readonly [Identity, ...Identity[]] {
  switch (kind) {
    case 'self-signed':
      return [selfSigned];
    case 'under a root that it sends':
      return [stranger.leaf, stranger.intermediate, stranger.root];
    case 'without its intermediate':
      return [stranger.leaf];
  }
}

test.each(Object.keys(TOLD).flatMap((teller) => CHAINS.map((kind) => [teller, kind] as const)))(
  // Listeners of network/connect.ts: on error
  '%s says of a certificate that is %s nothing about options of Node',
  async (teller, kind) => {
    await using peer = await createTlsPeer({ chain: chainOf(kind), serve: () => undefined });
    const text = JSON.stringify(await TOLD[teller]?.(peer.port));
    expect(text).toMatch(/certificate/iu);
    expect(text).not.toMatch(/Node\.js|--use-/u);
  },
);
