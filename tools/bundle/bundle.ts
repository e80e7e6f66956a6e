/**
 * Builds the program into dist/, or the folder that is named: a few files with all that they need, which start anywhere
 * with Node alone. Without the parts of its libraries that nothing uses: against one file a module it takes 6 MiB less
 * memory and starts with 40 % less CPU (docs/decisions/README.md).
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { parse } from 'yaml';
import type { Plugin } from 'rolldown';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeHttpInParts } from './node-http.ts';
import { packageFolder, thirdPartyNotices } from './third-party-notices.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const [source, target] = [join(ROOT, 'src'), resolve(ROOT, process.argv[2] ?? 'dist')];
/** Where a module of `src` would stand in the bundle: one folder down, so that what lies beside `src` is in it too. */
const PLACE = 'lib';

/** A catalogue: read as JSON, which takes a tenth of the time. The YAML stays beside it, for people to write theirs by. */
const CATALOGUE = /(?<=new URL\(\s*'[^']+)\.yaml(?=',\s*import\.meta\.url)/gu;
const FILE_BESIDE = /new URL\(\s*'(?<path>[^']+)',\s*import\.meta\.url,?\s*\)/gu;
const FILE_OF_PACKAGE = /import\.meta\.resolve\('(?<specifier>[^']+)'\)/gu;

/** Files that modules name beside themselves or in a package, by their places in the bundle. */
const files = new Map<string, string>();

/** They are found from where a module stands: in the bundle from where it would stand. */
const filesOfModules: Plugin = {
  name: 'files-of-modules',
  transform: (code, id) => {
    if (!id.startsWith(source) || !code.includes('import.meta')) return null;
    const place = join(PLACE, relative(source, id));
    for (const { groups } of code.matchAll(FILE_BESIDE)) {
      const path = groups?.['path'] ?? '';
      files.set(join(dirname(place), path), resolve(dirname(id), path));
    }
    const withoutPackages = code.replaceAll(FILE_OF_PACKAGE, (_, specifier: string) => {
      const vendored = join(PLACE, 'vendor', basename(specifier));
      files.set(vendored, fileURLToPath(import.meta.resolve(specifier)));
      return `new URL('./${relative(dirname(place), vendored)}', import.meta.url).href`;
    });
    // Lines stay lines, so that the map of before holds.
    const url = `new URL('./${place}', import.meta.url).href`;
    return { code: withoutPackages.replaceAll(CATALOGUE, '.json').replaceAll('import.meta.url', url), map: null };
  },
};

/** In the templates of the page, where rolldown leaves it: their tags take the text as it is meant, not as it is written. */
const asciiInTemplates: Plugin = {
  name: 'ascii-in-templates',
  renderChunk: (code) =>
    code.replaceAll(/[^\p{ASCII}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`),
};

const DEMO = join(ROOT, 'test/lab/demo.ts');

/** The demo lies beside the program: what both use would become files of their own, and cost each command its time. */
const demoApart: Plugin = {
  name: 'demo-apart',
  resolveId: (specifier, importer = '') =>
    importer.startsWith(source) && resolve(dirname(importer), specifier) === DEMO
      ? { id: './demo.js', external: true }
      : null,
};

rmSync(target, { recursive: true, force: true });
const THREADS = ['web/bcrypt-thread', 'runtime/watchdog/watching-thread'];
const threads = Object.fromEntries(THREADS.map((name) => [`${PLACE}/${name}`, join(source, `${name}.ts`)]));
const bundle = await rolldown({
  input: { main: join(source, 'main.ts'), ...threads },
  platform: 'node',
  plugins: [nodeHttpInParts, filesOfModules, asciiInTemplates, demoApart],
});
const demo = await rolldown({ input: DEMO, platform: 'node', plugins: [asciiInTemplates] });
// Not minified: stack traces can be read without maps, which Node keeps in memory, 10 MB of it. V8 keeps the text of a
// file too, and with two bytes a character as soon as one of them is beyond Latin-1. Whose code it is says
// THIRD-PARTY.txt.
// Node keeps a file of a megabyte or more outside of the heap, and V8 collects garbage the more often for it: 15 ms of
// CPU for a command.
const codeSplitting = { groups: [{ name: 'configuration', test: /node_modules\/(?:yaml|zod)\//u }] };
const { output } = await bundle.write({ dir: target, format: 'esm', charset: 'ascii', comments: false, codeSplitting });
// Most of it makes certificates, and nobody reads that: without line breaks and comments it is half as large.
const { output: demoOutput } = await demo.write({
  file: join(target, 'demo.js'),
  format: 'esm',
  charset: 'ascii',
  comments: false,
  minify: {
    compress: true,
    mangle: { keepNames: { class: true, function: true } },
    codegen: { removeWhitespace: true },
  },
});
for (const [place, file] of files) {
  mkdirSync(dirname(join(target, place)), { recursive: true });
  cpSync(file, join(target, place));
  if (!place.endsWith('.yaml')) continue;
  const value: unknown = parse(readFileSync(file, 'utf8'));
  writeFileSync(join(target, place.replace(/yaml$/u, 'json')), JSON.stringify(value));
}
cpSync(join(source, 'web/static'), join(target, PLACE, 'web/static'), { recursive: true });
cpSync(join(ROOT, 'LICENSE'), join(target, 'LICENSE'));

const { name, version, license, type, engines } = packageJson;
writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name, version, license, type, engines }, null, 2)}\n`);

const modules = [...output, ...demoOutput].flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
const folders = new Set([...modules, ...files.values()].flatMap((path) => packageFolder(path) ?? []));
writeFileSync(join(target, 'THIRD-PARTY.txt'), thirdPartyNotices([...folders]));
