import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { servesAt, startProgram, type StartedProgram } from '../process/start-program.ts';

/** A message as received by a subscriber of a topic: https://docs.ntfy.sh/subscribe/api/#json-message-format. */
export interface NtfyDelivery {
  readonly title?: string;
  readonly message: string;
  readonly priority?: number;
  readonly tags?: readonly string[];
  readonly click?: string;
  readonly actions?: readonly { readonly action: string; readonly label: string; readonly url: string }[];
  readonly attachment?: object;
}

/** Debian's ntfy on loopback. */
export interface NtfyServer extends StartedProgram {
  readonly url: string;
  /** Returns the messages that subscribers of a topic have received. */
  messages(topic: string): Promise<readonly NtfyDelivery[]>;
}

/** `burst` requests are accepted immediately, then one every `replenish`. */
export async function startNtfy({
  burst,
  replenish,
}: {
  readonly burst: number;
  readonly replenish: string;
}): Promise<NtfyServer> {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const program = await startProgram((folder) => ({
    command: ['ntfy', 'serve', '--config', join(folder, 'server.yml')],
    config: {
      'server.yml': JSON.stringify({
        'base-url': url,
        'listen-http': new URL(url).host,
        'cache-file': join(folder, 'cache.db'),
        'visitor-request-limit-burst': burst,
        'visitor-request-limit-replenish': replenish,
      }),
    },
    readyWhen: servesAt(`${url}/v1/health`),
  }));
  return {
    ...program,
    url,
    async messages(topic) {
      const text = await (await fetch(`${url}/${topic}/json?poll=1&since=all`)).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith('{"id"'))
        .map((line) => JSON.parse(line) as NtfyDelivery);
    },
  };
}
