import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { Document, visit } from 'yaml';

/** The answers as typed. Empty answers are omitted from the configuration. */
export interface Answers {
  /** If empty, the host name is used. */
  readonly site: string;
  readonly appliances: readonly string[];
  /** A host with an optional port. */
  readonly mailServer: string;
  readonly recipients: readonly string[];
  readonly alertmanager: string;
}

/** Processes without root privileges can listen on this port. */
export const SYSLOG_PORT = 5514;

const TLS_PORT = '465';
const LINE = 80;

/**
 * The answers are validated when the configuration is loaded.
 * @param stateFolder null for the default folder
 * @param manual the file that describes all keys
 */
export function firstConfiguration(answers: Answers, stateFolder: string | null, manual: string): string {
  const sections = {
    ...(answers.site === '' ? {} : { site: answers.site }),
    ...watched(answers),
    ...told(answers),
    ...(stateFolder === null
      ? {}
      : {
          store: { path: join(stateFolder, 'ftm-watch.sqlite') },
          trust: { baselineFile: join(stateFolder, 'trust-baseline.json') },
        }),
  };
  return (
    `# All keys: ${manual}. After changes, run "ftm-watch config check" and "ftm-watch reload".\n` +
    printed(sections) +
    OTHER_NETWORKS
  );
}

const OTHER_NETWORKS = `\
# Is it this site, or Fortinet? To ask probes in other networks (sends the licence server's name to Globalping):
# outside: { globalping: {} }
`;

function watched({ appliances, mailServer }: Answers): object {
  return {
    ...(appliances.length === 0
      ? {}
      : {
          appliances: appliances.map((address, index) => ({ name: `fac-${String(index + 1)}`, logSources: [address] })),
          // A machine without IPv6 cannot listen on [::], which also receives IPv4.
          logs: { syslog: { udp: `${appliances.some(isIPv6) ? '[::]' : '0.0.0.0'}:${String(SYSLOG_PORT)}` } },
        }),
    ...(mailServer === '' ? {} : { mail: [relay(mailServer)] }),
  };
}

function told({ recipients, mailServer, alertmanager }: Answers): object {
  const [first] = recipients;
  const email =
    first === undefined
      ? {}
      : {
          email: {
            from: `ftm-watch@${first.slice(first.lastIndexOf('@') + 1)}`,
            to: recipients,
            // The local mail server is tried last. It can be reached even if the monitored network path fails.
            servers: [...(mailServer === '' ? [] : [relay(mailServer)]), { host: 'localhost', security: 'none' }],
          },
        };
  const notify = { ...email, ...(alertmanager === '' ? {} : { alertmanager: { urls: [alertmanager] } }) };
  return Object.keys(notify).length === 0 ? {} : { notify };
}

/** A port after an IPv6 address is recognized only if the address is in brackets. */
function relay(typed: string): object {
  const { host = typed, port } = /^(?<host>[^:]+|\[.+\]):(?<port>\d+)$/u.exec(typed)?.groups ?? {};
  return {
    host: host.replace(/^\[(.*)\]$/u, '$1'),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(port === TLS_PORT ? { security: 'tls' } : {}),
  };
}

function printed(sections: object): string {
  const document = new Document(sections);
  visit(document.contents, {
    Collection: (_, node, path) => {
      node.flow = path.length > 0 && JSON.stringify(node).length <= LINE;
    },
  });
  return Object.keys(sections).length === 0 ? '' : document.toString({ lineWidth: 0 });
}
