import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { problemOf } from '../../src/cli/daemon-client.ts';
import { logPartOf } from '../../src/cli/log-memory.ts';
import { reportTarget, writeTo } from '../../src/cli/report-file.ts';
import { zoneOf } from '../../src/core/time-text.ts';
import { emptyPolling } from '../../src/core/polling/state.ts';
import { impactOf } from '../../src/engine/model.ts';
import { renderProbe } from '../../src/metrics/probe-metrics.ts';
import { chooseProbe } from '../../src/runtime/probe-on-demand.ts';
import { renderFeed } from '../../src/web/feed.ts';
import { endpoint } from '../support/checks/observed.ts';
import { configOf } from '../support/config/config-of.ts';
import { shippedCatalogue } from '../support/logs/signature-catalogue.ts';
import { incidentOf } from '../support/notify/outbox-entry-of.ts';
import { MINUTE, START } from '../support/store/incident-timeline.ts';
import { expectRecorded } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-texts-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'there'));
writeFileSync(join(folder, 'file'), '');
writeFileSync(join(folder, 'there/name.zip'), '');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '');

/** Where a report is to be written. */
const TARGETS = ['/dev/null', 'missing/a.zip', 'missing/', 'file', 'file/a.zip', 'there', 'x'.repeat(300)];

async function written(typed: string): Promise<string> {
  const output = { write: () => undefined };
  const said = await reportTarget({ typed, cwd: folder, force: false })
    .then((target) => writeTo(target, 'name.zip', Buffer.from('x'), false, output as never))
    .then(String, messageOf);
  return said.replaceAll(folder, '/folder');
}

const IMPACTS = ['activation', 'redundancy', 'uncertain', 'service', 'none'] as const;
const OFFLINE = [true, false, null] as const;
const ANSWERS = { refused: 409, 'an error': 500, 'an unknown path': 404 } as const;
const PROBED = ['', 'a b', '127.0.0.1', 'elsewhere.example.org:443'] as const;

test('texts that stand alone', async () => {
  const files = TARGETS.map(async (typed) => [`report -o ${typed}`, await written(typed)] as const);
  const impacts = IMPACTS.flatMap((kind) =>
    OFFLINE.map((offlineSupported) => {
      const text = impactOf(kind, { licenseActive: offlineSupported, offlineSupported });
      return [`impact: ${kind}, offline ${String(offlineSupported)}`, text] as const;
    }),
  );
  const answers = Object.entries(ANSWERS).map(([name, status]) => {
    const json = status === 409 ? { error: 'Refused', problems: ['a', 'b'] } : undefined;
    return [`answer of the daemon: ${name}`, problemOf({ status, json, text: 'No.\n' })] as const;
  });
  const config = await configOf('logs: { syslog: { udp: "127.0.0.1:5514" } }');
  const probes = (['dns', 'tls', 'smtp'] as const).flatMap((module) =>
    PROBED.map((asked) => [`probe ${module} "${asked}"`, JSON.stringify(chooseProbe(config, asked, module))] as const),
  );
  const signatures = await shippedCatalogue();
  const old = { kind: 'read', state: emptyPolling(15 * MINUTE), listeningSince: null } as const;
  const logs = [{ kind: 'none' } as const, { kind: 'unreadable', message: 'x' } as const, old].map((logMemory) => {
    const part = logPartOf(config, { logMemory, storedHistory: { kind: 'none' }, signatures, now: START });
    return [`log data: ${logMemory.kind}`, JSON.stringify(part)] as const;
  });
  const open = incidentOf();
  const merged = { ...open, id: 'over', status: 'closed', closedAt: START + MINUTE, mergedInto: 'another' } as const;
  const at = { startedAt: START, zone: zoneOf('UTC') };
  const feed = renderFeed({ site: 'hq', publicUrl: null, incidents: [open, merged], ...at });
  const told = [...(await Promise.all(files)), ...impacts, ...answers, ...probes, ...logs, ['feed', feed] as const];
  await expectRecorded('texts', Object.fromEntries(told));
});

const ANSWER = {
  kind: 'answer',
  rcode: 'NOERROR',
  addresses: ['192.0.2.1'],
  cnames: [],
  ttlSeconds: 60,
  durationMs: 3,
  attempts: 1,
} as const;

test('what the metrics of /probe mean', async () => {
  const established = { kind: 'established', durationMs: 4, protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const tls = { ...established, chain: { certificates: [], dropped: 0 } } as never;
  const http = { kind: 'response', status: 200, durationMs: 4 } as never;
  const probed = (['dns', 'http'] as const).map(async (module) => {
    const { body } = await renderProbe({
      module,
      success: true,
      durationMs: 9,
      names: [{ resolver: 'system', name: 'server.test', a: ANSWER, aaaa: ANSWER }],
      endpoint: module === 'dns' ? null : { ...endpoint('192.0.2.1'), tls, http },
      mailCertificateNotAfter: module === 'dns' ? null : 1_800_000_000_000,
      genuineNotAfter: 1_800_000_000_000,
    });
    return [module, (body.match(/^# HELP .*$/gmu) ?? []).join('\n')] as const;
  });
  await expectRecorded('probe', Object.fromEntries(await Promise.all(probed)));
});
