import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { diagnosisToJson } from '../../../src/engine/diagnosis-json.ts';
import { EventStream, eventId, MAX_LISTENERS } from '../../../src/web/event-stream.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { dial, type RawClient, startWeb, type WebBench } from '../../support/web/web-bench.ts';

function listen(web: WebBench, from = '127.0.0.1'): Promise<RawClient> {
  return dial(web.port, 'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n', from);
}

function eventOf(diagnosis: Parameters<typeof diagnosisToJson>[0]): string {
  const data = diagnosisToJson(diagnosis);
  return `event: diagnosis\nid: ${eventId(data)}\ndata: ${JSON.stringify(data)}\n\n`;
}

describe('GET /api/v1/events', () => {
  test('tells the latest diagnosis at once, and each one that follows', async () => {
    const first = diagnosisOf(START, []);
    const second = diagnosisOf(START + 30_000, [
      causeOf('tls-blocked', { summary: 'two\nlines\r\n\r\nevent: forged' }),
    ]);
    await using web = await startWeb({ state: { diagnosis: first } });
    using client = await listen(web);
    expect(await client.until(eventOf(first))).toMatch(/HTTP\/1.1 200 OK\r\nContent-Type: text\/event-stream\r\n/u);
    web.state.publish(second);
    expect(await client.until(eventOf(second))).not.toMatch(/^event: forged/mu);
  });

  test('waits for the first round', async () => {
    await using web = await startWeb();
    using client = await listen(web);
    await client.until('retry: 3000\n\n');
    expect(client.received).not.toContain('event:');
    web.state.publish(diagnosisOf(START, []));
    await client.until(eventOf(diagnosisOf(START, [])));
  });

  test('says every quarter of a minute that it is still there, and nothing once nobody listens', async () => {
    const clock = handClock(START);
    await using web = await startWeb({ clock });
    const client = await listen(web);
    await client.until('retry');
    clock.advance(15_000 - 1);
    expect(client.received).not.toContain(': still here');
    clock.advance(1);
    await client.until(': still here\n\n');
    client.socket.destroy();
    await expect.poll(() => clock.timers()).toBe(0);
  });

  test(`takes ${String(MAX_LISTENERS)} listeners, and the next when one has left`, async () => {
    await using web = await startWeb();
    const clients = await Promise.all(Array.from({ length: MAX_LISTENERS }, () => listen(web)));
    await Promise.all(clients.map((client) => client.until('retry')));

    using oneTooMany = await listen(web);
    expect(await oneTooMany.until('The maximum is 64')).toContain('HTTP/1.1 503');

    const [leaver] = clients;
    leaver?.socket.destroy();
    await expect
      .poll(async () => {
        using next = await listen(web);
        return (await next.until('\r\n\r\n')).includes('200 OK');
      })
      .toBe(true);
    for (const client of clients) client.socket.destroy();
  });

  test('is not shut to others by one client that takes every place', async () => {
    await using web = await startWeb();
    const clients = await Promise.all(Array.from({ length: MAX_LISTENERS }, () => listen(web)));
    await Promise.all(clients.map((client) => client.until('retry')));
    using other = await listen(web, '127.0.0.9');
    expect(await other.until('retry')).toContain('200 OK');
    await clients[0]?.closed;
    using greedy = await listen(web);
    expect(await greedy.until('The maximum is 64')).toContain('HTTP/1.1 503');
    for (const client of clients) client.socket.destroy();
  });

  test('counts the addresses of one network of IPv6 as one client', () => {
    const clock = handClock(START);
    const stream = new EventStream(clock);
    const join = (address: string): boolean =>
      stream.join(new ServerResponse(new IncomingMessage(new Socket())), null, {
        name: null,
        role: 'read',
        address,
        isStillKnown: () => Promise.resolve(true),
      });
    for (let index = 0; index < MAX_LISTENERS; index += 1) expect(join(`2001:db8::${index.toString(16)}`)).toBe(true);
    expect([join('2001:db8::ffff'), join('192.0.2.1')]).toEqual([false, true]);
    stream.close();
  });

  test('lets go of a listener that does not read, and serves the others', async () => {
    await using web = await startWeb();
    using sleeper = await listen(web);
    using reader = await listen(web);
    await Promise.all([sleeper.until('retry'), reader.until('retry')]);
    sleeper.socket.pause();

    // The kernel buffers several megabytes before the server has to.
    for (let round = 1; round <= 120; round += 1) {
      const large = diagnosisOf(START + round, [causeOf('tls-blocked', { evidence: ['x'.repeat(100_000)] })]);
      web.state.publish(large);
      await reader.until(`"at":"${diagnosisToJson(large).at}"`);
    }

    sleeper.socket.resume();
    await sleeper.closed;
    const last = diagnosisOf(START + 1_000, []);
    web.state.publish(last);
    expect(await reader.until(eventOf(last))).toContain('200 OK');
    expect(sleeper.received).not.toContain(eventOf(last));
  });

  test('stays open while hundreds of connections send half a request', async () => {
    await using web = await startWeb();
    using reader = await listen(web);
    await vi.waitFor(() => expect(reader.received).toContain('retry:'));
    const half = await Promise.all(
      Array.from({ length: 300 }, () => dial(web.port, 'GET / HTTP/1.1\r\nHost: localhost\r\n')),
    );
    web.state.publish(diagnosisOf(START, []));
    await vi.waitFor(() => expect(reader.received).toContain('event: diagnosis'));
    for (const client of half) client.socket.destroy();
  });

  test('ends with the server, at once', async () => {
    const clock = handClock(START);
    const web = await startWeb({ clock });
    using client = await listen(web);
    await client.until('retry');
    await web.server.stop();
    await client.closed;
    expect(web.state.listeners.size).toBe(0);
    expect(clock.timers()).toBe(0);
  });
});
