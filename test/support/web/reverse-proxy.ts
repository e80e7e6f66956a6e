import { freePort } from '../network/free-port.ts';
import { acceptsAt, startProgram, type StartedProgram } from '../process/start-program.ts';

/** A real nginx on loopback in front of one server. */
export interface ReverseProxy extends StartedProgram {
  /** URL without a trailing slash. */
  readonly url: string;
}

/**
 * Starts nginx with `proxy_pass` to a server, and resolves when it accepts connections. Needs Debian's `nginx-light`.
 * @param directives additional directives of the location; none by default, as in most examples on the internet
 */
export async function startReverseProxy(upstream: string, directives = ''): Promise<ReverseProxy> {
  const port = await freePort();
  const program = await startProgram((folder) => ({
    command: ['nginx', '-p', folder, '-e', 'stderr', '-c', 'nginx.conf'],
    config: { 'nginx.conf': configuration(port, upstream, directives) },
    readyWhen: acceptsAt(port),
    stop: 'SIGTERM',
  }));
  return { ...program, url: `http://127.0.0.1:${String(port)}` };
}

function configuration(port: number, upstream: string, directives: string): string {
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
error_log stderr;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${String(port)};
    location / {
      proxy_pass ${upstream};
      ${directives}
    }
  }
}
`;
}
