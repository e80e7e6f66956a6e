import { delimiter, dirname, join } from 'node:path';

/**
 * Returns an environment for programs that must not use this checkout. The machine's registry settings are kept. The
 * programs and variables of the npm script that runs the tests are left out. The Node of this process comes first.
 */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(?:npm_(?!config_)|npm_config_local_prefix$|NODE_ENV$|INIT_CWD$|VITEST)/u;
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.endsWith(join('node_modules', '.bin')));
  return {
    ...Object.fromEntries(inherited),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
    npm_config_prefer_offline: 'true',
  };
}
