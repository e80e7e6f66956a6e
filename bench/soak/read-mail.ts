import type { Millis } from '../../src/core/clock.ts';
import type { SeenMail } from './judge.ts';

/** Reads a notification from the header of a mail. */
export function readMail(at: Millis, raw: string): SeenMail {
  const [head = ''] = raw.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/gu, ' ').split('\r\n');
  const header = (name: string): string =>
    lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2) ?? '';
  return {
    at,
    event: header('X-FTM-Watch-Event'),
    causes: header('X-FTM-Watch-Cause')
      .split(', ')
      .filter((cause) => cause !== ''),
    subject: header('Subject'),
    isIntermittent: raw.replaceAll('=\r\n', '').includes('It is intermittent'),
  };
}
