import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import type { ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import type { LabMail } from '../../../src/demo/lab/mail-host.ts';
import { readCheck } from '../process/check-result.ts';
import type { CheckResult } from '../process/check-result.ts';
import { runHere } from '../process/command-line.ts';
import { startDaemonHere } from '../process/daemon-here.ts';
import type { DaemonProcess } from '../process/daemon-process.ts';

/** Runs `check --json` with the lab's configuration and some of its keys replaced. */
export async function checkLab(lab: Lab, more: ConfigurationPart = {}): Promise<CheckResult> {
  const configFile = join(lab.folder, 'check.yaml');
  await writeFile(configFile, JSON.stringify({ ...configurationOf(lab), ...more }));
  return readCheck(await runHere(['check', '--json', '-c', configFile], { cwd: lab.folder }));
}

const MAIL_WITHIN = 30_000;

/** Starts the daemon in this process with the lab's configuration, or with some of its keys replaced. */
export async function watchLab(lab: Lab, more: ConfigurationPart = {}): Promise<DaemonProcess> {
  if (Object.keys(more).length === 0) return startDaemonHere({ cwd: lab.folder, config: lab.configFile });
  const config = 'watched.yaml';
  await writeFile(join(lab.folder, config), JSON.stringify({ ...configurationOf(lab), ...more }));
  return startDaemonHere({ cwd: lab.folder, config });
}

/** A lab, and the daemon that watches it in this process. */
export interface WatchedLab extends AsyncDisposable {
  readonly lab: Lab;
  readonly daemon: DaemonProcess;
  /** Resolves with the first mail about this event of this cause, among received and future ones. */
  readonly told: (event: string, cause: string) => Promise<LabMail>;
}

export async function createWatchedLab(more: ConfigurationPart = {}): Promise<WatchedLab> {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await createLab(more));
  const daemon = stack.use(await watchLab(lab));
  const owned = stack.move();
  return {
    lab,
    daemon,
    told: (event, cause) =>
      lab.inbox.mail((mail) => mail.event === event && mail.cause === cause, AbortSignal.timeout(MAIL_WITHIN)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
