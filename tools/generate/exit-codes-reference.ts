import { describedProgram, leafCommands } from '../package/described-program.ts';

const TABLE = /(?<=<!-- exit codes -->\n)[^]*?(?=<!-- \/exit codes -->)/u;
const COLUMNS = [0, 1, 2, 3];

/** Returns the document with the table of exit codes, between its two comments, as declared by the commands. */
export function renderExitCodesReference(document: string): string {
  if (!TABLE.test(document)) throw new Error('Cannot find the table of exit codes: expected <!-- exit codes -->');
  const rows = leafCommands(describedProgram('', () => undefined)).map(([name, { exitCodes }]) => {
    const others = Object.entries(exitCodes).filter(([code]) => !COLUMNS.includes(Number(code)));
    const cells = [...COLUMNS.map((code) => exitCodes[code] ?? ''), others.map(([code, text]) => `${code}: ${text}`)];
    return `| \`${name}\` | ${cells.join(' | ')} |\n`;
  });
  const head = `| command | ${COLUMNS.join(' | ')} | other |\n|---|---|---|---|---|---|\n`;
  return document.replace(TABLE, () => `${head}${rows.join('')}`);
}
