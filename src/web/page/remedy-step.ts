/** A step of a remedy, taken apart: what to read, and what to type. */
export type StepPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'command'; readonly lines: readonly string[] };

/** Other quoted words are names in menus and values. */
const QUOTED_COMMAND =
  /"((?:chronyc|curl|diagnose|dig|execute|ftm-watch|get|ip|nc|nslookup|openssl|ping|show|tcpdump|timedatectl|traceroute) [^"]+)"/gu;

/** Lines of a FortiGate's CLI, written in a row: `config firewall policy / edit 0 / … / next / end`. */
const CLI_LINES = /^(.*?)(config [^/]+(?: \/ [^/]+)* \/ end)(?=$|[^a-z])(.*)$/u;

export function partsOfStep(step: string): readonly StepPart[] {
  const [, before = '', lines = '', after = ''] = CLI_LINES.exec(step) ?? [];
  if (lines === '') return quoted(step);
  return [...quoted(before), { kind: 'command', lines: lines.split(' / ') }, ...quoted(after.replace(/^; /u, ''))];
}

function quoted(text: string): readonly StepPart[] {
  // Splitting by a group gives text and what was found in turns.
  return text
    .split(QUOTED_COMMAND)
    .map(
      (part, index): StepPart => (index % 2 === 1 ? { kind: 'command', lines: [part] } : { kind: 'text', text: part }),
    )
    .filter((part) => part.kind === 'command' || (part.text !== '' && part.text !== '.'));
}
