import { createHook } from 'node:async_hooks';
import { setTimeout as setRealTimeout } from 'node:timers';

/** Turns of the event loop without anything new, after which nothing moves any more. */
const QUIET_TURNS = 2;
/**
 * Turns without anything new, after which the thread pool is waited for asleep: awake, this thread takes the time that
 * it needs.
 */
const AWAKE_TURNS = 400;

/** Tells, from what the event loop itself counts, whether anything moves in this process. */
export class Stillness {
  /** Events that the loop has handled so far. */
  events(): number {
    return performance.nodeTiming.uvMetricsInfo.events;
  }

  /** Resolves when nothing can move any more before time goes on or a peer says something. */
  async reached(): Promise<void> {
    let seen = this.events();
    for (let quiet = 0, idle = 0; quiet < QUIET_TURNS; ) {
      await (idle < AWAKE_TURNS ? turn() : nap());
      const now = this.events();
      idle = now === seen ? idle + 1 : 0;
      quiet = now === seen && !isWorking() ? quiet + 1 : 0;
      seen = now;
    }
  }
}

/** Sockets that may still bring something, without the listeners. */
export function openSockets(): { readonly tcp: number; readonly udp: number } {
  const active = process.getActiveResourcesInfo();
  const count = (names: readonly string[]): number => active.filter((name) => names.includes(name)).length;
  return { tcp: count(['TCPSocketWrap', 'TCPConnectWrap', 'TLSWrap']), udp: count(['UDPWrap']) };
}

/** Files that are being read: since Node 26 `readFile` of node:fs/promises is one job, which is not listed. */
const reading = new Set<number>();
createHook({
  init: (id, type) => {
    if (type === 'FSREQCALLBACK') reading.add(id);
  },
  before: (id) => reading.delete(id),
  destroy: (id) => reading.delete(id),
}).enable();

/** Something in the thread pool: files, keys. */
function isWorking(): boolean {
  if (reading.size > 0) return true;
  return process.getActiveResourcesInfo().some((name) => /Req|Job$|^RandomBytes|^Zlib/u.test(name));
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function nap(): Promise<void> {
  return new Promise((resolve) => {
    setRealTimeout(resolve, 1);
  });
}
