import type { Config } from '../../config/config.ts';

/** Whether anything listens to a log. */
export function listens({ logs }: Pick<Config, 'logs'>): boolean {
  const { udp, tcp, tls } = logs.syslog;
  return [udp, tcp, tls].some((listener) => listener !== null) || logs.files.length > 0;
}
