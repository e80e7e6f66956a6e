import type { Command, Option } from 'commander';
import type { Shell } from './commands.ts';

/** The script never calls the program, because starting the program would make completion slow. */
export function completion(shell: Shell, program: Command): string {
  const commands = completedCommands(program);
  switch (shell) {
    case 'bash':
      return bashCompletion(commands);
    case 'zsh':
      return zshCompletion(commands);
    case 'fish':
      return fishCompletion(commands);
  }
}

interface CompletedCommand {
  /** For example `silence add`. Empty for the program itself. */
  readonly path: string;
  readonly words: readonly Word[];
  readonly options: readonly CompletedOption[];
  readonly takesFiles: boolean;
}

interface Word {
  readonly name: string;
  readonly description: string;
}

interface CompletedOption {
  readonly short: string | null;
  readonly long: string;
  readonly description: string;
  readonly takes: 'nothing' | 'file' | 'text';
}

const HELP: CompletedOption = { short: '-h', long: '--help', description: 'display help', takes: 'nothing' };

function completedCommands(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const below = command.commands;
  return [
    {
      path: path.join(' '),
      words: [...below.map((child) => ({ name: child.name(), description: child.description() })), ...choices(command)],
      options: [...command.options.flatMap(completedOption), HELP],
      takesFiles: command.registeredArguments.some((argument) => isFile(argument.name())),
    },
    ...below.flatMap((child) => completedCommands(child, [...path, child.name()])),
  ];
}

function choices({ registeredArguments }: Command): readonly Word[] {
  return registeredArguments.flatMap(({ argChoices }) => argChoices ?? []).map((name) => ({ name, description: name }));
}

function completedOption({ short, long, flags, required, description }: Option): readonly CompletedOption[] {
  if (long === undefined || long === null) return [];
  const takes = required ? (isFile(flags) ? 'file' : 'text') : 'nothing';
  return [{ short: short ?? null, long, description, takes }];
}

function isFile(name: string): boolean {
  return /\b(?:file|path|folder)\b/u.test(name);
}

function flagsThatTake(kind: CompletedOption['takes'], commands: readonly CompletedCommand[]): readonly string[] {
  const options = commands.flatMap(({ options }) => options.filter(({ takes }) => takes === kind));
  return [...new Set(options.flatMap(({ short, long }) => (short === null ? [long] : [short, long])))];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The script works with and without the bash-completion package. */
function bashCompletion(commands: readonly CompletedCommand[]): string {
  const files = flagsThatTake('file', commands);
  const texts = flagsThatTake('text', commands);
  const below = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `_ftm_watch() {
  local at='' word previous='' words='' files=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $previous in ${[...files, ...texts].join('|')}) previous=''; continue ;; esac
    case "\${at:+$at }$word" in ${below.join('|')}) at="\${at:+$at }$word" ;; esac
    previous=$word
  done
  word=\${COMP_WORDS[COMP_CWORD]}
  case $previous in
    ${files.join('|')}) files=yes ;;
    ${texts.join('|')}) return ;;
    *)
      case $at in
${commands.map(bashBranch).join('\n')}
      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; [ -z "$files" ] || compgen -f -- "$word")
  [ -z "$files" ] || compopt -o filenames 2>/dev/null
}
complete -F _ftm_watch ftm-watch
`;
}

function bashBranch({ path, words, options, takesFiles }: CompletedCommand): string {
  const known = [...words.map(({ name }) => name), ...options.map(({ long }) => long)];
  return `        ${quoted(path)}) words=${quoted(known.join(' '))}${takesFiles ? ' files=yes' : ''} ;;`;
}

function fishCompletion(commands: readonly CompletedCommand[]): string {
  const valued = [...flagsThatTake('file', commands), ...flagsThatTake('text', commands)];
  const below = commands.filter(({ path }) => path !== '').map(({ path }) => fishQuoted(path));
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
  const here = `complete -c ftm-watch -n ${fishQuoted(`__ftm_watch_at ${path}`.trim())}`;
  return [
    ...words.map(({ name, description }) => `${here} -a ${name} -d ${fishQuoted(description)}`),
    ...options.map((option) => `${here} ${flagsOf(option)} -d ${fishQuoted(option.description)}`),
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

/** fish interprets a backslash before a quote or another backslash. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/gu, String.raw`\$&`)}'`;
}

/** Users can source the script or save it as `_ftm-watch` in `$fpath`. */
function zshCompletion(commands: readonly CompletedCommand[]): string {
  const files = flagsThatTake('file', commands);
  const texts = flagsThatTake('text', commands);
  const below = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `#compdef ftm-watch
_ftm_watch() {
  local at='' word previous='' files=''
  local -a known
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case $previous in (${[...files, ...texts].join('|')}) previous=''; continue ;; esac
    case "\${at:+$at }$word" in (${below.join('|')}) at="\${at:+$at }$word" ;; esac
    previous=$word
  done
  case $previous in
    (${files.join('|')}) _files; return ;;
    (${texts.join('|')}) return ;;
  esac
  case $at in
${commands.map(branch).join('\n')}
  esac
  _describe ftm-watch known
  [[ -z $files ]] || _files
}
if [[ $funcstack[1] = _ftm-watch ]]; then _ftm_watch; else compdef _ftm_watch ftm-watch; fi
`;
}

function branch({ path, words, options, takesFiles }: CompletedCommand): string {
  const known = [...words, ...options.map(({ long, description }) => ({ name: long, description }))];
  return `    (${quoted(path)}) known=(${known.map(described).join(' ')})${takesFiles ? ' files=yes' : ''} ;;`;
}

function described({ name, description }: Word): string {
  return quoted(`${name}:${description}`);
}
