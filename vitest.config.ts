import { resolve } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config';

// No result may depend on the machine's time zone, so the tests always run in one with summer time and an offset of
// 45 minutes.
process.env['TZ'] = 'Pacific/Chatham';

type ProjectOptions = NonNullable<TestProjectInlineConfiguration['test']>;

function project(name: string, timeoutSeconds: number, options: ProjectOptions = {}): TestProjectInlineConfiguration {
  const timeout = timeoutSeconds * 1000;
  return {
    extends: true,
    test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeout, hookTimeout: timeout, ...options },
  };
}

/** Real processes on a shared machine are sometimes late, so CI retries. Its last lines list the tests that needed it. */
const RETRY = { count: process.env['CI'] === 'true' ? 2 : 0, condition: /timed out|timeout|was aborted|not reached/iu };

/** End-to-end tests that measure this machine, or use all of it, so that nothing may run beside them. */
const ALONE = [
  'test/e2e/bench/bench.test.ts',
  'test/e2e/daemon/idle.test.ts',
  'test/e2e/faults/{disk,exhausted,stall,web-load}.test.ts',
  'test/e2e/security/blocked-loop.test.ts',
];

/** Starts the bundle, which `globalSetup` builds. */
function endToEnd(name: string, options: ProjectOptions): TestProjectInlineConfiguration {
  return project(name, 120, {
    include: ['test/e2e/**/*.test.ts'],
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
    projects: [
      // They leave nothing behind, so the modules under test are loaded once per worker instead of once per file.
      project('unit', 20, { sequence: { groupOrder: 1 }, maxWorkers: 4, isolate: false }),
      // More workers than processors, because these tests mostly wait for sockets.
      project('integration', 20, { sequence: { groupOrder: 1 }, maxWorkers: 4, isolate: false }),
      project('gate', 60, { sequence: { groupOrder: 2 } }),
      endToEnd('e2e', { exclude: ALONE, sequence: { groupOrder: 3 }, maxWorkers: 4 }),
      endToEnd('e2e-alone', { include: ALONE, sequence: { groupOrder: 4 }, maxWorkers: 1 }),
    ],
  },
});

export default config;
