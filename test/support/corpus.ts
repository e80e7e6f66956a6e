import { readdirSync, readFileSync } from 'node:fs';

/** One committed input of a parser: a seed, or what once broke it. */
export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Buffer;
}

const ROOT = new URL('../fixtures/corpus/', import.meta.url);

/**
 * The inputs of `test/fixtures/corpus/FOLDER`: `.hex` holds bytes as hexadecimal digits (`#` begins a comment),
 * anything else is taken as it is.
 * @throws {Error} for a folder without any: a test over nothing would be green
 */
export function corpus(folder: string): readonly CorpusEntry[] {
  const url = new URL(`${folder}/`, ROOT);
  const entries = readdirSync(url)
    .toSorted()
    .map((name) => ({
      name,
      bytes: name.endsWith('.hex')
        ? fromHex(readFileSync(new URL(name, url), 'utf8'))
        : readFileSync(new URL(name, url)),
    }));
  if (entries.length === 0) throw new Error(`Cannot test with the corpus "${folder}": expected files in it`);
  return entries;
}

/** Every folder of the corpus. */
export function corpusFolders(): readonly string[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

function fromHex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/#.*$/gmu, '').replaceAll(/\s+/gu, ''), 'hex');
}
