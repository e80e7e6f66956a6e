import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config';

// Nothing may depend on the zone of the machine: the tests run in one with summer time and an offset of 45 minutes, wherever they run.
process.env['TZ'] = 'Pacific/Chatham';

type ProjectOptions = NonNullable<TestProjectInlineConfiguration['test']>;

function project(name: string, timeoutSeconds: number, options: ProjectOptions = {}): TestProjectInlineConfiguration {
  const timeout = timeoutSeconds * 1000;
  return {
    extends: true,
    test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeout, hookTimeout: timeout, ...options },
  };
}

const config: ViteUserConfig = defineConfig({
  test: {
    passWithNoTests: false,
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      project('unit', 20, { sequence: { groupOrder: 1 }, maxWorkers: '100%' }),
      project('integration', 20, { sequence: { groupOrder: 2 } }),
      project('gate', 60, { sequence: { groupOrder: 2 } }),
      // Last and one file at a time: real processes and network namespaces, whose timings other tests would falsify.
      project('e2e', 120, { sequence: { groupOrder: 3 }, maxWorkers: 1 }),
    ],
  },
});

export default config;
