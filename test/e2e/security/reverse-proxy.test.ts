import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { askSocket } from '../../support/process/control-socket.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startReverseProxy } from '../../support/web/reverse-proxy.ts';
import { basicAuth } from '../../support/web/web-bench.ts';
import { watchLab } from '../../support/network/lab-check.ts';

const TIMEOUT = 120_000;
const FORM = 'application/x-www-form-urlencoded';
const SILENCE = { duration: '2h', by: 'Mallory', comment: 'x' };
const ACCOUNTS = {
  users: [{ name: 'ada', passwordHashFile: 'ada.hash' }],
  proxy: { role: 'change', secretFile: 'proxy-secret' },
};
/** The proxy configuration in docs/web.md, with a logged-in user. */
const AS_USER = `proxy_set_header Host $http_host;
proxy_set_header X-Forwarded-User grace;
proxy_set_header X-Proxy-Secret of-this-proxy;
proxy_set_header Authorization "";`;

type Headers = Readonly<Record<string, string>>;

interface Change {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

/** Returns every possible change to one incident and one silence. */
function changesOf(incident: string, silence: string): readonly Change[] {
  const body = new URLSearchParams(SILENCE).toString();
  return [
    { method: 'POST', path: '/api/v1/silences', type: 'application/json', body: JSON.stringify(SILENCE) },
    { method: 'DELETE', path: `/api/v1/silences/${silence}`, type: FORM, body: '' },
    ...['acknowledge', 'unacknowledge', 'silence', 'comment'].map((action) => ({
      method: 'POST',
      path: `/incidents/${incident}/${action}`,
      type: FORM,
      body,
    })),
    // Last, because the page has another port afterwards.
    { method: 'POST', path: '/-/reload', type: FORM, body: '' },
  ];
}

/** Starts a daemon on loopback with an open incident and a silence, behind nginx. */
async function startSite(web: object, directives = '') {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await createLab({ web: { listen: '127.0.0.1:0', ...web } }));
  await writeFile(join(lab.folder, 'proxy-secret'), 'of-this-proxy\n');
  await writeFile(join(lab.folder, 'ada.hash'), await hashPassword('secret', { ln: 4, r: 8, p: 1 }));
  const daemon = stack.use(await watchLab(lab));
  const proxy = stack.use(await startReverseProxy(await daemon.page(), directives));
  const socket = join(lab.folder, 'data/ftm-watch.sqlite.sock');
  const json = async <T>(path: string): Promise<T> =>
    JSON.parse((await askSocket(socket, { method: 'GET', path })).text) as T;
  await lab.inspect(true);
  await lab.inbox.mail(
    ({ event, cause }) => event === 'firing' && cause === 'tls-intercepted',
    AbortSignal.timeout(60_000),
  );
  const added = await askSocket(socket, {
    method: 'POST',
    path: '/api/v1/silences',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...SILENCE, by: 'Ada', cause: 'mail-unreachable' }),
  });
  const { incidents } = await json<{ incidents: readonly { readonly id: string }[] }>('/api/v1/incidents');
  const changes = changesOf(incidents[0]?.id ?? '', (JSON.parse(added.text) as { readonly id: string }).id);
  const owned = stack.move();

  async function send({ method, path, type, body }: Change, headers: Headers = {}) {
    const answer = await fetch(`${proxy.url}${path}`, {
      method,
      redirect: 'manual',
      headers: { 'Content-Type': type, ...headers },
      ...(body === '' ? {} : { body }),
    });
    return { status: answer.status, text: await answer.text() };
  }

  return {
    changes,
    url: proxy.url,
    /** Sends all changes through the proxy and returns the responses. */
    sendAll: async (headers?: Headers) => {
      const answers: Awaited<ReturnType<typeof send>>[] = [];
      for (const change of changes) answers.push(await send(change, headers));
      return answers;
    },
    /** Returns everything that a change would affect. */
    state: async () => ({
      silences: await json('/api/v1/silences'),
      acknowledged: (
        await json<{ incidents: readonly { readonly acknowledgement: unknown }[] }>('/api/v1/incidents')
      ).incidents.map(({ acknowledgement }) => acknowledgement),
      done: (await json<{ changes: readonly Done[] }>('/api/v1/audit')).changes,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Done {
  readonly account: string;
  readonly action: string;
}

describeWhere([{ program: 'nginx' }], 'behind nginx with a bare "proxy_pass"', () => {
  test('nothing is changed without an account, and the answer names what to use', { timeout: TIMEOUT }, async () => {
    await using site = await startSite({});
    const before = await site.state();
    for (const headers of [{}, { Origin: 'null' }, { 'X-Forwarded-User': 'ada' }])
      expect((await site.sendAll(headers)).map(({ status }) => status)).toEqual(site.changes.map(() => 403));
    expect(await site.state()).toEqual(before);
    for (const { text } of await site.sendAll()) {
      expect(text).toContain('ftm-watch reload');
      expect(text).toMatch(/curl --unix-socket \S+\/ftm-watch\.sqlite\.sock -X POST http:\/\/localhost\/-\/reload/u);
    }
  });

  test('nobody becomes a user by a header', { timeout: TIMEOUT }, async () => {
    await using site = await startSite(ACCOUNTS);
    const before = await site.state();
    for (const headers of [
      { 'X-Forwarded-User': 'ada' },
      { 'X-Forwarded-User': 'ada', 'X-Proxy-Secret': 'guess' },
      { 'X-Proxy-Secret': 'of-this-proxy' },
    ])
      expect((await site.sendAll(headers)).map(({ status }) => status)).toEqual(site.changes.map(() => 401));
    expect(await site.state()).toEqual(before);
  });

  test('a user with a password changes everything', { timeout: TIMEOUT }, async () => {
    await using site = await startSite(ACCOUNTS);
    const answers = await site.sendAll({ ...basicAuth('ada', 'secret').headers });
    expect(answers.map(({ status }) => status)).toEqual([201, 204, 303, 303, 303, 303, 200]);
  });

  test('the user of a proxy that shows the secret changes everything, by no other name', {
    timeout: TIMEOUT,
  }, async () => {
    await using site = await startSite(ACCOUNTS, AS_USER);
    // As a browser submits a form on the page, and with additional headers.
    const answers = await site.sendAll({
      Origin: site.url,
      'X-Forwarded-User': 'mallory',
      'X-Proxy-Secret': 'guess',
    });
    expect(answers.map(({ status }) => status)).toEqual([201, 204, 303, 303, 303, 303, 200]);
    const { done } = await site.state();
    expect(done.slice(0, 7).map(({ account }) => account)).toEqual(site.changes.map(() => 'grace'));
  });
});
