import { createServer, type ServerResponse } from 'node:http';
import { beforeAll, expect, it } from 'vitest';
import { createHeartbeat } from '../../../src/notify/heartbeat.ts';
import { DIRECT } from '../../support/checks/message-context.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { logRecorder, type LogRecorder } from '../../support/process/log-recorder.ts';
import { MINUTE, START } from '../../support/store/incident-timeline.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';

// Otherwise the first beat would load undici. The tests below wait only for the beat itself.
beforeAll(async () => {
  await import('undici');
});

interface Site extends AsyncDisposable {
  readonly clock: HandClock;
  readonly logger: LogRecorder;
  alive: boolean;
  /** Waits until this many beats have been answered. Then only the next one is pending. */
  beaten(count: number): Promise<void>;
}

async function site(answer: (response: ServerResponse) => unknown): Promise<Site> {
  let beats = 0;
  const peer = await listening(
    createServer((_, response) => {
      beats += 1;
      answer(response);
    }),
  );
  const [clock, logger] = [handClock(START), logRecorder()];
  const url = `http://127.0.0.1:${String(peer.port)}/secret-path`;
  const heartbeat = createHeartbeat(
    { url: { kind: 'file', path: 'url' }, every: MINUTE },
    { clock, logger, isAlive: () => started.alive, ...DIRECT, readSecret: () => Promise.resolve(url) },
  );
  const started: Site = {
    clock,
    logger,
    alive: true,
    beaten: (count) => expect.poll(() => [beats, clock.timers()]).toEqual([count, 1]),
    [Symbol.asyncDispose]: async () => {
      heartbeat.stop();
      expect(clock.timers()).toBe(0);
      expect(JSON.stringify(logger.lines)).not.toContain('secret');
      await peer[Symbol.asyncDispose]();
    },
  };
  heartbeat.start();
  return started;
}

it('createHeartbeat fetches on schedule while rounds run, and warns once when it cannot', async () => {
  let status = 200;
  await using hq = await site((response) => response.writeHead(status).end('ok'));
  await hq.beaten(1);
  hq.clock.advance(MINUTE);
  await hq.beaten(2);
  hq.alive = false;
  hq.clock.advance(10 * MINUTE);
  hq.alive = true;
  status = 500;
  for (const count of [3, 4]) {
    hq.clock.advance(MINUTE);
    await hq.beaten(count);
    expect(hq.logger.lines).toHaveLength(1);
  }
  status = 200;
  hq.clock.advance(MINUTE);
  await expect.poll(() => hq.logger.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
});

it('createHeartbeat takes no redirect for a delivery', async () => {
  await using hq = await site((response) => response.writeHead(302, { Location: '/secret-login' }).end());
  await hq.beaten(1);
  expect(hq.logger.lines).toMatchObject([{ level: 'warn', fields: { error: expect.stringContaining('HTTP 302') } }]);
});
