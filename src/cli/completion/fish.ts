import { type CompletedCommand, type CompletedOption, flagsThatTake } from './completed-command.ts';

/** For fish(1). */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const valued = [...flagsThatTake('file', commands), ...flagsThatTake('text', commands)];
  const below = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `function __ftm_watch_at
  set -l at ''
  set -l previous ''
  for word in (commandline -opc)[2..]
    if contains -- "$previous" ${valued.join(' ')}
      set previous ''
      continue
    end
    set -l next (string trim "$at $word")
    contains -- "$next" ${below.join(' ')}; and set at $next
    set previous $word
  end
  test "$at" = "$argv"
end
complete -c ftm-watch -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, words, options, takesFiles }: CompletedCommand): readonly string[] {
  const here = `complete -c ftm-watch -n ${quoted(`__ftm_watch_at ${path}`.trim())}`;
  return [
    ...words.map(({ name, description }) => `${here} -a ${name} -d ${quoted(description)}`),
    ...options.map((option) => `${here} ${flagsOf(option)} -d ${quoted(option.description)}`),
    ...(takesFiles ? [`${here} -F`] : []),
  ];
}

function flagsOf({ short, long, takes }: CompletedOption): string {
  const flags = [...(short === null ? [] : [`-s ${short.slice(1)}`]), `-l ${long.slice(2)}`];
  switch (takes) {
    case 'nothing':
      return flags.join(' ');
    case 'file':
      return [...flags, '-r', '-F'].join(' ');
    case 'text':
      return [...flags, '-x'].join(' ');
  }
}

/** Within single quotes fish takes a backslash before a quote or a backslash. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/gu, String.raw`\$&`)}'`;
}
