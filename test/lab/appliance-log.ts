import { createSocket } from 'node:dgram';
import { pollLicenseServer } from './activation-client.ts';
import type { PollingOutcome, PollingRoute } from './activation-client.ts';

/** FortiAuthenticator's log, sent as syslog over UDP. */
export interface ApplianceLog extends AsyncDisposable {
  /** Where to from now on; nothing is sent before. */
  sendTo(port: number): void;
  /** Sends one event. @param message what stands behind the fields, as a stranger may have chosen it */
  say(message: string): Promise<void>;
  /** Asks the licence server for the tokens, and complains when that fails. */
  poll(): Promise<PollingOutcome>;
}

/** In the words of FortiAuthenticator, as Fortinet's knowledge base quotes them (ta-p/194050). */
const COMPLAINTS: Readonly<Record<Exclude<PollingOutcome, 'answered'>, string>> = {
  name: 'FTM polling error: connection timeout',
  timeout: 'FTM polling error: connection timeout',
  connection: 'FTM polling error: connection timeout',
  tls: 'FTM polling error: problem with SSL comm layer',
};

export function createApplianceLog(route: PollingRoute): ApplianceLog {
  const socket = createSocket('udp4');
  socket.unref();
  let port: number | null = null;

  async function say(message: string): Promise<void> {
    const target = port;
    if (target === null) return;
    await new Promise<void>((resolve, reject) => {
      socket.send(event(message), target, '127.0.0.1', (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  return {
    sendTo: (next) => {
      port = next;
    },
    say,
    poll: async () => {
      const outcome = await pollLicenseServer(route);
      if (outcome !== 'answered') await say(COMPLAINTS[outcome]);
      return outcome;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        socket.close(resolve);
      }),
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

function event(message: string): string {
  const now = new Date();
  const day = String(now.getUTCDate()).padStart(2, ' ');
  const stamp = `${MONTHS[now.getUTCMonth()] ?? ''} ${day} ${now.toISOString().slice(11, 19)}`;
  return `<11>${stamp} db[16987]:  category="Event" subcategory="System" typeid=0 level="error" user="" nas="" action="" status="" ${message}`;
}
