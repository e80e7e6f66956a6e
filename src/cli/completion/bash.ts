import { type CompletedCommand, flagsThatTake, quoted } from './completed-command.ts';

/** For bash(1), with or without the package bash-completion. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
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
${commands.map(branch).join('\n')}
      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; [ -z "$files" ] || compgen -f -- "$word")
  [ -z "$files" ] || compopt -o filenames 2>/dev/null
}
complete -F _ftm_watch ftm-watch
`;
}

function branch({ path, words, options, takesFiles }: CompletedCommand): string {
  const known = [...words.map(({ name }) => name), ...options.map(({ long }) => long)];
  return `        ${quoted(path)}) words=${quoted(known.join(' '))}${takesFiles ? ' files=yes' : ''} ;;`;
}
