import type { Millis } from '../../core/clock.ts';

/** The phases of a connection to the licence server, as people read them. */
export const PHASES: Readonly<Record<string, string>> = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'Answer' };

/** Never 100 % while anything was missing. */
export function shareText(percent: number): string {
  return `${(percent === 100 ? 100 : Math.floor(percent * 100) / 100).toString()} %`;
}

export function msText(ms: Millis): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}
