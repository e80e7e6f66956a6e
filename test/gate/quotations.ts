import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { phrasesOf, runsOf, type Text, textsIn } from './texts.ts';

/** What simulated devices say is not the product's wording, but that of the real devices. */
export const SAID_BY_DEVICES = 'src/demo/lab/**';

/** So many words in a row are a quotation, as are whole phrases of one word less. Fewer occur by chance. */
const RUN = 4;

/** Returns every run of words in the texts of the product. */
export function productRuns(root: string): ReadonlySet<string> {
  const paths = globSync('src/**/*.ts', { cwd: root, exclude: [SAID_BY_DEVICES] });
  const texts = paths.flatMap((path) => textsIn(path, read(root, path)));
  return new Set(texts.flatMap(textRuns));
}

/** Returns the texts of the tests that quote the product, by path, as `path:line: quoted words`. */
export function quotationsIn(root: string, product: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const paths = globSync('test/**/*.ts', { cwd: root }).toSorted();
  const found = paths.map((path) => [path, quotationsOf(path, read(root, path), product)] as const);
  return new Map(found.filter(([, quotations]) => quotations.length > 0));
}

/** Returns the texts of a source that quote the product, as `path:line: quoted words`. */
export function quotationsOf(path: string, source: string, product: ReadonlySet<string>): readonly string[] {
  return textsIn(path, source).flatMap((text) => {
    const quoted = textRuns(text).find((run) => product.has(run));
    return quoted === undefined ? [] : [`${path}:${String(source.slice(0, text.at).split('\n').length)}: ${quoted}`];
  });
}

function textRuns(text: Text): readonly string[] {
  return phrasesOf(text).flatMap((words) => runsOf(words, words.length === RUN - 1 ? RUN - 1 : RUN));
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
