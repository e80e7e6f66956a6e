import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivationStep } from '../../../src/checks/activation-steps.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { configurationOf } from '../../../src/demo/lab/configuration.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import type { Scenario } from '../../../src/demo/scenarios.ts';
import { SCENARIOS } from '../../../src/demo/scenarios.ts';
import { LICENSE } from '../../../src/demo/lab/site.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';

type Fault = Pick<Scenario, 'name' | 'begin' | 'end'>;

const SERVER_DOWN: Fault = {
  name: 'server-down',
  begin: ({ licenseServer }) => {
    licenseServer.setFault({ kind: 'status', status: 503 });
  },
  end: ({ licenseServer }) => {
    licenseServer.setFault({ kind: 'none' });
  },
};

const NO_TOKENS: Fault = {
  name: 'no-tokens',
  begin: ({ appliance: { state } }) => {
    state.tokens = [{ count: 32, status: 'assigned', license: LICENSE }];
    state.licensed = { available_ftm: 0, total_ftm: 32, used_ftm: 32 };
  },
  end: ({ appliance: { state } }) => {
    state.tokens = [{ count: 32, status: 'available', license: LICENSE }];
    state.licensed = { available_ftm: 32, total_ftm: 32, used_ftm: 0 };
  },
};

/** The step at which each simulated network fault stops an activation. */
const FAILING: Readonly<Record<string, string>> = {
  inspection: 'tls',
  dns: 'resolver',
  license: 'registration',
  'license-elsewhere': 'registration',
  'block-page': 'tls',
  reset: 'tls',
  egress: 'connect',
  mail: 'code',
  'server-down': 'license-server',
  'no-tokens': 'tokens',
};

const lab = await createLab();

beforeAll(async () => {
  await NO_TOKENS.end(lab);
});
afterAll(() => lab[Symbol.asyncDispose]());

async function check(...more: readonly string[]): Promise<Run> {
  const file = join(lab.folder, 'steps.yaml');
  await writeFile(file, JSON.stringify(configurationOf(lab)));
  return runHere(['check', '--steps', ...more, '-c', file], { cwd: lab.folder });
}

async function stepsNow(): Promise<readonly ActivationStep[]> {
  const { stdout } = await check('--json');
  return (JSON.parse(stdout) as DiagnosisJson & { readonly steps: readonly ActivationStep[] }).steps;
}

test('of a clean site, each step that can be seen will pass', async () => {
  const steps = await stepsNow();
  const hidden = steps.filter(({ answer }) => answer !== 'passes');
  expect(hidden.map(({ id, answer }) => `${id} ${answer}`)).toEqual([
    // A single check does not receive log lines, and no machine can check a phone's network.
    'provisioning not-visible',
    'phone not-visible',
  ]);
  expect(hidden.every(({ remedy }) => remedy.length > 0)).toBe(true);
});

test('the table has every fault of the simulated network', () => {
  expect(Object.keys(FAILING)).toEqual(expect.arrayContaining(SCENARIOS.map(({ name }) => name)));
});

test.for([...SCENARIOS, SERVER_DOWN, NO_TOKENS])('$name: the step that fails is named', async ({ name, ...fault }) => {
  await fault.begin(lab);
  try {
    const failing = (await stepsNow()).filter(({ answer }) => answer === 'fails');
    expect(failing.map(({ id }) => id)).toEqual([FAILING[name]]);
    expect(failing[0]?.remedy.length).toBeGreaterThan(0);
  } finally {
    await fault.end(lab);
  }
});

test('a person reads the answer at the end, and a script the same exit code as without', async () => {
  lab.mail.setFault('refuse-recipient');
  const { stdout, exitCode } = await check();
  lab.mail.setFault('none');
  expect(exitCode).toBe(2);
  const text = stdout.replaceAll(/\s+/gu, ' ');
  expect(text).toContain('8. The activation code reaches the user before it expires: will fail');
  // The commands are printed above, on separate lines.
  expect(text).toContain('→ See the remedy above.');
  expect(text).toMatch(/An activation would fail now at step 8\. $/u);
});
