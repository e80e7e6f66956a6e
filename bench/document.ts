import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCUMENT = fileURLToPath(new URL('results.md', import.meta.url));

/**
 * Writes the results of a bench, or of one section of it, into bench/results.md, between its two comments.
 * @param what as in `npm run bench:truth` or `npm run bench, idle`
 * @throws {Error} if the comments are missing
 */
export async function writeIntoDocument(what: string, text: string): Promise<void> {
  const begin = `<!-- begin of what ${what} writes -->\n`;
  const document = await readFile(DOCUMENT, 'utf8');
  const from = document.indexOf(begin);
  const until = document.indexOf('<!-- end -->', from);
  if (from === -1 || until === -1)
    throw new Error(`Cannot write into ${DOCUMENT}: expected "${begin.trim()}" and "<!-- end -->" after it`);
  await writeFile(DOCUMENT, `${document.slice(0, from + begin.length)}\n${text}\n\n${document.slice(until)}`);
}
