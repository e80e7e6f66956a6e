import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CHANNELS } from '../../../src/config/schema/channels.ts';
import { channelPeers } from './channel-peers.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import type { MailServer } from '../../support/mail/mail-server.ts';

const CHILD = fileURLToPath(new URL('./alerting-child.ts', import.meta.url));

/** Each boundary takes three processes. The nightly run kills at all of them. */
const isFull = process.env['FTM_CRASHES'] === 'all';
/** Around the delivery of the first alarm. */
const FEW = [6, 7, 8];
/** More than there are. */
const ALL = Array.from({ length: 100 }, (_, index) => index + 1);

interface Life {
  /** The boundaries that the process reached. If it was killed, that happened at the last one. */
  readonly steps: readonly string[];
  readonly killed: boolean;
}

function live(folder: string, notify: object, rounds: string, boundary: number | 'accepted' = 0): Promise<Life> {
  return new Promise((resolve, reject) => {
    execFile(execPath, [CHILD, folder, JSON.stringify(notify), rounds, String(boundary)], (error, stdout, stderr) => {
      const killed = error?.signal === 'SIGKILL';
      if (error !== null && !killed) reject(new Error(stderr, { cause: error }));
      else
        resolve({
          steps: stdout
            .trim()
            .split('\n')
            .filter((line) => !/^(?:begins|wrote) /u.test(line)),
          killed,
        });
    });
  });
}

function mailBy({ port }: MailServer): object {
  const server = { host: '127.0.0.1', port, security: 'none' };
  return { email: { from: 'ftm-watch@example.test', to: ['ops@example.test'], servers: [server] } };
}

/** The number of mails about the event, and the number of different names that they have. */
function told(sink: MailServer, event: string): { readonly mails: number; readonly names: number } {
  const ids = sink.mails
    .filter(({ headers }) => headers.get('x-ftm-watch-event') === event)
    .map(({ headers }) => headers.get('message-id'));
  return { mails: ids.length, names: new Set(ids).size };
}

/**
 * Goes through all rounds repeatedly, each time killing the process at another boundary and starting it again. Returns
 * the boundaries at which it was killed.
 */
async function killAt(
  boundaries: readonly number[],
  rounds: string,
  event: string,
  prepare: (folder: string, sink: MailServer) => Promise<void>,
): Promise<readonly string[]> {
  const killedAfter: string[] = [];
  for (const boundary of boundaries) {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-crash-'));
    await using sink = await createMailServer();
    await prepare(folder, sink);
    const first = await live(folder, mailBy(sink), rounds, boundary);
    await live(folder, mailBy(sink), rounds);
    rmSync(folder, { recursive: true });
    const step = first.killed ? (first.steps.at(-1) ?? '') : 'never';
    // The mail was accepted, but the process died before it recorded that. Only then can a mail be repeated, under the
    // same name.
    const isForgotten =
      step === 'after delivery' || (step === 'before update' && first.steps.at(-2) === 'after delivery');
    expect({ step, ...told(sink, event) }).toEqual({ step, mails: isForgotten ? 2 : 1, names: 1 });
    if (!first.killed) break;
    killedAfter.push(step);
  }
  return killedAfter;
}

describe('kill -9 between two steps of the outbox', { timeout: 300_000 }, () => {
  it('loses no alarm, and repeats none that was acknowledged', async () => {
    const steps = await killAt(isFull ? ALL : FEW, 'bbb', 'firing', () => Promise.resolve());
    const around = ['after record', 'before delivery', 'after delivery'];
    expect(new Set(steps)).toEqual(
      new Set([...around, ...(isFull ? ['before record', 'before update', 'after update'] : [])]),
    );
  });

  it.runIf(isFull)('loses no all-clear, and repeats none that was acknowledged', async () => {
    const steps = await killAt(ALL, 'ggg', 'resolved', async (folder, sink) => {
      await live(folder, mailBy(sink), 'bb');
    });
    expect(steps.length).toBeGreaterThan(6);
  });

  it('between acceptance and its writing repeats once, under the same key where a channel has one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-crash-'));
    await using peers = await channelPeers();
    expect(await live(folder, peers.notify, 'bb', 'accepted')).toMatchObject({ killed: true });
    const before = peers.accepted.length;
    await live(folder, peers.notify, 'bb');
    rmSync(folder, { recursive: true });
    const ofChannel = Map.groupBy(
      peers.accepted.filter(({ isRestart }) => !isRestart),
      ({ channel }) => channel,
    );
    const copies = [...ofChannel].map(
      ([channel, all]) => [channel, [all.length, new Set(all.map(({ key }) => key)).size]] as const,
    );
    const channels = CHANNELS.filter(({ kind }) => kind === 'messages').map(({ id }) => id);
    expect(before).toBe(channels.length);
    expect(Object.fromEntries(copies)).toEqual(Object.fromEntries(channels.map((channel) => [channel, [2, 1]])));
    const unnamed = [...ofChannel].filter(([, all]) => all.every(({ key }) => key === null));
    // As listed in docs/alerting.md.
    expect(new Set(unnamed.map(([channel]) => channel))).toEqual(new Set(['mattermost', 'ntfy', 'slack', 'teams']));
  });
});
