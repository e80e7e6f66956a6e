import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';

const LIMIT_MS = 20_000;

const watched = await createWatchedLab({ schedule: { probes: '*/2 * * * * *' } });
const { lab, daemon, told } = watched;
afterAll(() => watched[Symbol.asyncDispose]());

beforeAll(async () => {
  await daemon.diagnosis(({ ready, causes }) => ready === 'ready' && causes.length === 0);
});

const read = (path: string): Promise<string> => daemon.read(path);

async function badge(): Promise<unknown> {
  const { message } = JSON.parse(await read('badge.json')) as { readonly message: string };
  expect(await read('badge.svg')).toContain(`: ${message}</title>`);
  return message;
}

/** Returns the titles of the feed's entries, and the incidents that they link to. */
async function entries(): Promise<readonly (readonly [title: string, id: string])[]> {
  const feed = await read('incidents.atom');
  return [...feed.matchAll(/<title>([^<]*)<\/title>\n<published>[^]*?href="incidents\/([^"]*)"/gu)].map(
    ([, title = '', id = '']) => [title, id],
  );
}

/** Returns a column of the current month. */
async function month(column: string): Promise<string | undefined> {
  const [names = '', ...rows] = (await read('api/v1/availability.csv')).split('\r\n');
  const row = rows.find((line) => /^\d{4}-\d\d,/u.test(line)) ?? '';
  return row.split(',')[names.split(',').indexOf(column)];
}

function printed(id: string): Promise<Run> {
  return runHere(['report', '-c', lab.configFile, '--incident', id], { cwd: lab.folder });
}

describe('feed, badge, availability and Markdown', () => {
  test('tell the same story of an interception, from its begin to its end', async () => {
    expect(await badge()).toBe('ready');
    expect(await entries()).toEqual([]);
    await expect.poll(() => month('availabilityPercent'), { timeout: LIMIT_MS }).toBe('100');

    await lab.inspect(true);
    await told('firing', 'tls-intercepted');
    expect(await badge()).toBe('not ready');
    const [entry] = await entries();
    const [title = '', id = ''] = entry ?? [];
    expect(title).toMatch(/^Critical: /u);
    const firing = await read(`incidents/${id}.md`);
    expect(firing.startsWith(`# ${title.replace('Critical: ', '')}`)).toBe(true);
    expect(firing).toContain('`tls-intercepted` (critical');

    await lab.inspect(false);
    await told('resolved', 'tls-intercepted');
    expect(await badge()).toBe('ready');
    expect(await entries()).toEqual([[title.replace('Critical', 'Resolved'), id]]);
    const lasted = /^- Duration: about (\d+) s$/mu;
    await expect
      .poll(() => read(`incidents/${id}.md`), { timeout: LIMIT_MS })
      .toMatch(/: All-clear: sent by email to /u);
    const text = await read(`incidents/${id}.md`);
    expect(await printed(id)).toMatchObject({ exitCode: 0, stdout: text, stderr: '' });

    const down = async (): Promise<number> => Number(await month('notReadySeconds'));
    await expect.poll(down, { timeout: LIMIT_MS }).toBeGreaterThan(0);
    // The rounds are 2 s apart, and longer on a busy machine.
    expect(Math.abs((await down()) - Number(lasted.exec(text)?.[1]))).toBeLessThanOrEqual(5);
    expect(Number(await month('availabilityPercent'))).toBeLessThan(100);
  });

  test('the command names the incidents that there are instead of one that there is not', async () => {
    const [entry] = await entries();
    expect(await printed('another')).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringContaining(
        `There is no incident "another"; the latest incidents are:\n- ${entry?.[1] ?? ''}`,
      ),
    });
  });
});
