import { once } from 'node:events';
import { connect } from 'node:net';
import { systemClock } from '../../system/clock.ts';
import { pollLicenseServer } from './activation-client.ts';
import type { PollingOutcome, PollingRoute } from './activation-client.ts';

/** FortiAuthenticator's log, sent as syslog over TCP. A single datagram would only be a suspicion. */
export interface ApplianceLog {
  /** Sets the port for further lines. Nothing is sent before. */
  sendTo(port: number): void;
  /** Sends one event. @param message text after the fields, which an unknown sender can choose */
  say(message: string): Promise<void>;
  /**
   * Connects to the licence server for the tokens and logs an error if that fails. Resolves with the logged line, or
   * null.
   */
  poll(): Promise<string | null>;
}

/** FortiAuthenticator's error texts, as Fortinet's knowledge base quotes them (ta-p/194050). */
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

/** Sends one line of syslog over a separate connection (RFC 6587 §3.4.2). */
export async function sendOverTcp(port: number, line: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${line}\n`);
  await once(socket, 'finish');
  // Everything has been sent. The daemon may exit before this connection has closed.
  socket.on('error', () => undefined);
  socket.unref();
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

function event(message: string): string {
  const now = new Date(systemClock.now());
  const day = String(now.getUTCDate()).padStart(2, ' ');
  const stamp = `${MONTHS[now.getUTCMonth()] ?? ''} ${day} ${now.toISOString().slice(11, 19)}`;
  return (
    `<11>${stamp} db[16987]:  category="Event" subcategory="System" typeid=0 level="error" user="" nas="" ` +
    `action="" status="" ${message}`
  );
}
