import { defineConfig, type ViteUserConfig } from 'vitest/config';

// As in vitest.config.ts: no result may depend on the machine's time zone.
process.env['TZ'] = 'Pacific/Chatham';

/** Set by `--tests`. */
const chosen = process.env['MUTATION_TESTS'] ?? '';

/** The tests that reach the pure code, without projects, because Stryker runs only one at a time. */
const config: ViteUserConfig = defineConfig({
  test: {
    include:
      chosen === ''
        ? ['test/unit/{core,engine,checks,runtime,document,notify,web}/**/*.test.ts', 'test/words/**/*.test.ts']
        : chosen.split(','),
    restoreMocks: true,
    unstubEnvs: true,
    testTimeout: 60_000,
    setupFiles: 'test/support/random/seeded.ts',
  },
});

export default config;
