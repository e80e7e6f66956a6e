import { once } from 'node:events';
import { connect } from 'node:net';
import { pollLicenseServer } from './activation-client.ts';
import type { PollingOutcome, PollingRoute } from './activation-client.ts';

/** FortiAuthenticator's log, sent as syslog over TCP: a single datagram would only be a suspicion. */
export interface ApplianceLog {
  /** Where to from now on; nothing is sent before. */
  sendTo(port: number): void;
  /** Sends one event. @param message what stands behind the fields, as a stranger may have chosen it */
  say(message: string): Promise<void>;
  /** Asks the licence server for the tokens, and complains when that fails: resolves with what was logged, or null. */
  poll(): Promise<string | null>;
}

/** In the words of FortiAuthenticator, as Fortinet's knowledge base quotes them (ta-p/194050). */
const COMPLAINTS: Readonly<Record<Exclude<PollingOutcome, 'answered'>, string>> = {
  name: 'FTM polling error: connection timeout',
  timeout: 'FTM polling error: connection timeout',
  connection: 'FTM polling error: connection timeout',
  tls: 'FTM polling error: problem with SSL comm layer',
};

export function createApplianceLog(route: PollingRoute): ApplianceLog {
  let port: number | null = null;

  async function say(message: string): Promise<void> {
    if (port !== null) await sendOverTcp(port, event(message));
  }

  return {
    sendTo: (next) => {
      port = next;
    },
    say,
    poll: async () => {
      const outcome = await pollLicenseServer(route);
      if (outcome === 'answered') return null;
      await say(COMPLAINTS[outcome]);
      return COMPLAINTS[outcome];
    },
  };
}

/** One line of syslog, over a connection of its own (RFC 6587 §3.4.2). */
export async function sendOverTcp(port: number, line: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${line}\n`);
  await once(socket, 'finish');
  // Everything is sent: the daemon may end before this connection has.
  socket.on('error', () => undefined);
  socket.unref();
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

function event(message: string): string {
  const now = new Date();
  const day = String(now.getUTCDate()).padStart(2, ' ');
  const stamp = `${MONTHS[now.getUTCMonth()] ?? ''} ${day} ${now.toISOString().slice(11, 19)}`;
  return (
    `<11>${stamp} db[16987]:  category="Event" subcategory="System" typeid=0 level="error" user="" nas="" ` +
    `action="" status="" ${message}`
  );
}
