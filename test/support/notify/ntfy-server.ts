import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { until } from '../time/until.ts';

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
export interface NtfyServer extends AsyncDisposable {
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
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-ntfy-'));
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const config = {
    'base-url': url,
    'listen-http': new URL(url).host,
    'cache-file': join(folder, 'cache.db'),
    'visitor-request-limit-burst': burst,
    'visitor-request-limit-replenish': replenish,
  };
  writeFileSync(join(folder, 'server.yml'), JSON.stringify(config));
  const child = spawn('ntfy', ['serve', '--config', join(folder, 'server.yml')], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/v1/health`).then(
      ({ ok }) => ok,
      () => child.exitCode !== null,
    );
  await until(isUp, (up) => up, 15_000);
  return {
    url,
    async messages(topic) {
      const text = await (await fetch(`${url}/${topic}/json?poll=1&since=all`)).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith('{"id"'))
        .map((line) => JSON.parse(line) as NtfyDelivery);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
