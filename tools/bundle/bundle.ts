/**
 * Builds the program into dist/, or into the given folder: a few files with all dependencies, which run anywhere with
 * only Node. Unused parts of its libraries are left out: compared with one file per module, it takes 6 MiB less
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
/**
 * Location of a module of `src` in the bundle: one folder down, so that files next to `src` are included in it as
 * well.
 */
const PLACE = 'lib';

/**
 * A catalogue is read as JSON, which takes a tenth of the time. The YAML is kept next to it, as a model for people
 * who write their own.
 */
const CATALOGUE = /(?<=new URL\(\s*'[^']+)\.yaml(?=',\s*import\.meta\.url)/gu;
const FILE_BESIDE = /new URL\(\s*'(?<path>[^']+)',\s*import\.meta\.url,?\s*\)/gu;
const FILE_OF_PACKAGE = /import\.meta\.resolve\('(?<specifier>[^']+)'\)/gu;

/** Files that modules refer to next to themselves or in a package, by their location in the bundle. */
const files = new Map<string, string>();

/** Such files are located relative to a module: in the bundle, relative to the module's location there. */
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
    // Line numbers do not change, so the existing source map remains valid.
    const url = `new URL('./${place}', import.meta.url).href`;
    return { code: withoutPackages.replaceAll(CATALOGUE, '.json').replaceAll('import.meta.url', url), map: null };
  },
};

/**
 * Escapes non-ASCII characters in the page's templates, which rolldown leaves. Their tags use the cooked text, not
 * the raw text.
 */
const asciiInTemplates: Plugin = {
  name: 'ascii-in-templates',
  renderChunk: (code) =>
    code.replaceAll(/[^\p{ASCII}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`),
};

const DEMO = join(ROOT, 'src/demo/demo.ts');

/**
 * The demo is next to the program. Otherwise, shared modules would become separate files and cost every command time.
 */
const demoApart: Plugin = {
  name: 'demo-apart',
  resolveId: (specifier, importer = '') =>
    importer.startsWith(source) && resolve(dirname(importer), specifier) === DEMO
      ? { id: './demo.js', external: true }
      : null,
};

rmSync(target, { recursive: true, force: true });
const THREAD = 'web/bcrypt-thread';
const bundle = await rolldown({
  input: { main: join(source, 'main.ts'), [`${PLACE}/${THREAD}`]: join(source, `${THREAD}.ts`) },
  platform: 'node',
  plugins: [nodeHttpInParts, filesOfModules, asciiInTemplates, demoApart],
});
const demo = await rolldown({ input: DEMO, platform: 'node', plugins: [asciiInTemplates] });
// Not minified: stack traces can be read without source maps, which take 10 MB of memory in Node. V8 also keeps the
// text of a file, with two bytes per character if any of them is beyond Latin-1. THIRD-PARTY.txt lists the authors of
// the code. A test limits the files to 1 MB: Node keeps a larger file outside of the heap, which makes V8 collect
// garbage more often (20 ms of CPU for a command). With zod in it, one file would be larger.
const { output } = await bundle.write({
  dir: target,
  format: 'esm',
  charset: 'ascii',
  comments: false,
  codeSplitting: { groups: [{ name: 'zod', test: /node_modules\/zod\// }] },
});
// Most of it creates certificates, and nobody reads that code. Without line breaks and comments, it is half the size.
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
  cpSync(file, join(target, place), { recursive: true });
  if (!place.endsWith('.yaml')) continue;
  const value: unknown = parse(readFileSync(file, 'utf8'));
  writeFileSync(join(target, place.replace(/yaml$/u, 'json')), JSON.stringify(value));
}
cpSync(join(ROOT, 'LICENSE'), join(target, 'LICENSE'));

const { name, version, license, type, engines } = packageJson;
writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name, version, license, type, engines }, null, 2)}\n`);

const modules = [...output, ...demoOutput].flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
const folders = new Set([...modules, ...files.values()].flatMap((path) => packageFolder(path) ?? []));
writeFileSync(join(target, 'THIRD-PARTY.txt'), thirdPartyNotices([...folders]));
