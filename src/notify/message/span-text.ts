import type { Millis } from '../../core/clock.ts';

/** The two largest units: `45 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function spanText(span: Millis): string {
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
