/** What of the configuration says where a log is listened to. */
interface Listeners {
  readonly logs: {
    readonly syslog: Readonly<Record<'udp' | 'tcp' | 'tls', object | null>>;
    readonly files: readonly string[];
  };
}

/** Whether anything listens to a log. */
export function listens({ logs: { syslog, files } }: Listeners): boolean {
  return Object.values(syslog).some((listener) => listener !== null) || files.length > 0;
}
