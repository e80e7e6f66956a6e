import type { Millis } from './clock.ts';

/**
 * A span for people, in the largest unit that leaves at least two of it: `12 ms`, `3.5 s`, `90 s`, `15 min`, `27 h`.
 */
export function spanText(span: Millis): string {
  if (span < 999.5) return `${String(Math.round(span))} ms`;
  const [unit, size] = UNITS.find(([letter, millis]) => letter === 's' || span >= 2 * millis) ?? ['s', 1000];
  return `${String(Math.round((span / size) * 10) / 10)} ${unit === 'm' ? 'min' : unit}`;
}

/** A span for people in its two largest units: `45 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function preciseSpanText(span: Millis): string {
  const seconds = Math.max(0, Math.round(span / 1_000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${String(count)} ${unit}`)
    .join(' ');
}

/** How a duration is written: a whole number and a unit. */
export const DURATION_PATTERN: RegExp = /^[1-9]\d{0,8}[smhd]$/u;

const UNITS: readonly (readonly [unit: string, millis: Millis])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** `90s`, `15m`, `4h`, `7d`; null for anything else, zero included. */
export function parseDuration(text: string): Millis | null {
  if (!DURATION_PATTERN.test(text)) return null;
  const unit = UNITS.find(([letter]) => text.endsWith(letter));
  return unit === undefined ? null : Number(text.slice(0, -1)) * unit[1];
}

/** The shortest text that `parseDuration` reads back as the same whole seconds. */
export function formatDuration(duration: Millis): string {
  const unit = UNITS.find(([, millis]) => duration >= millis && duration % millis === 0);
  return unit === undefined
    ? `${String(Math.max(1, Math.round(duration / 1000)))}s`
    : `${String(duration / unit[1])}${unit[0]}`;
}
