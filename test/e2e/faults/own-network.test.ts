import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';
import { until } from '../../support/time/until.ts';

const SOURCE = new URL('../../../src/', import.meta.url).href;
const ADDRESS = '203.0.113.99';
const PORT = 5514;
const NAME_SERVER = '203.0.113.53';
const WITHIN = 20_000;

/** Prints why a name cannot be resolved. */
const LOOK_UP = `
  import { getaddrinfo, getaddrinfoForSockets } from '${SOURCE}network/lookup.ts';
  import { failureReason } from '${SOURCE}network/failure.ts';
  const name = 'license.example.test';
  const found = await getaddrinfo(name).catch((error) => failureReason(error) + ': ' + error.message);
  const again = await new Promise((resolve) => {
    getaddrinfoForSockets(name, {}, (error) => resolve(failureReason(error) + ': ' + error.message));
  });
  console.log(found + '|' + (found === again));
`;

/** Prints whether lines were handed over to a syslog receiver. */
const SEND_LINES = `
  import { sendLines } from '${SOURCE}notify/channels/syslog.ts';
  import { systemClock } from '${SOURCE}system/clock.ts';
  const signal = new AbortController().signal;
  const told = [];
  for (const transport of ['udp', 'tcp', 'tls']) {
    const receiver = { host: '${NAME_SERVER}', port: 514, transport, caFile: null };
    told.push(await sendLines(['one', 'two'], receiver, systemClock, signal).then(() => 'sent', (error) => error.code));
  }
  console.log(told.join(' '));
`;

/** Prints the address at which a server that is given by name is queried. */
const LOCATE = `
  import { createSystemLookup, locate } from '${SOURCE}network/lookup.ts';
  const server = { host: 'time.example.test', port: 123, sourceAddress: null };
  const { address } = await locate(server, createSystemLookup(), AbortSignal.timeout(${String(WITHIN)}));
  console.log(address);
`;

const FILTER = (verdict: string): string => `nft -f - <<END
table inet own {
  chain output {
    type filter hook output priority 0
    oif != lo ${verdict}
  }
}
END`;

describeWhere(
  ['root', 'network-namespaces', { program: 'nft' }, { program: 'ss' }],
  'a machine whose own network is at fault',
  () => {
    let folder: string;
    let site: Sandbox;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ftm-watch-own-network-'));
      site = await createSandbox();
      await writeFile(join(folder, 'resolv.conf'), '');
      site.sh(`
        ip link add near type veth peer name far
        ip addr add 198.51.100.2/24 dev near
        ip link set near up; ip link set far up
        mount --bind ${join(folder, 'resolv.conf')} /etc/resolv.conf
      `);
    });
    afterAll(async () => {
      await site[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    function run(script: string): string {
      const [enter = '', ...into] = site.prefix;
      const args = [...into, process.execPath, '--input-type=module', '-e', script];
      const { stdout, stderr } = spawnSync(enter, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
      expect(stderr).toBe('');
      return stdout.trim();
    }

    test.each([
      ['no name server is configured', '', '', 'internal: Cannot look up "license.example.test": /etc/resolv.conf'],
      // Listeners of network/udp-exchange.ts: once connect 2
      ['there is no route', '', NAME_SERVER, 'no-route: Cannot look up "license.example.test": cannot send to'],
      [
        // Listeners of network/udp-exchange.ts: callback of send 2
        'its packet filter drops everything',
        `ip route add default via 198.51.100.1; ${FILTER('drop')}`,
        NAME_SERVER,
        'no-route: Cannot look up "license.example.test": cannot send to 203.0.113.53: send EPERM',
      ],
      // Listeners of network/lookup.ts: callback of lookupWithCallback, callback of bind
    ])('knows that it could not ask for a name: %s', async (_, command, server, expected) => {
      await writeFile(join(folder, 'resolv.conf'), server === '' ? '' : `nameserver ${server}\n`);
      site.sh(command);
      const [found = '', isTheSame] = run(LOOK_UP).split('|');
      expect(found).toContain(expected);
      expect(isTheSame).toBe('true');
      if (command !== '') site.sh('nft delete table inet own; ip route del default');
    });

    test.each([
      ['IPv6', '', '2001:db8::53'],
      ['both families', 'ip route add default via 198.51.100.1', '203.0.113.53'],
    ])('queries a server that is given by name at an address to which it has a route: %s', async (_, command, used) => {
      await writeFile(join(folder, 'hosts'), '203.0.113.53 time.example.test\n2001:db8::53 time.example.test\n');
      site.sh(`mount --bind ${join(folder, 'hosts')} /etc/hosts; ip route add 2001:db8::53 dev near; ${command}`);
      try {
        expect(run(LOCATE)).toBe(used);
      } finally {
        site.sh(`umount /etc/hosts; ip route del 2001:db8::53; ${command.replace(' add ', ' del ')}`);
      }
    });

    test('reports no syslog line as sent that did not leave', () => {
      expect(run(SEND_LINES)).toBe('ENETUNREACH ENETUNREACH ENETUNREACH');
      site.sh(`ip route add default via 198.51.100.1; ${FILTER('reject')}`);
      try {
        expect(run(SEND_LINES)).toBe('EPERM ECONNREFUSED ECONNREFUSED');
      } finally {
        site.sh('nft delete table inet own; ip route del default');
      }
    });

    // Listeners of logs/listen-udp.ts: on error, callback of after
    test('opens its UDP socket for log lines again, as soon as the address is back', async () => {
      site.sh(`ip addr add ${ADDRESS}/32 dev lo`);
      const config = join(folder, 'config.json');
      await writeFile(
        config,
        JSON.stringify({
          licenseServer: { host: '127.0.0.1', port: 9 },
          controlHosts: [],
          appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
          logs: { syslog: { udp: `${ADDRESS}:${String(PORT)}` } },
          web: { listen: '127.0.0.1:0' },
        }),
      );
      await using daemon = startDaemonProcess({ cwd: folder, args: ['-c', config], prefix: site.prefix });
      const page = await daemon.page();
      const destroy = `ss -K -lun sport = :${String(PORT)}`;
      const metrics = (): string => run(`console.log(await (await fetch('${page}/metrics')).text());`);
      const send = (): void =>
        void run(
          `import { createSocket } from 'node:dgram';
           const socket = createSocket('udp4').bind(0, '127.0.0.1', () =>
             socket.send('<14>a line', ${String(PORT)}, '${ADDRESS}', () => socket.close()));`,
        );

      site.sh(destroy);
      await daemon.logged('syslog-udp-reopened');
      site.sh(`ip addr del ${ADDRESS}/32 dev lo; ${destroy}`);
      await daemon.logged('syslog-udp-not-reopened');
      site.sh(`ip addr add ${ADDRESS}/32 dev lo`);
      await daemon.logged('syslog-udp-reopened', 1);
      send();
      const received = /^ftm_log_lines_total\{source="udp",result="\w+"\} 1$/mu;
      await until(
        () => Promise.resolve(metrics()),
        (text) => received.test(text),
        WITHIN,
      );
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    });
  },
);
