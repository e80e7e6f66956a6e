import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../support/network/free-port.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { describeWhere, findProgram } from '../../support/process/privilege.ts';
import { LICENSE_HOST, startProbeBench } from '../../support/web/probe-bench.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';

const SUCCESS = 'probe_success';

describe('GET /probe of the licence server', () => {
  test('tells what the blackbox exporter tells, as deep as HTTP', async () => {
    await using bench = await startProbeBench();

    const { status, metrics } = await bench.probe(
      `target=${LICENSE_HOST}:${String(bench.licenseServer.port)}&module=http`,
    );

    expect(status).toBe(200);
    expect([...metrics.keys()]).toEqual([
      SUCCESS,
      'probe_duration_seconds',
      'probe_dns_lookup_time_seconds',
      'probe_ip_protocol',
      'probe_ip_addr_hash',
      'probe_http_status_code',
      'probe_http_version',
      'probe_http_content_length',
      'probe_http_uncompressed_body_length',
      'probe_http_ssl',
      'probe_http_redirects',
      'probe_http_duration_seconds{phase="resolve"}',
      'probe_http_duration_seconds{phase="connect"}',
      'probe_http_duration_seconds{phase="tls"}',
      'probe_http_duration_seconds{phase="processing"}',
      'probe_ssl_last_chain_expiry_timestamp_seconds',
      'probe_ssl_earliest_cert_expiry',
      'probe_tls_version_info{version="TLS 1.3"}',
      'probe_tls_cipher_info{cipher="TLS_AES_256_GCM_SHA384"}',
    ]);
    expect(metrics.get(SUCCESS)).toBe(1);
    expect(metrics.get('probe_http_status_code')).toBe(403);
    expect(metrics.get('probe_ip_protocol')).toBe(4);
    const phases = [...metrics]
      .filter(([name]) => name.startsWith('probe_http_duration'))
      .map(([, seconds]) => seconds);
    const total = metrics.get('probe_duration_seconds') ?? 0;
    expect(phases.every((seconds) => seconds > 0)).toBe(true);
    expect(phases.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(total);
    const expiry = metrics.get('probe_ssl_earliest_cert_expiry') ?? 0;
    expect(expiry).toBeGreaterThan(Date.now() / 1000);
    expect(expiry).toBeLessThan(Date.now() / 1000 + 366 * 86_400);
  });

  test.each([
    ['tcp', ['probe_dns_lookup_time_seconds', 'probe_ip_protocol']],
    ['tls', ['probe_ssl_earliest_cert_expiry', 'probe_tls_version_info{version="TLS 1.3"}']],
    ['dns', ['probe_dns_answer_rrs', 'probe_dns_query_succeeded', 'probe_dns_duration_seconds{phase="request"}']],
  ])('goes no deeper than %s', async (module, names) => {
    await using bench = await startProbeBench();
    const { metrics } = await bench.probe(`target=${LICENSE_HOST}&module=${module}`);
    expect(metrics.get(SUCCESS)).toBe(1);
    for (const name of names) expect([...metrics.keys()]).toContain(name);
    expect([...metrics.keys()].some((name) => name.startsWith('probe_http'))).toBe(false);
    expect(bench.licenseServer.seen).toBe(module === 'dns' ? 0 : 1);
  });

  test('explains what was seen and what it means', async () => {
    await using bench = await startProbeBench({ trust: { profile: 'public' } });
    const { status, text, metrics } = await bench.probe(`target=${LICENSE_HOST}&module=tls&debug=true`);
    expect(status).toBe(200);
    expect(text).toMatch(/^tls probe of license\.example\.test: failure after \d+\.\d ms\n/u);
    expect(text).toMatch(/A     NOERROR 127\.0\.0\.1, TTL 60 s in \d/u);
    expect(text).toMatch(/127\.0\.0\.1 {2}TCP {3}open in \d/u);
    expect(text).toMatch(/127\.0\.0\.1 {2}TLS {3}established, SNI "license\.example\.test", TLSv1\.3/u);
    expect(text).toMatch(/^broken {2}chain-\S+ \(license\.example\.test:\d+\): expected .+, got .+$/mu);
    expect(metrics.get(SUCCESS)).toBe(0);
    expect(metrics.get('probe_ssl_earliest_cert_expiry')).toBeGreaterThan(0);
  });
});

describe('GET /probe of what else the configuration names', () => {
  test('asks a resolver for the licence server', async () => {
    await using bench = await startProbeBench();
    for (const target of [
      `127.0.0.1:${String(bench.resolver.port)}`,
      `udp://127.0.0.1:${String(bench.resolver.port)}`,
    ]) {
      const { metrics } = await bench.probe(`target=${encodeURIComponent(target)}&module=dns`);
      expect(metrics.get(SUCCESS)).toBe(1);
      expect(metrics.get('probe_dns_answer_rrs')).toBe(1);
    }
    expect(new Set(bench.resolver.asked.map(({ name }) => name))).toEqual(new Set([LICENSE_HOST]));
  });

  test('says that a name is not there', async () => {
    await using bench = await startProbeBench({ controlHosts: ['gone.example.test:443'] });
    const { metrics } = await bench.probe('target=gone.example.test&module=dns');
    expect(metrics.get(SUCCESS)).toBe(0);
    expect(metrics.get('probe_dns_query_succeeded')).toBe(1);
    expect(metrics.get('probe_dns_answer_rrs')).toBe(0);
    const tcp = await bench.probe('target=gone.example.test&module=tcp');
    expect(tcp.metrics.get(SUCCESS)).toBe(0);
    expect(tcp.metrics.has('probe_ip_protocol')).toBe(false);
  });

  test('rehearses with a mail server, and sends nothing', async () => {
    await using mail = await createMailServer();
    const server = {
      host: '127.0.0.1',
      port: mail.port,
      security: 'none',
      from: 'a@example.test',
      to: 'b@example.test',
    };
    await using bench = await startProbeBench({ mail: [server] });

    const { metrics } = await bench.probe(`target=127.0.0.1:${String(mail.port)}&module=smtp`);

    expect([...metrics]).toEqual([
      [SUCCESS, 1],
      ['probe_duration_seconds', expect.any(Number)],
    ]);
    expect(mail.commands).toContain('RCPT TO:<b@example.test>');
    expect(mail.mails).toEqual([]);
    await using refusing = await createMailServer({ recipient: () => ({ code: 550, text: 'not today' }) });
    await using other = await startProbeBench({ mail: [{ ...server, port: refusing.port }] });
    const refused = await other.probe(`target=127.0.0.1&module=smtp&debug=true`);
    expect(refused.metrics.get(SUCCESS)).toBe(0);
    expect(refused.text).toContain('recipient: rejected');
  });

  test('opens ports of web.probeTargets', async () => {
    await using peer = await createTcpPeer(() => undefined);
    const closed = await freePort();
    await using bench = await startProbeBench({
      web: { probeTargets: [`127.0.0.1:${String(peer.port)}`, `127.0.0.1:${String(closed)}`] },
    });
    expect((await bench.probe(`target=127.0.0.1:${String(peer.port)}&module=tcp`)).metrics.get(SUCCESS)).toBe(1);
    const { metrics } = await bench.probe(`target=127.0.0.1:${String(closed)}&module=http`);
    expect(metrics.get(SUCCESS)).toBe(0);
    expect(metrics.get('probe_http_status_code')).toBe(0);
    expect(metrics.get('probe_http_duration_seconds{phase="tls"}')).toBe(0);
  });
});

describe('GET /probe refuses', () => {
  test.each([
    ['a host that is not configured', 'target=10.0.0.1:22&module=tcp', 403, 'web.probeTargets'],
    ['another port of a host that is', `target=${LICENSE_HOST}:22&module=tcp`, 403, 'web.probeTargets'],
    ['a name that is not configured', 'target=exfiltrated.evil.example&module=dns', 403, 'web.probeTargets'],
    ['a mail server that is not configured', `target=${LICENSE_HOST}&module=smtp`, 403, '"mail"'],
    ['what is no host', 'target=http://10.0.0.1/&module=http', 400, 'expected HOST or HOST:PORT'],
    ['nothing', 'module=http', 400, 'expected ?target='],
    ['an unknown module', `target=${LICENSE_HOST}&module=icmp`, 400, 'expected one of dns, tcp, tls, http, smtp'],
  ])('%s', async (_, query, status, hint) => {
    await using bench = await startProbeBench();
    const reply = await bench.probe(query);
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(hint);
    expect([bench.licenseServer.seen, bench.resolver.asked]).toEqual([0, []]);
  });

  test('pages of another origin, and times that are none', async () => {
    await using bench = await startProbeBench();
    const query = `target=${LICENSE_HOST}&module=tcp`;
    expect((await bench.probe(query, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await bench.probe(query, { 'X-Prometheus-Scrape-Timeout-Seconds': 'soon' })).status).toBe(400);
    expect(bench.licenseServer.seen).toBe(0);
  });
});

describe('GET /probe of a target that does not answer', () => {
  async function start() {
    const silent = await createTcpPeer((socket) => socket.resume());
    onTestFinished(() => silent[Symbol.asyncDispose]());
    const target = `127.0.0.1:${String(silent.port)}`;
    const bench = await startProbeBench({ web: { probeTargets: [target] } });
    onTestFinished(() => bench[Symbol.asyncDispose]());
    return { silent, target, bench };
  }

  test('answers before Prometheus gives up', async () => {
    const { target, bench } = await start();
    const { status, metrics } = await bench.probe(`target=${target}&module=tls`, {
      'X-Prometheus-Scrape-Timeout-Seconds': '0.8',
    });
    expect(status).toBe(200);
    expect(metrics.get(SUCCESS)).toBe(0);
    expect(metrics.get('probe_duration_seconds')).toBeLessThan(0.8);
  });

  test('blames nobody when this process itself stalled', async () => {
    const { silent, target, bench } = await start();
    const asked = bench.probe(`target=${target}&module=tls`, { 'X-Prometheus-Scrape-Timeout-Seconds': '1.5' });
    await expect.poll(() => silent.open).toBe(1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    const { status, text } = await asked;
    expect({ status, text }).toEqual({
      status: 503,
      text: `The state of ${target} is unknown: the ftm-watch process stalled during the probe\n`,
    });
  });

  test('ends when the client is gone', async () => {
    const { silent, target, bench } = await start();
    const client = connect(bench.web.port, '127.0.0.1');
    client.write(`GET /probe?target=${target}&module=tls HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await expect.poll(() => silent.open).toBe(1);
    client.destroy();
    await expect.poll(() => silent.open).toBe(0);
  });

  test('leaves room for the rounds: two at a time, sixteen waiting, and no more', async () => {
    const { silent, target, bench } = await start();
    const callers = Array.from({ length: 18 }, () => new AbortController());
    const asked = callers.map(({ signal }) => bench.probes.probe({ target, module: 'tls', timeout: null }, signal));
    await expect.poll(() => silent.open).toBe(2);

    expect((await bench.probe(`target=${target}&module=tls`)).status).toBe(503);
    for (const caller of callers.slice(0, 2)) caller.abort();
    await expect.poll(() => silent.seen).toBe(4);
    await expect.poll(() => silent.open).toBe(2);
    for (const caller of callers) caller.abort();
    expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual([
      ...Array(4).fill('probed'),
      ...Array(14).fill('hindered'),
    ]);
    await expect.poll(() => silent.open).toBe(0);
    expect(silent.seen).toBe(4);
    expect((await bench.probe(`target=${LICENSE_HOST}&module=tcp`)).metrics.get(SUCCESS)).toBe(1);
  });

  test('is called off when the configuration is replaced', async () => {
    const { silent, target, bench } = await start();
    const asked = bench.probe(`target=${target}&module=tls`);
    await expect.poll(() => silent.open).toBe(1);
    bench.probes.stop();
    const { status, text } = await asked;
    expect({ status, text }).toEqual({
      status: 503,
      text: `The state of ${target} is unknown: the probe was cancelled\n`,
    });
    expect((await bench.probe(`target=${LICENSE_HOST}&module=tcp`)).status).toBe(503);
  });
});

describeWhere([{ program: 'promtool' }], 'promtool', () => {
  test.each(['dns', 'tcp', 'tls', 'http'])('accepts what module %s tells, without a word', async (module) => {
    await using bench = await startProbeBench();
    const { text } = await bench.probe(`target=${LICENSE_HOST}&module=${module}`);
    const { status, stdout, stderr } = spawnSync(findProgram('promtool') ?? '', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
