import { readdirSync, readFileSync } from 'node:fs';

/** A committed input of a parser: a seed, or an input that once broke it. */
export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Buffer;
}

const ROOT = new URL('../../fixtures/corpus/', import.meta.url);

/**
 * Returns the inputs of `test/fixtures/corpus/FOLDER`: `.hex` contains bytes as hexadecimal digits (`#` begins a
 * comment), other files are read as they are.
 * @throws {Error} for a folder without inputs, because a test over nothing would pass
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

export function corpusFolders(): readonly string[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

function fromHex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/#.*$/gmu, '').replaceAll(/\s+/gu, ''), 'hex');
}
