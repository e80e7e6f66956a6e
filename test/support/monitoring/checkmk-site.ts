/** A service as Checkmk shows it. */
interface CheckmkService {
  readonly state: 0 | 1 | 2 | 3;
  readonly metrics: ReadonlyMap<string, number>;
  /** The first line. */
  readonly summary: string;
  /** The other lines. */
  readonly details: readonly string[];
  readonly isCached: boolean;
}

/** The services of a host, by their names. */
export type CheckmkHost = ReadonlyMap<string, CheckmkService>;

interface Section {
  readonly host: string;
  readonly header: string;
  readonly lines: string[];
}

/** The host whose agent runs the local check. */
export const MONITOR = 'monitor';
/** A local check that the agent runs after ftm-watch. */
const NEXT_CHECK = '0 "Another check" - fine';

/**
 * Reads the output of a local check as Checkmk 2.4 does, in its own order: the agent's `run_local_checks` and
 * `run_cached` (agents/check_mk_agent.linux), the parser of the agent's output (cmk/checkengine/parser/_agent.py and
 * _markers.py), and the section `local` (cmk/plugins/checkmk/agent_based/local.py, and before 2.4
 * cmk/base/plugins/agent_based/local.py, which is stricter and is followed where they differ).
 * @throws {Error} if Checkmk would ignore a line, or show a service with another state than that of the line
 */
export function readCheckmk(written: string, { isCached = false } = {}): ReadonlyMap<string, CheckmkHost> {
  if (!written.endsWith('\n')) throw new Error('The last line has no end, so the next check continues it');
  const agent = ['<<<local:sep(0)>>>', ...linesOf(written, isCached), NEXT_CHECK, '<<<df>>>'];
  const hosts = new Map<string, Map<string, CheckmkService>>();
  for (const { host, header, lines } of sectionsOf(agent)) {
    if (header === 'df' && lines.length === 0) continue;
    if (header !== 'local:sep(0)') throw new Error(`Not a section of local checks: "${header}"`);
    const services = hosts.get(host) ?? new Map<string, CheckmkService>();
    for (const line of lines) addService(services, line);
    hosts.set(host, services);
  }
  const own = hosts.get(MONITOR);
  if (own?.delete('Another check') !== true) throw new Error('The services of the next check are lost');
  return hosts;
}

/** `sed -e '/^<<<.*>>>/{p;d;}' -e "/^cached([0-9]*,[0-9]*) /{p;d;}; s/^/cached(1700000000,60) /"` */
function linesOf(written: string, isCached: boolean): readonly string[] {
  const lines = written.slice(0, -1).split('\n');
  if (!isCached) return lines;
  return lines.map((line) => (/^<<<.*>>>/u.test(line) ? line : `cached(1700000000,60) ${line}`));
}

/** The state machine of the parser. Lines outside a section are ignored, which fails here. */
function sectionsOf(lines: readonly string[]): readonly Section[] {
  const sections: Section[] = [];
  let host = MONITOR;
  let current: Section | null = null;
  for (const line of lines) {
    if (line.startsWith('<<<<') && line.endsWith('>>>>')) {
      host = line === '<<<<>>>>' ? MONITOR : checkedHost(line.slice(4, -4));
      current = null;
    } else if (line.startsWith('<<<') && line.endsWith('>>>')) {
      current = { host, header: line.slice(3, -3), lines: [] };
      sections.push(current);
    } else if (current === null) throw new Error(`Ignored, because it is in no section: ${line}`);
    else current.lines.push(line);
  }
  return sections;
}

/** Checkmk replaces other characters (`HostAddress.project_valid`), so that two hosts could become one. */
function checkedHost(name: string): string {
  if (!/^\w[-\w.]*$/u.test(name) || name.length > 240) throw new Error(`Not a host name of Checkmk: "${name}"`);
  return name;
}

/** `_split_check_result` */
const LINE =
  /^(?<state>[^ ]+) (?:"(?<double>[^"']+)"|'(?<single>[^"']+)'|(?<plain>[^ "']+)) (?<metrics>[^ ]+)(?: +(?<text>.*))?$/su;

function addService(services: Map<string, CheckmkService>, line: string): void {
  const [, cached, rest = ''] = /^(cached\(\d+,\d+\))? *(.*) *$/su.exec(line) ?? [];
  const { state, double, single, plain, metrics = '', text = '' } = LINE.exec(rest)?.groups ?? {};
  const name = double ?? single ?? plain;
  if (name === undefined) throw new Error(`Not a line of a local check: ${line}`);
  if (services.has(name)) throw new Error(`Two lines for one service: ${line}`);
  const code = ([0, 1, 2, 3] as const).find((one) => String(one) === state);
  if (code === undefined) throw new Error(`Not a state: ${line}`);
  // Checkmk shows a service without text as OK, whatever its state is.
  if (text.trim() === '') throw new Error(`No text: ${line}`);
  // The cores write the text before performance data.
  if (text.includes('|')) throw new Error(`The text ends early: ${line}`);
  const [summary = '', ...details] = text.split(String.raw`\n`);
  services.set(name, { state: code, metrics: metricsIn(metrics), summary, details, isCached: cached !== undefined });
}

/** `_parse_perftxt`, and the names that `Metric` accepts. A value that is not a number would become 0. */
function metricsIn(text: string): ReadonlyMap<string, number> {
  if (text === '-') return new Map();
  const read = text.split('|').map((entry) => {
    const [, name = '', value = ''] = /^([A-Za-z]\w*)=(-?\d+(?:\.\d+)?)(?:;[-\d.:]*){0,4}$/u.exec(entry) ?? [];
    if (name === '') throw new Error(`Not a metric: "${entry}"`);
    return [name, Number(value)] as const;
  });
  const metrics = new Map(read);
  if (metrics.size < read.length) throw new Error(`A metric has two values: "${text}"`);
  return metrics;
}
