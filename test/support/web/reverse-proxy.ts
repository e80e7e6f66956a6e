import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { findProgram } from '../process/privilege.ts';

/** A real nginx on loopback in front of one server. */
export interface ReverseProxy extends AsyncDisposable {
  /** URL without a trailing slash. */
  readonly url: string;
}

/**
 * Starts nginx with `proxy_pass` to a server, and resolves when it accepts connections. Needs Debian's `nginx-light`.
 * @param directives additional directives of the location; none by default, as in most examples on the internet
 */
export async function startReverseProxy(upstream: string, directives = ''): Promise<ReverseProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-nginx-'));
  const port = await freePort();
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off;
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
`,
  );
  const child = spawn(findProgram('nginx') ?? 'nginx', ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  let hasEnded = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
  });
  while (!(await accepts(port))) if (hasEnded) throw new Error(`nginx ended: ${said}`);
  return {
    url: `http://127.0.0.1:${String(port)}`,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
