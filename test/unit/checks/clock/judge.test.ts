import { describe, expect, test } from 'vitest';
import type { ClockObservation, HttpOutcome } from '../../../../src/core/observation.ts';
import { correctedNow, observeDateHeader } from '../../../../src/checks/clock/judge.ts';
import { judgeClock } from '../../../support/checks/judged-clock.ts';

const MAX = 60_000;
const NOW = Date.parse('2026-11-24T12:00:00Z');

function ntp(offsetMs: number, source = 'ntp.example.test:123'): ClockObservation {
  return { source, protocol: 'ntp', outcome: { kind: 'offset', offsetMs, precisionMs: 5 } };
}

function header(offsetMs: number, source: string): ClockObservation {
  return { source, protocol: 'http', outcome: { kind: 'offset', offsetMs, precisionMs: 550 } };
}

function silent(protocol: ClockObservation['protocol']): ClockObservation {
  return {
    source: 'x:1',
    protocol,
    outcome: { kind: 'failed', reason: 'timeout', message: 'No answer', durationMs: 3000 },
  };
}

/** Returns the findings and the time correction. */
function verdict(observations: readonly ClockObservation[]): string {
  const findings = judgeClock(observations).map(({ level, suggests }) => `${level} ${suggests ?? '-'}`);
  return `${findings.join(' ') || 'fine'}, ${String(correctedNow(NOW, observations) - NOW)}`;
}

const SKEWED = 'warning clock-skewed, 3600000';

describe('judgeClock and correctedNow', () => {
  test.each<[string, readonly ClockObservation[], string]>([
    ['one NTP server that agrees', [ntp(3)], 'fine, 0'],
    ['one NTP server a second off', [ntp(1000)], 'fine, 1000'],
    ['one NTP server an hour ahead', [ntp(3_600_000)], 'warning clock-skewed, 3600000'],
    ['one NTP server an hour behind', [ntp(-3_600_000)], 'warning clock-skewed, -3600000'],
    ['one header that agrees', [header(300, 'a:443')], 'fine, 0'],
    ['one header an hour off', [header(3_600_000, 'a:443')], 'note -, 0'],
    ['the same host twice', [header(3_600_000, 'a:443'), header(3_600_000, 'a:443')], 'note -, 0'],
    [
      'two headers an hour off',
      [header(3_600_000, 'a:443'), header(3_600_900, 'b:443')],
      'warning clock-skewed, 3600000',
    ],
    ['two headers that contradict each other', [header(3_600_000, 'a:443'), header(0, 'b:443')], 'fine, 0'],
    ['two liars that agree in nothing', [header(3_600_000, 'a:443'), header(7_200_000, 'b:443')], 'note -, 0'],
    ['one liar of three', [header(3_600_000, 'a:443'), header(100, 'b:443'), header(-200, 'c:443')], 'fine, 0'],
    [
      'one honest of three',
      [header(3_600_000, 'a:443'), header(3_600_100, 'b:443'), header(0, 'c:443')],
      'warning clock-skewed, 3600000',
    ],
    ['a wrong NTP server against a header', [ntp(3_600_000), header(0, 'a:443')], 'fine, 0'],
    ['within the precision of the header', [header(60_500, 'a:443'), header(60_500, 'b:443')], 'fine, 60500'],
    ['exactly as far off as is allowed', [ntp(MAX + 5)], `fine, ${String(MAX + 5)}`],
    ['a header and an NTP server an hour off', [ntp(3_600_000), header(3_600_000, 'a:443')], SKEWED],
    ['an NTP server and the same host by its header', [ntp(3_600_000, 'a:443'), header(3_600_000, 'a:443')], SKEWED],
    [
      'two headers as far apart as they are precise, and the allowance',
      [header(3_600_000, 'a:443'), header(3_603_100, 'b:443')],
      SKEWED,
    ],
    ['two headers further apart', [header(3_600_000, 'a:443'), header(3_603_101, 'b:443')], 'note -, 0'],
    ['two that are off in both directions', [ntp(-3_600_000), ntp(3_600_000, 'b:123')], SKEWED],
    ['nothing asked', [], 'note -, 0'],
    ['no header to be had', [silent('http')], 'note -, 0'],
    ['an NTP server that is silent', [silent('ntp')], 'unknown -, 0'],
    ['a silent NTP server and a header', [silent('ntp'), header(0, 'a:443')], 'fine, 0'],
  ])('%s', (_, observations, expected) => {
    expect(verdict(observations)).toBe(expected);
  });

  test('quotes at most three sources', () => {
    const [finding] = judgeClock(Array.from({ length: 4 }, () => silent('http')));
    expect(finding).toMatchObject({
      subject: 'the clock of ftm-watch',
      quote: expect.stringMatching(/^(?:[^;]+(?:; |$)){3}$/u),
    });
  });
});

describe('observeDateHeader', () => {
  type HttpResponse = Extract<HttpOutcome, { kind: 'response' }>;
  function response(date: number | null, receivedAt: number, durationMs = 100): HttpResponse {
    return {
      kind: 'response',
      status: 200,
      date,
      receivedAt,
      server: null,
      proxyTraces: [],
      blockPage: null,
      durationMs,
    };
  }

  test('assumes the middle of the second and of the round trip', () => {
    expect(observeDateHeader('a:443', response(NOW, NOW + 550))).toEqual({
      source: 'a:443',
      protocol: 'http',
      outcome: { kind: 'offset', offsetMs: 0, precisionMs: 550 },
    });
    expect(observeDateHeader('a:443', response(NOW + 3_600_000, NOW + 550)).outcome).toMatchObject({
      offsetMs: 3_600_000,
    });
  });

  test('fails where there is no header', () => {
    const page = { kind: 'portal', product: null, quote: '' } as const;
    expect(observeDateHeader('a:443', { ...response(NOW, NOW), blockPage: page }).outcome.kind).toBe('failed');
    expect(observeDateHeader('a:443', response(null, NOW)).outcome).toMatchObject({
      kind: 'failed',
      reason: 'protocol',
    });
    expect(observeDateHeader('a:443', { kind: 'client-certificate-demanded', durationMs: 1 }).outcome).toMatchObject({
      reason: 'rejected',
    });
    const failure = { kind: 'failed', reason: 'timeout', message: 'x', durationMs: 1 } as const;
    expect(observeDateHeader('a:443', failure).outcome).toBe(failure);
  });
});
