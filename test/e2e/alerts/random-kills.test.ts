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
import { logRecorder } from '../../support/log-recorder.ts';
import { smtpSink } from '../../support/smtp-sink.ts';
import type { SmtpSink } from '../../support/smtp-sink.ts';

const CHILD = fileURLToPath(new URL('../../support/alerting-child.ts', import.meta.url));
/** `FTM_WATCH_KILLS=50` at night. */
const KILLS = Number(process.env['FTM_WATCH_KILLS'] ?? '8');
/** A life ends after one of its first steps, counted and not timed, so that a slow machine sees as much of it. */
const LONGEST_LIFE = 30;
const LONGEST_STEP = 60;

/** What the first relay says, in turn: exim's, qmail's and postfix's own words. */
const REFUSALS = [
  { code: 550, text: 'relay not permitted' },
  { code: 553, text: "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)" },
  { code: 550, text: '5.1.8 <ftm-watch@example.test>: Sender address rejected: Domain not found' },
  { code: 554, text: '5.7.1 Service unavailable; Client host [5.1.1.23] blocked' },
] as const;

/** Rounds in which faults come, go and change. */
function flippingRounds(): string {
  return Array.from({ length: 60 }, () =>
    'bmg'.charAt(Math.floor(3 * Math.random())).repeat(2 + Math.floor(3 * Math.random())),
  ).join('');
}

/** What it was delivering when it was killed; null: it was killed at another time, or not at all. */
type Interrupted = string | null;

/** Lives until it is killed at a random moment of a random step, or to the end of the rounds. */
async function live(folder: string, ports: string, rounds: string, isKilled: boolean): Promise<Interrupted> {
  const child = spawn(execPath, [CHILD, folder, ports, rounds], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  if (isKilled) {
    const steps = 1 + Math.floor(LONGEST_LIFE * Math.random());
    while (output.split('\n').length <= steps) await once(child.stdout, 'data');
    await setTimeout(LONGEST_STEP * Math.random());
    child.kill('SIGKILL');
  }
  await ended;
  if (!isKilled && child.exitCode !== 0) throw new Error(`The last life ended with ${String(child.exitCode)}`);
  return interruptedDelivery(output.trim().split('\n'));
}

/** The delivery that began and whose outcome was not written. */
function interruptedDelivery(lines: readonly string[]): Interrupted {
  const last = lines.findLastIndex((line) => line.startsWith('delivers '));
  if (last < 0 || lines.slice(last).includes('after update')) return null;
  return lines[last]?.slice('delivers '.length) ?? null;
}

function messageIds(sink: SmtpSink): readonly string[] {
  return sink.mails.map(({ headers }) => headers.get('message-id') ?? '');
}

/** Every notification that was written, in order. */
function toldInStore(folder: string): readonly { readonly id: string; readonly status: string }[] {
  const store = createStore(
    { path: join(folder, 'history.sqlite'), retention: 86_400_000 },
    { clock: systemClock, logger: logRecorder() },
  );
  const told = store
    .deliveries(10_000)
    .map(({ notification, delivery }) => ({ id: notification.id, status: delivery.status }));
  store.close();
  return told;
}

it(
  `loses nothing in ${String(KILLS)} kills at random moments while faults flip and the first relay refuses`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-kills-'));
    let asked = 0;
    await using first = await smtpSink({ recipient: () => REFUSALS[asked++ % REFUSALS.length] ?? null });
    await using second = await smtpSink();
    const ports = `${String(first.port)},${String(second.port)}`;
    const interrupted: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const delivery = await live(folder, ports, flippingRounds(), true);
      if (delivery !== null) interrupted.push(delivery);
    }
    expect(await live(folder, ports, 'gggg', false)).toBeNull();

    const told = toldInStore(folder);
    const ids = messageIds(second);
    const nameOf = (id: string): string => `<ftm-watch.${id}@example.test>`;
    expect(told.length).toBeGreaterThan(KILLS / 2);
    expect(told.filter(({ status }) => status !== 'sent')).toEqual([]);
    expect(told.map(({ id }) => nameOf(id)).filter((name) => !ids.includes(name))).toEqual([]);
    // Sent twice only what was being delivered at a kill, once more for each such kill, and under the same name.
    for (const { id } of told) {
      const repeats = ids.filter((name) => name === nameOf(id)).length - 1;
      expect({ id, tooMany: repeats > interrupted.filter((other) => other === id).length }).toEqual({
        id,
        tooMany: false,
      });
    }
    expect(new Set(ids).size).toBe(told.length);
    expect(first.mails).toEqual([]);
    const repeated = ids.length - new Set(ids).size;
    console.log(
      `${String(KILLS)} kills, ${String(interrupted.length)} during a delivery: ${String(told.length)} ` +
        `notifications, 0 lost, ${String(repeated)} repeated; the first relay refused ` +
        `${String(first.asked.length)} times`,
    );
    rmSync(folder, { recursive: true });
  },
  60_000 + KILLS * 10_000,
);
