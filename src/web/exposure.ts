import type { WebConfig } from '../config/schema/web.ts';
import { hasCredentials } from './identify.ts';
import { isLoopback } from './loopback.ts';

/**
 * What strangers may read or do, a sentence each; nothing if the configuration says that it is meant. Said by
 * `config check`, at the start and on the page; never a reason not to start.
 */
export function exposureNotes(web: WebConfig): readonly string[] {
  return [
    ...networkNotes(web),
    // Not silenced by the key itself: a proxy that is added later opens it to more than this machine.
    ...(web.localReload
      ? [
          'Every program on this machine, and everybody who reaches a reverse proxy on it, can reload the ' +
            'configuration: remove "web.localReload" and use "ftm-watch reload".',
        ]
      : []),
  ];
}

function networkNotes(web: WebConfig): readonly string[] {
  if (isLoopback(web.listen.address)) return [];
  if (!hasCredentials(web))
    return web.anonymous !== null
      ? []
      : [
          'Everybody who reaches the status page may read it: set web.users, or "web.anonymous: read" where that is ' +
            'meant.',
        ];
  return web.tls !== null || web.plaintext
    ? []
    : [
        'Passwords and tokens for the status page travel in clear: set web.tls, or "web.plaintext: true" where ' +
          'something else encrypts on the way.',
      ];
}
