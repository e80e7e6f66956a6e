import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config';

// No result may depend on the machine's time zone, so the tests always run in one with summer time and an offset of
// 45 minutes.
process.env['TZ'] = 'Pacific/Chatham';

/** Tests that sample take as many times as long as they have samples. */
const SAMPLES = Number(process.env['FTM_SAMPLES'] ?? '1');

type ProjectOptions = NonNullable<TestProjectInlineConfiguration['test']>;

function project(name: string, timeoutSeconds: number, options: ProjectOptions = {}): TestProjectInlineConfiguration {
  const timeout = timeoutSeconds * 1000;
  return {
    extends: true,
    test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeout, hookTimeout: timeout, ...options },
  };
}

/**
 * They leave nothing behind, so a worker loads the modules under test once instead of once for each file. Integration
 * tests mostly wait, so there are more workers than processors.
 */
const QUICK: ProjectOptions = {
  sequence: { groupOrder: 1 },
  maxWorkers: 2 * availableParallelism(),
  isolate: false,
  setupFiles: 'test/support/random/seeded.ts',
};

/**
 * Real processes on a shared machine are sometimes late, so CI tries again what ran out of time, and nothing else. Its
 * last lines list the tests that needed it.
 */
const RETRY: NonNullable<ProjectOptions['retry']> = {
  count: process.env['CI'] === 'true' ? 2 : 0,
  condition: /did not come|timed out in \d+ ?ms|Not within \d+ ms|due to timeout/u,
};

/**
 * Each of them runs while no other test does: they load the whole machine themselves, or their peers answer just within
 * the time that `check` has.
 */
const ALONE = ['test/e2e/faults/{network-states,web-load}.test.ts', 'test/e2e/check/network.test.ts'];

/** Starts the bundle, which `globalSetup` builds. */
function endToEnd(name: string, options: ProjectOptions): TestProjectInlineConfiguration {
  return project(name, 120, {
    globalSetup: 'test/support/process/build-program.ts',
    env: { FTM_WATCH_PROGRAM: resolve(import.meta.dirname, '.cache', name, 'main.js') },
    retry: RETRY,
    ...options,
  });
}

const config: ViteUserConfig = defineConfig({
  test: {
    passWithNoTests: false,
    restoreMocks: true,
    unstubEnvs: true,
    // On a busy machine, what is waited for comes late.
    expect: { poll: { timeout: 30_000 } },
    // A record or a generated file is long, and its difference short.
    diff: { expand: false, contextLines: 2 },
    projects: [
      project('unit', 60 * SAMPLES, QUICK),
      project('integration', 60 * SAMPLES, QUICK),
      // Everything that people read, compared with `test/golden`. `npm run words` records it.
      project('words', 60, QUICK),
      project('gate', 60, { sequence: { groupOrder: 2 } }),
      // They mostly wait.
      endToEnd('e2e', {
        include: ['test/{e2e,soak}/**/*.test.ts'],
        exclude: ALONE,
        sequence: { groupOrder: 3 },
        maxWorkers: 4,
      }),
      endToEnd('e2e-alone', { include: ALONE, sequence: { groupOrder: 4 }, maxWorkers: 1 }),
      // What takes too long for every change.
      endToEnd('nightly', { sequence: { groupOrder: 5 }, maxWorkers: 2 }),
    ],
  },
});

export default config;
