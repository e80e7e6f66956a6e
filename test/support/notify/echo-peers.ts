import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { listening } from '../../../src/demo/lab/listening.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { createScriptedSmtp, type ScriptedSmtp } from '../mail/smtp-script.ts';

/**
 * A peer that rejects every request and quotes it in its answer, which is the worst that an honest server can do to a
 * secret.
 */
export interface EchoPeer extends AsyncDisposable {
  readonly port: number;
  /** Bodies of the requests. */
  readonly bodies: readonly string[];
}

/** Long enough that the quoted text is cut in the middle. */
const PREFIX = 'x'.repeat(230);

/** Offers a login and quotes it, both as received and decoded. */
export function echoSmtp(): Promise<ScriptedSmtp> {
  return createScriptedSmtp({
    onLine: (line) => {
      if (line.startsWith('EHLO')) return '250-echo.example.test\r\n250 AUTH PLAIN\r\n';
      if (!line.startsWith('AUTH ')) return '250 fine\r\n';
      const sent = line.split(' ').at(-1) ?? '';
      const decoded = Buffer.from(sent, 'base64').toString('utf8').replaceAll('\0', ' ');
      return `535-5.7.8 ${sent}\r\n535 5.7.8 ${decoded.repeat(3)} ${PREFIX} ${decoded}\r\n`;
    },
  });
}

/** Answers 500 with a page that quotes the path, header fields and body. */
export async function echoHttp(): Promise<EchoPeer> {
  const bodies: string[] = [];
  const server = createHttpServer((request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      response.writeHead(500).end(`Cannot ${quoted(request, '')} ${PREFIX} ${quoted(request, '')}`);
    });
  });
  return { ...(await listening(server)), bodies };
}

/**
 * Answers JSON in the style of the APIs, with the request quoted in every string, half of them escaped. Every other
 * response contains `token`, for clients that log in.
 */
export async function echoApi(token: string): Promise<EchoPeer & { readonly pem: string }> {
  const identity = await createIdentity({ name: 'CN=echo', ipAddresses: ['127.0.0.1'] });
  const bodies: string[] = [];
  let logins = 0;
  const server = createHttpsServer({ cert: identity.pem, key: identity.keyPem }, (request, response) => {
    void text(request).then((body) => {
      bodies.push(body);
      const isLogin = request.url?.includes('/oauth/token') === true;
      if (isLogin) logins += 1;
      const said = quoted(request, body);
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const answer = isLogin && logins % 2 === 1 ? { access_token: token } : apiAnswer(said);
      response.end(withEscapes(JSON.stringify(answer), said));
    });
  });
  return { ...(await listening(server)), bodies, pem: identity.pem };
}

/**
 * Placeholder for the quoted text with each character escaped, so that the secret does not appear in the sent bytes.
 */
const ESCAPED = 'ESCAPED';

function withEscapes(json: string, said: string): string {
  const escapes = Array.from({ length: said.length }, (_, at) => said.charCodeAt(at).toString(16).padStart(4, '0'));
  return json.replaceAll(`"${ESCAPED}"`, `"\\u${escapes.join('\\u')}"`);
}

function apiAnswer(said: string): object {
  return {
    status: -1,
    message: said,
    error: { errorCode: ESCAPED, message: `${'x'.repeat(150)}${said}` },
    sn: 'FAC-VM0000000001',
    firmware: ESCAPED,
    meta: { next: null },
    objects: [{ address: 'mail.example.test', sender_email: said, serial: said, license: ESCAPED, status: said }],
    server_address: said,
    total_ftm: 1,
    results: [
      {
        success: true,
        policy_id: 5,
        name: ESCAPED,
        action: 'accept',
        'ssl-ssh-profile': said,
        'av-profile': ESCAPED,
        'utm-status': 'enable',
      },
    ],
  };
}

function quoted(request: IncomingMessage, body: string): string {
  const { authorization = '' } = request.headers;
  const [scheme = '', credentials = ''] = authorization.split(' ');
  const decoded = scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString('utf8') : credentials;
  return `${decoded} ${credentials} ${String(request.method)} ${String(request.url)} ${body}`;
}

/** Starts a CONNECT proxy that requires a login and quotes it in its status line. */
export async function echoProxy(): Promise<EchoPeer> {
  const server = createTcpServer((socket) => {
    socket.once('data', (data: Buffer) => {
      const sent = /proxy-authorization: basic (\S+)/iu.exec(data.toString('latin1'))?.[1] ?? '';
      const decoded = Buffer.from(sent, 'base64').toString('latin1');
      socket.end(
        `HTTP/1.1 407 ${decoded}\r\nX-Login: ${sent}\r\nContent-Length: ${String(decoded.length)}\r\n\r\n${decoded}`,
      );
    });
  });
  return { ...(await listening(server)), bodies: [] };
}

/** Starts an SNMP agent that answers with a different community. The library quotes both. */
export async function echoSnmp(): Promise<EchoPeer> {
  const socket = createSocket('udp4');
  socket.on('message', (packet, { port, address }) => {
    const answer = Buffer.from(packet);
    const community = answer.indexOf('c4n4ry');
    answer.write('C', community);
    const request = answer.indexOf(0xa0);
    if (request >= 0) answer[request] = 0xa2;
    socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    bodies: [],
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        socket.close(resolve);
      }),
  };
}
