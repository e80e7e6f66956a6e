import { expect, it } from 'vitest';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, timeline } from '../../support/store/incident-timeline.ts';
import { startNtfy } from '../../support/notify/ntfy-server.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { channelsOf, deliverTo } from '../../support/notify/channel-bench.ts';

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
      ['REMINDER', 5, ['rotating_light']],
      ['RESOLVED', 3, ['white_check_mark']],
    ]);
    const [first] = messages;
    expect(first).toMatchObject({
      click: expect.stringMatching(/^https:\/\/monitor\.example\.org\/incidents\/2/u) as string,
      actions: [{ action: 'view', label: 'Runbook', url: 'https://monitor.example.org/runbooks/tls-intercepted' }],
    });
    expect(first?.message).toMatch(/^€+…\n\nDo this\.$/u);
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
