import { createHook } from 'node:async_hooks';
import { setTimeout as setRealTimeout } from 'node:timers';

/** Number of idle turns of the event loop after which the process counts as idle. */
const QUIET_TURNS = 2;
/**
 * Number of idle turns after which it sleeps while waiting for the thread pool. Spinning would take CPU time from the
 * pool.
 */
const AWAKE_TURNS = 400;

/** Detects from the event loop's own counters whether anything is active in this process. */
export class Stillness {
  /** Number of events that the loop has handled so far. */
  events(): number {
    return performance.nodeTiming.uvMetricsInfo.events;
  }

  /** Resolves when nothing can happen before time advances or a peer sends something. */
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

/** Sockets that may still receive data, without listeners. */
export function openSockets(): { readonly tcp: number; readonly udp: number } {
  const active = process.getActiveResourcesInfo();
  const count = (names: readonly string[]): number => active.filter((name) => names.includes(name)).length;
  return { tcp: count(['TCPSocketWrap', 'TCPConnectWrap', 'TLSWrap']), udp: count(['UDPWrap']) };
}

/** Files that are being read. Since Node 26, `readFile` of node:fs/promises is a single job, which is not listed. */
const reading = new Set<number>();
createHook({
  init: (id, type) => {
    if (type === 'FSREQCALLBACK') reading.add(id);
  },
  before: (id) => reading.delete(id),
  destroy: (id) => reading.delete(id),
}).enable();

/** Reports whether the thread pool is working, for example on files or keys. */
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
