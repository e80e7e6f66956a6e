import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCUMENT = fileURLToPath(new URL('results.md', import.meta.url));

/**
 * Puts what a bench has measured into bench/results.md, between its two comments.
 * @param command as in `npm run bench`
 * @throws {Error} when they are not there
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
