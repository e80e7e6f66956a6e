import type { SourcesConfig } from '../../sources/registry.ts';
import { authority } from '../../core/authority.ts';
import { nameList } from '../../core/name-list.ts';
import { type Finding, unknown } from '../../engine/finding.ts';
import type { PollingReport } from '../../core/polling/report.ts';

const MOST_STRANGERS = 6;

/**
 * Waits for the first line of each appliance: a log that never said anything proves nothing. That is no fault of the
 * path, so no fault explains it.
 *
 * @param strangers unknown senders whose lines were refused
 */
export function judgeFirstLines(
  config: SourcesConfig,
  { appliances }: PollingReport,
  strangers: readonly string[],
): readonly Finding[] {
  const silent = appliances
    .filter(({ lastLineAt, silent: isTold }) => lastLineAt === null && !isTold)
    .map(({ name }) => name);
  const subjects = appliances.length === 0 ? ['the log'] : silent;
  const refused =
    strangers.length === 0 ? '' : `; refused lines of unknown senders: ${nameList(strangers, MOST_STRANGERS)}`;
  const places = placesOf(config);
  return subjects.map((subject) =>
    unknown({
      rule: 'first-line-arrived',
      subject,
      claim:
        `Waiting for the first log line, ${nameList(places, 3)}` +
        `${strangers.length === 0 ? '' : `; lines of unknown senders were refused: ${nameList(strangers, 3)}`}.`,
      expected: 'A log line of FortiAuthenticator',
      actual: `Waiting for the first one, ${places.join(', ')}${refused}`,
      explainedBy: [],
    }),
  );
}

/** Where it is listened. */
function placesOf({ logs }: SourcesConfig): readonly string[] {
  const { udp, tcp, tls } = logs.syslog;
  const listeners = Object.entries({ udp, tcp, tls: tls && tls.listen }).flatMap(([way, listener]) => {
    if (listener === null) return [];
    return [`${way.toUpperCase()} ${authority({ host: listener.address, port: listener.port })}`];
  });
  return [
    ...(listeners.length === 0 ? [] : [`listening on ${listeners.join(' and ')}`]),
    ...logs.files.map((file) => `reading ${file}`),
  ];
}
