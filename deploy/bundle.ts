/**
 * Builds the program into dist/: a few files without the parts of its libraries that nothing uses. Against one file a
 * module it takes 6 MiB less memory and starts with 40 % less CPU (docs/decisions/2026-11-24-memory.md).
 */
import { cp, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const [source, target] = [fromRoot('src'), fromRoot(process.argv[2] ?? 'dist')];

/** Files beside the source are found from where a module stands: in the bundle from where it would stand. */
const whereModulesStand: Plugin = {
  name: 'where-modules-stand',
  transform: (code, id) =>
    id.startsWith(source) && code.includes('import.meta.url')
      ? // Lines stay lines, so that the map of before holds.
        {
          code: code.replaceAll('import.meta.url', `new URL('./${relative(source, id)}', import.meta.url).href`),
          map: null,
        }
      : null,
};

await rm(target, { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: `${source}/main.ts`, 'web/bcrypt-thread': `${source}/web/bcrypt-thread.ts` },
  platform: 'node',
  plugins: [whereModulesStand],
});
// Not minified: stack traces can be read without maps, which Node keeps in memory, 10 MB of it.
await bundle.write({ dir: target, format: 'esm' });
await cp(`${source}/web/static`, `${target}/web/static`, { recursive: true });
