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
const RETRIES = process.env['CI'] === 'true' ? 2 : 0;

/** End-to-end tests whose results a busy machine does not distort. */
const PATIENT = [
  'test/e2e/{alerts,capture,contract,demo,deploy,interception,package,report,security,soak}/**/*.test.ts',
  'test/e2e/daemon/config-check.test.ts',
  'test/e2e/page/every-cause.test.ts',
];

/** Starts the bundle, which `globalSetup` builds. */
function endToEnd(name: string, options: ProjectOptions): TestProjectInlineConfiguration {
  return project(name, 120, {
    globalSetup: 'test/support/process/build-program.ts',
    env: { FTM_WATCH_PROGRAM: resolve(import.meta.dirname, '.cache', name, 'main.js') },
    retry: RETRIES,
    ...options,
  });
}

const config: ViteUserConfig = defineConfig({
  test: {
    passWithNoTests: false,
    diff: { expand: false, contextLines: 3 },
    restoreMocks: true,
    unstubEnvs: true,
    // A record is long, and its difference short.
    diff: { expand: false, contextLines: 2 },
    projects: [
      // They leave nothing behind, so the modules under test are loaded once per worker instead of once per file.
      project('unit', 20, { sequence: { groupOrder: 1 }, maxWorkers: '100%', isolate: false }),
      project('integration', 20, { sequence: { groupOrder: 2 }, maxWorkers: '100%', isolate: false }),
      // Everything that people read, compared with `test/golden`. `npm run words` records it.
      project('words', 20, { sequence: { groupOrder: 2 }, maxWorkers: '100%', isolate: false }),
      project('gate', 60, { sequence: { groupOrder: 3 } }),
      // They mostly wait, or use simulated time.
      endToEnd('e2e', { include: PATIENT, sequence: { groupOrder: 4 }, maxWorkers: 3 }),
      // Last and one file at a time: real processes and network namespaces, whose timing other tests would distort.
      endToEnd('e2e-alone', {
        include: ['test/e2e/**/*.test.ts'],
        exclude: PATIENT,
        sequence: { groupOrder: 5 },
        maxWorkers: 1,
      }),
    ],
  },
});

export default config;
