import { expect, test } from 'vitest';

import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { filter } from '../../support/network/gateway-filters.ts';
import { createInspectedSite, INSPECTED_SITE_NEEDS } from '../../support/network/inspected-site.ts';
import {
  follow,
  type Outage,
  play,
  type Sample,
  type Step,
  TO_LICENSE_SERVER,
} from '../../support/network/outage-play.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startSiteDaemon } from '../../support/process/site-daemon.ts';
import { until } from '../../support/time/until.ts';
import { emailBy } from '../../support/mail/mail-server.ts';

/** Outages take minutes. Only the nightly run tests all of them, most of them concurrently. */
const isFull = process.env['FTM_OUTAGES'] === 'all';

const SECOND = 1_000;
const EVERY = 5 * SECOND;
/** Measured from the repair of any outage. */
const READY_WITHIN = 40 * SECOND;
const MAIL_PORT = 2525;

const WATCHING = {
  site: 'hq',
  schedule: { probes: '*/5 * * * * *' },
  web: { listen: '127.0.0.1:0' },
  store: { path: 'data/ftm-watch.sqlite' },
  notify: { email: emailBy({ port: MAIL_PORT }) },
};

/**
 * Returns "CRITICAL" and "RESOLVED" in the order in which they arrived. Messages about a changed cause are left out.
 */
function eventsIn(mails: readonly string[]): readonly string[] {
  return mails.flatMap((mail) => {
    const [, word = ''] = /^Subject: \[?(\w+)/mu.exec(mail) ?? [];
    return /\(changed\)/u.test(mail.split('\r\n\r\n')[0] ?? '') ? [] : [word];
  });
}

interface Repaired extends Outage {
  /** When the next outage began. */
  readonly until: number;
}

/** Merges outages that follow each other immediately, because ftm-watch sees them as one outage with one repair. */
function repairedOf(outages: readonly Outage[]): readonly Repaired[] {
  return outages.flatMap((outage, index): readonly Repaired[] => {
    const [before, after] = [outages[index - 1], outages[index + 1]];
    if (after !== undefined && after.began - outage.ended < EVERY) return [];
    const isOne = before !== undefined && outage.began - before.ended < EVERY;
    return [{ ...outage, began: isOne ? before.began : outage.began, until: after?.began ?? Infinity }];
  });
}

function expectToldInTime(samples: readonly Sample[], { began, ended, until: next }: Repaired): void {
  const broken = samples.find(({ at, ready }) => at >= began && ready === 'not-ready');
  const whole = samples.find(({ at, ready }) => at >= ended && ready === 'ready');
  if (broken === undefined || whole === undefined) throw new Error('An outage or its repair was never seen');
  expect(broken.at).toBeLessThan(ended);
  expect(whole.at - ended).toBeLessThan(READY_WITHIN);
  // A round starts at any time within its interval, and slightly later on a busy machine.
  const lasted = whole.roundAt - broken.roundAt;
  expect(Math.abs(lasted - (ended - began))).toBeLessThan(EVERY + 2 * SECOND);
  const later = samples.filter(({ at }) => at > whole.at && at < next);
  expect(later.filter(({ ready }) => ready === 'not-ready')).toEqual([]);
}

/** Each step: the fault, how long it lasts, and the time until the next one, in seconds. */
const SEQUENCES: readonly (readonly [name: string, isLong: boolean, ...steps: readonly Step[]])[] = [
  ['the port is blocked for 51 s, and again for 31 s', true, ['drop', 51, 60], ['drop', 31, 45]],
  ['the port refuses for 51 s, and again for 31 s', true, ['refuse', 51, 60], ['refuse', 31, 45]],
  ['TLS is reset for 51 s, and again for 31 s', true, ['cut', 51, 60], ['cut', 31, 45]],
  ['inspection is on, off, on, off', true, ['inspect', 40, 45], ['inspect', 40, 45]],
  ['three outages by drops', true, ['drop', 30, 40], ['drop', 30, 40], ['drop', 30, 45]],
  ['three outages by resets', true, ['cut', 30, 40], ['cut', 30, 40], ['cut', 30, 45]],
  ['an inspection, and then a blocked port', true, ['inspect', 40, 45], ['drop', 31, 45]],
  ['a blocked port, and then resets', true, ['drop', 40, 45], ['cut', 31, 45]],
  ['a blocked port, and at once an inspection', false, ['drop', 31, 0], ['inspect', 31, 45]],
];

describeWhere(INSPECTED_SITE_NEEDS, 'outages, with a round every 5 s', () => {
  test.concurrent.for(SEQUENCES.filter(([, isLong]) => isFull || !isLong))(
    '%s: reported as outages, each with its end',
    { timeout: 300 * SECOND },
    async ([, , ...steps]) => {
      await using site = await createInspectedSite();
      await using daemon = await startSiteDaemon(site, WATCHING, MAIL_PORT);
      await expect.poll(() => daemon.status()).toMatchObject({ ready: 'ready' });
      let outages: readonly Outage[] = [];
      const samples = await (async () => {
        await using following = follow(daemon);
        outages = await play(site, steps);
        return following.samples;
      })();

      expect(samples.filter(({ isIntermittent }) => isIntermittent)).toEqual([]);
      const repaired = repairedOf(outages);
      for (const outage of repaired) expectToldInTime(samples, outage);
      const events = eventsIn(await daemon.mails());
      expect(events.at(-1)).toBe('RESOLVED');
      // Two consecutive faults of different kinds each have their own message.
      expect(events.toSorted()).toEqual([...outages.map(() => 'CRITICAL'), ...outages.map(() => 'RESOLVED')]);
      const nagios = await runFtmWatch(['check', '--nagios', '-c', daemon.configFile], {
        cwd: site.folder,
        prefix: site.prefix,
      });
      expect(nagios).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^FTM OK: all configured checks/u) });
    },
  );

  test.runIf(isFull)(
    'while one of five flows is dropped, check names the open incident of the daemon',
    async () => {
      await using site = await createInspectedSite();
      await using daemon = await startSiteDaemon(site, WATCHING, MAIL_PORT);
      await expect.poll(() => daemon.status()).toMatchObject({ ready: 'ready' });
      // Drops by source port, so that retransmissions are lost as well.
      using _ = filter(site, `${TO_LICENSE_SERVER} jhash tcp sport mod 4 == 0 drop`);
      await until(
        () => daemon.mails(),
        (mails) => eventsIn(mails).length > 0,
        120 * SECOND,
      );
      // A round whose own connection fails still has a verdict.
      const samples = await (async () => {
        await using following = follow(daemon);
        await expect.poll(() => new Set(following.samples.map(({ roundAt }) => roundAt)).size).toBeGreaterThan(8);
        return following.samples;
      })();
      expect(samples.filter(({ ready }) => ready === 'unknown')).toEqual([]);
      const run = (args: readonly string[]): ReturnType<typeof runFtmWatch> =>
        runFtmWatch(['check', ...args, '-c', daemon.configFile], { cwd: site.folder, prefix: site.prefix });
      const checked = await run([]);
      expect(checked.exitCode).toBeGreaterThan(0);
      expect(checked.stdout).not.toMatch(/^READY: all configured checks pass\.$/mu);
      expect(checked.stdout).toMatch(
        /Open incident \(daemon\), since|The fault is intermittent|does not accept connections/u,
      );
      expect((await run(['--nagios'])).exitCode).toBeGreaterThan(0);
    },
    200 * SECOND,
  );
});
