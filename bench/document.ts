import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCUMENT = fileURLToPath(new URL('results.md', import.meta.url));

/**
 * Writes the results of a bench into bench/results.md, between its two comments.
 * @param command as in `npm run bench`
 * @throws {Error} if the comments are missing
 */
export async function writeIntoDocument(command: string, text: string): Promise<void> {
  const begin = `<!-- begin of what ${command} writes -->\n`;
  const document = await readFile(DOCUMENT, 'utf8');
  const from = document.indexOf(begin);
  const until = document.indexOf('<!-- end -->', from);
  if (from === -1 || until === -1)
    throw new Error(`Cannot write into ${DOCUMENT}: expected the two comments that the results go between`);
  await writeFile(DOCUMENT, `${document.slice(0, from + begin.length)}\n${text}\n\n${document.slice(until)}`);
}
