import { randomBytes } from 'node:crypto';

/** Ten characters. Among a thousand sites, two have the same by chance in one of two million cases. */
export function randomName(): string {
  return randomBytes(5).toString('hex');
}
