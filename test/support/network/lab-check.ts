import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import type { ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { readCheck } from '../process/check-result.ts';
import type { CheckResult } from '../process/check-result.ts';
import { runHere } from '../process/command-line.ts';

/** Runs `check --json` with the lab's configuration and some of its keys replaced. */
export async function checkLab(lab: Lab, more: ConfigurationPart = {}): Promise<CheckResult> {
  const configFile = join(lab.folder, 'check.yaml');
  await writeFile(configFile, JSON.stringify({ ...configurationOf(lab), ...more }));
  return readCheck(await runHere(['check', '--json', '-c', configFile], { cwd: lab.folder }));
}
