import { createHash } from 'node:crypto';

/** What a service takes as one fault, whichever agent of a site tells it: 64 characters. */
export function faultKey(site: string, cause: string, subject: string): string {
  return createHash('sha256')
    .update(JSON.stringify([site, cause, subject]))
    .digest('hex');
}
