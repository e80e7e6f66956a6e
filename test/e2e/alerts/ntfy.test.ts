import { join } from 'node:path';
import { expect, it } from 'vitest';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, timeline } from '../../support/store/incident-timeline.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { channelsOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { freePort } from '../../support/network/free-port.ts';
import { servesAt, startProgram, type StartedProgram } from '../../support/process/start-program.ts';

/** A message as received by a subscriber of a topic: https://docs.ntfy.sh/subscribe/api/#json-message-format. */
interface NtfyDelivery {
  readonly title?: string;
  readonly message: string;
  readonly priority?: number;
  readonly tags?: readonly string[];
  readonly click?: string;
  readonly actions?: readonly { readonly action: string; readonly label: string; readonly url: string }[];
  readonly attachment?: object;
}

/** Debian's ntfy on loopback. */
interface NtfyServer extends StartedProgram {
  readonly url: string;
  /** Returns the messages that subscribers of a topic have received. */
  messages(topic: string): Promise<readonly NtfyDelivery[]>;
}

/** `burst` requests are accepted immediately, then one every `replenish`. */
async function startNtfy({
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

const TOLD = timeline()
  .rounds(3, [causeOf('tls-intercepted', { product: 'Zürich "Gate"', summary: '€'.repeat(1_500) })])
  .wait(5 * HOUR)
  .rounds(2, [causeOf('tls-intercepted')])
  .rounds(5, []).told;

describeWhere([{ program: 'ntfy' }], 'a real ntfy', () => {
  it('hands on title, message, urgency and links', async () => {
    await using ntfy = await startNtfy({ burst: 100, replenish: '1s' });
    const [channel] = await channelsOf({ ntfy: [{ name: 'phones', url: `${ntfy.url}/ftm-watch_1` }] });
    if (channel === undefined) throw new Error('No channel was made');
    for (const notification of TOLD)
      expect(await deliverTo(channel, notification)).toMatchObject([{ kind: 'sent', recipient: 'phones' }]);

    const messages = await ntfy.messages('ftm-watch_1');
    expect(messages.map(({ title, priority, tags }) => [title?.split(' ')[0], priority, tags])).toEqual([
      ['CRITICAL', 5, ['rotating_light']],
      ['CRITICAL', 5, ['rotating_light']],
      ['RESOLVED', 3, ['white_check_mark']],
    ]);
    const [first] = messages;
    expect(first).toMatchObject({
      click: expect.stringMatching(/^https:\/\/monitor\.example\.org\/incidents\/2/u) as string,
      actions: [{ action: 'view', label: 'Runbook', url: 'https://monitor.example.org/runbooks/tls-intercepted' }],
    });
    expect(first?.message).toMatch(/^€+…\n\n.*\n\nDo this\.$/u);
    // A message that is too long becomes an attachment, which phones do not show directly.
    expect(messages.filter(({ attachment }) => attachment !== undefined)).toEqual([]);
  });

  it('gets everything once when it limits the rate', async () => {
    await using ntfy = await startNtfy({ burst: 1, replenish: '1s' });
    const [channel] = await channelsOf({ ntfy: [{ name: 'phones', url: `${ntfy.url}/topic` }] });
    if (channel === undefined) throw new Error('No channel was made');
    const outcomes: string[] = [];
    for (const notification of TOLD) {
      await expect
        .poll(
          async () => {
            const [outcome] = await deliverTo(channel, notification);
            outcomes.push(outcome?.detail.slice(0, 8) ?? '');
            return outcome?.kind;
          },
          { timeout: 20_000, interval: 300 },
        )
        .toBe('sent');
    }
    expect(outcomes).toContain('HTTP 429');
    // ntfy limits the rate of reads as well.
    const count = async (): Promise<number> => (await ntfy.messages('topic')).length;
    await expect.poll(count, { timeout: 20_000, interval: 2_000 }).toBe(TOLD.length);
  });
});
