import { DIRECT } from '../../support/checks/message-context.ts';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, it } from 'vitest';
import { createHeartbeat } from '../../../src/notify/heartbeat.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { MINUTE, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

// Otherwise the first beat would load undici. The tests below wait only for the beat itself.
beforeAll(async () => {
  await import('undici');
});

it('createHeartbeat fetches on schedule while rounds run, and warns once when it cannot', async () => {
  let status = 200;
  let beats = 0;
  const server = createServer((_, response) => {
    beats += 1;
    response.writeHead(status).end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = handClock(START);
  const logger = logRecorder();
  let alive = true;
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/secret-path`;
  const heartbeat = createHeartbeat(
    { url: { kind: 'file', path: 'url' }, every: MINUTE },
    { clock, logger, isAlive: () => alive, ...DIRECT, readSecret: () => Promise.resolve(url) },
  );
  /** The response has arrived: only the next beat is pending, and there is no deadline that the clock could reach. */
  const arrived = () => expect.poll(() => clock.timers(), { timeout: 5_000 }).toBe(1);
  heartbeat.start();
  await expect.poll(() => beats).toBe(1);
  await arrived();
  clock.advance(MINUTE);
  await expect.poll(() => beats).toBe(2);
  await arrived();
  alive = false;
  clock.advance(10 * MINUTE);
  alive = true;
  status = 500;
  clock.advance(MINUTE);
  await expect.poll(() => beats).toBe(3);
  await arrived();
  expect(logger.lines).toHaveLength(1);
  clock.advance(MINUTE);
  await expect.poll(() => beats).toBe(4);
  status = 200;
  await arrived();
  clock.advance(MINUTE);
  await expect.poll(() => logger.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  expect(JSON.stringify(logger.lines)).not.toContain('secret-path');
  heartbeat.stop();
  expect(clock.timers()).toBe(0);
  server.closeAllConnections();
  server.close();
});

it('createHeartbeat takes no redirect for a delivery', async () => {
  let beats = 0;
  const server = createServer((_, response) => {
    beats += 1;
    response.writeHead(302, { Location: '/secret-login' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = handClock(START);
  const logger = logRecorder();
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/secret-path`;
  const heartbeat = createHeartbeat(
    { url: { kind: 'file', path: 'url' }, every: MINUTE },
    { clock, logger, isAlive: () => true, ...DIRECT, readSecret: () => Promise.resolve(url) },
  );
  heartbeat.start();
  await expect.poll(() => beats).toBe(1);
  await expect.poll(() => clock.timers()).toBe(1);
  expect(logger.lines).toMatchObject([
    {
      level: 'warn',
      fields: { error: 'HTTP 302. Redirects are not followed. Configure the URL that the redirect leads to' },
    },
  ]);
  expect(JSON.stringify(logger.lines)).not.toContain('secret');
  heartbeat.stop();
  server.closeAllConnections();
  server.close();
});
