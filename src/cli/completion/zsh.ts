import { type CompletedCommand, flagsThatTake, quoted, type Word } from './completed-command.ts';

/** For zsh(1): to be sourced, or as a file `_ftm-watch` in $fpath. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
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
