import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { createStore } from '../../../src/store/store.ts';
import { channelPeers } from './channel-peers.ts';
import { POSTING_CHANNELS } from '../../support/notify/posting-channels.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { SEED } from '../../support/random/samples.ts';

const CHILD = fileURLToPath(new URL('./alerting-child.ts', import.meta.url));
/** Nightly runs set `FTM_WATCH_KILLS=50`. */
const KILLS = Number(process.env['FTM_WATCH_KILLS'] ?? '8');
/**
 * The process is killed after one of its first steps, which are counted rather than timed, so that slow machines get
 * equally far.
 */
const LONGEST_LIFE = 200;
const LONGEST_STEP = 60;
const random = randomOf(SEED);

/** What the first relay replies, in turn, in the wording of exim, qmail and postfix. */
const REFUSALS = [
  { code: 550, text: 'relay not permitted' },
  { code: 553, text: "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)" },
  { code: 550, text: '5.1.8 <ftm-watch@example.test>: Sender address rejected: Domain not found' },
  { code: 554, text: '5.7.1 Service unavailable; Client host [5.1.1.23] blocked' },
] as const;

/** Rounds in which faults start, end and change. */
function flippingRounds(): string {
  return Array.from({ length: 60 }, () =>
    'bmg'.charAt(Math.floor(3 * random())).repeat(2 + Math.floor(3 * random())),
  ).join('');
}

/**
 * Runs until it is killed at a random moment of a random step, or until the rounds end. Returns the deliveries that had
 * started and whose outcome was not written, as `email ID`.
 */
async function live(folder: string, notify: object, rounds: string, isKilled: boolean): Promise<readonly string[]> {
  const child = spawn(execPath, [CHILD, folder, JSON.stringify(notify), rounds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  if (isKilled) {
    const steps = 1 + Math.floor(LONGEST_LIFE * random());
    while (output.split('\n').length <= steps) await once(child.stdout, 'data');
    await setTimeout(LONGEST_STEP * random());
    child.kill('SIGKILL');
  }
  await ended;
  if (!isKilled && child.exitCode !== 0) throw new Error(`The last life ended with ${String(child.exitCode)}`);
  return interruptedDeliveries(output.trim().split('\n'));
}

function interruptedDeliveries(lines: readonly string[]): readonly string[] {
  const of = (what: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1));
  const wrote = new Set(of('wrote'));
  return [...new Set(of('begins'))].filter((delivery) => !wrote.has(delivery));
}

/** Returns all deliveries in the store, in order. */
function toldInStore(folder: string): readonly Told[] {
  const store = createStore(
    { path: join(folder, 'history.sqlite'), retention: 86_400_000 },
    { clock: systemClock, logger: logRecorder() },
  );
  const told = store.deliveries(10_000).map(({ notification, delivery: { channel, status } }) => ({
    channel,
    status,
    id: notification.id,
    posts: channel === 'pagerduty' && notification.kind === 'note' ? 0 : 1,
  }));
  store.close();
  return told;
}

interface Told {
  readonly channel: string;
  readonly status: string;
  readonly id: string;
  /** The minimum number of times that the peer receives it. */
  readonly posts: number;
}

/** How channels derive a key from the ID of a notification, if they do. */
const KEYS: Readonly<Record<string, (id: string) => string>> = {
  email: (id) => `<ftm-watch.${id}@example.test>`,
  webhook: (id) => id,
  syslog: (id) => id,
};

it(
  `loses nothing in ${String(KILLS)} kills at random moments (seed ${String(SEED)}) while faults flip`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-kills-'));
    let asked = 0;
    await using first = await createMailServer({ recipient: () => REFUSALS[asked++ % REFUSALS.length] ?? null });
    await using peers = await channelPeers();
    const servers = [first, peers.relay].map(({ port }) => ({ host: '127.0.0.1', port, security: 'none' }));
    const email = { from: 'ftm-watch@example.test', to: ['ops@example.test'], servers };
    const notify = { ...peers.notify, email };
    const interrupted: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1)
      interrupted.push(...(await live(folder, notify, flippingRounds(), true)));
    expect(await live(folder, notify, 'gggg', false)).toEqual([]);

    const told = toldInStore(folder);
    expect(told.filter(({ status }) => status !== 'sent')).toEqual([]);
    const ofChannel = Map.groupBy(told, ({ channel }) => channel);
    expect(new Set(ofChannel.keys())).toEqual(new Set(['email', 'syslog', ...POSTING_CHANNELS]));
    for (const [channel, deliveries] of ofChannel) {
      expect(deliveries.length).toBeGreaterThan(KILLS / 2);
      const accepted = peers.accepted.filter((one) => one.channel === channel);
      const between = interrupted.filter((delivery) => delivery.startsWith(`${channel} `));
      const due = deliveries.reduce((sum, { posts }) => sum + posts, 0);
      // Only deliveries that a kill interrupted can be repeated. PagerDuty can receive two events for one notification.
      const most = channel === 'pagerduty' ? Number.POSITIVE_INFINITY : due + between.length;
      expect({ channel, lost: accepted.length < due, tooMany: accepted.length > most }).toEqual({
        channel,
        lost: false,
        tooMany: false,
      });
    }
    for (const [channel, keyOf] of Object.entries(KEYS)) {
      const deliveries = ofChannel.get(channel) ?? [];
      const keys = peers.accepted.filter((one) => one.channel === channel).map(({ key }) => key);
      expect(new Set(keys)).toEqual(new Set(deliveries.map(({ id }) => keyOf(id))));
      for (const { id } of deliveries) {
        const repeats = keys.filter((key) => key === keyOf(id)).length - 1;
        // One repetition for each such kill.
        const kills = interrupted.filter((delivery) => delivery === `${channel} ${id}`).length;
        expect({ id, channel, tooMany: repeats > kills }).toEqual({ id, channel, tooMany: false });
      }
    }
    expect(first.mails).toEqual([]);
    const dueInAll = told.reduce((sum, { posts }) => sum + posts, 0);
    console.log(
      `${String(KILLS)} kills, ${String(interrupted.length)} deliveries under way at one: ${String(told.length)} ` +
        `deliveries on ${String(ofChannel.size)} channels, 0 lost, ${String(peers.accepted.length - dueInAll)} more ` +
        `accepted than told; the first relay refused ${String(first.asked.length)} times`,
    );
    rmSync(folder, { recursive: true });
  },
  60_000 + KILLS * 10_000,
);
