import { createHash } from 'node:crypto';

/**
 * A name for an element of the page, made of what it is about and never of its place: static/live.js finds it again by
 * this name after each round, and what a person has unfolded or stands on must not pass to something else.
 */
export function identityOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
