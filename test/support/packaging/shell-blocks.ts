/** Returns the shell commands in a Markdown page, by the heading above them. */
export function shellBlocks(markdown: string): ReadonlyMap<string, string> {
  const sections = markdown.split(/^#{2,3} /mu).slice(1);
  return new Map(
    sections.flatMap((section): readonly [string, string][] => {
      const block = /^```sh\n(?<commands>[^]*?)^```$/mu.exec(section)?.groups?.['commands'];
      return block === undefined ? [] : [[section.split('\n')[0] ?? '', block]];
    }),
  );
}
