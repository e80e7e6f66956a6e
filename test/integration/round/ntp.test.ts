import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { ClockObservation } from '../../../src/core/observation.ts';
import type { ProbeContext } from '../../../src/network/context.ts';
import { observeNtp } from '../../../src/network/ntp/sntp.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { createNtpServer } from '../../support/network/ntp-server.ts';
import { probeContext } from '../../support/checks/probe-context.ts';

const HOUR = 3_600_000;

const system = createSystemLookup(async (name) =>
  name === 'ntp.example.test'
    ? Promise.resolve([{ address: '127.0.0.1', family: 4 }])
    : Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
);

function look(port: number, ctx: Partial<ProbeContext> = {}, host = '127.0.0.1'): Promise<ClockObservation> {
  return observeNtp({ host, port }, system, probeContext(ctx));
}

/** For servers that do not respond. */
const idle = { clock: idleClock() };

describe('observeNtp', () => {
  test.each([0, HOUR, -HOUR])('measures an offset of %i ms', async (offset) => {
    await using server = await createNtpServer(offset);
    const { source, protocol, outcome } = await look(server.port);
    expect({ source, protocol }).toEqual({ source: `127.0.0.1:${String(server.port)}`, protocol: 'ntp' });
    expect(outcome).toMatchObject({
      kind: 'offset',
      offsetMs: expect.closeTo(offset, -2),
      precisionMs: expect.closeTo(0, -2),
    });
  });

  test('leaves out the time that the server took', async () => {
    await using server = await createNtpServer(0, (_request, usual) => [
      { ...usual, receiveAt: usual.receiveAt - 5000, transmitAt: usual.transmitAt + 5000 },
    ]);
    expect((await look(server.port)).outcome).toMatchObject({ offsetMs: expect.closeTo(0, -2), precisionMs: 0 });
  });

  test('tells the server nothing about our own time', async () => {
    await using server = await createNtpServer(0);
    await look(server.port);
    const [request] = server.requests;
    expect(request).toHaveLength(48);
    expect(request?.readUInt8(0)).toBe(0x23);
    expect(request?.subarray(1, 40).every((byte) => byte === 0)).toBe(true);
  });

  test('finds a server by name', async () => {
    await using server = await createNtpServer(0);
    expect((await look(server.port, {}, 'ntp.example.test')).outcome.kind).toBe('offset');
    expect((await look(server.port, {}, 'other.example.test')).outcome).toMatchObject({ reason: 'name-not-resolved' });
  });

  test('repeats a lost packet once, and takes the answer to either', async () => {
    let seen = 0;
    await using server = await createNtpServer(0, (_request, usual) => ((seen += 1) === 1 ? null : [usual]));
    expect((await look(server.port, idle)).outcome.kind).toBe('offset');
    expect(server.requests).toHaveLength(2);
    expect(server.requests[0]).not.toEqual(server.requests[1]);
  });

  test.each([
    ['kiss-o-death', { stratum: 0, referenceId: 'RATE' }, `The server sent a kiss-o'-death packet, "RATE"`],
    [
      'a hostile kiss-o-death',
      { stratum: 0, referenceId: '\u001B[2J' },
      `The server sent a kiss-o'-death packet, "??2J"`,
    ],
    ['stratum 16', { stratum: 16 }, 'The server is not synchronized'],
    ['leap 3', { leap: 3 }, 'The server is not synchronized'],
    ['no transmit time', { transmitAt: Number.NaN }, 'The reply contains no time'],
  ])('refuses %s', async (_, bent, message) => {
    await using server = await createNtpServer(0, (_request, usual) => [{ ...usual, ...bent }]);
    expect((await look(server.port)).outcome).toMatchObject({ kind: 'failed', reason: 'rejected', message });
  });

  test('believes the genuine answer among forged ones', async () => {
    await using server = await createNtpServer(0, (_request, usual) => [
      { ...usual, origin: Buffer.alloc(8), transmitAt: usual.transmitAt + HOUR },
      { ...usual, mode: 3 },
      Buffer.from('garbage'),
      Buffer.alloc(0),
      usual,
    ]);
    expect((await look(server.port)).outcome).toMatchObject({ kind: 'offset', offsetMs: expect.closeTo(0, -2) });
  });

  test('says that nothing but forged answers came', async () => {
    await using server = await createNtpServer(0, (_request, usual) => [{ ...usual, origin: Buffer.alloc(8) }]);
    expect((await look(server.port, idle)).outcome).toMatchObject({ kind: 'failed', reason: 'protocol' });
  });

  test('ends after the deadline', async () => {
    await using server = await createNtpServer(0, () => null);
    expect((await look(server.port, idle)).outcome).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
      message: 'No reply within 3000 ms',
    });
  });

  test('says at once that the port is refused', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    expect((await look(port)).outcome).toMatchObject({ kind: 'failed', reason: 'refused' });
  });

  // Listeners of network/udp-exchange.ts: addEventListener abort
  test('ends at once when the round is called off', async () => {
    const controller = new AbortController();
    await using server = await createNtpServer(0, () => {
      controller.abort(new Error('shutting down'));
      return null;
    });
    expect((await look(server.port, { signal: controller.signal })).outcome).toMatchObject({ reason: 'aborted' });
  });
});
