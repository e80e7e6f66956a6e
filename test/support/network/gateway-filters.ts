import { join } from 'node:path';
import { listensIn, startProgram } from '../process/start-program.ts';
import { LICENSE_ADDRESS, LICENSE_HOST } from './inspected-site.ts';
import type { InspectedSite } from './inspected-site.ts';
import type { Sandbox } from './sandbox.ts';

const TO_LICENSE_SERVER = `iifname inside ip daddr ${LICENSE_ADDRESS} tcp dport 443`;
/** A TLS hello. No other packet of a handshake is as long. */
const HELLO = 'meta length > 300';

/** Adds nft rules and sets to the forwarding of a site's gateway until disposal. */
export function filter({ gateway }: InspectedSite, rules: string, sets = ''): Disposable {
  return block(gateway, 'forward', rules, sets);
}

/** Adds nft rules to what the servers on the internet receive. Refusals come from as far away as their answers. */
export function filterAtServers({ internet }: InspectedSite, rules: string): Disposable {
  return block(internet, 'input', rules);
}

function block(at: Sandbox, hook: 'forward' | 'input', rules: string, sets = ''): Disposable {
  at.sh(
    `nft -f - <<END\ntable ip blocking {\n ${sets}\n chain ${hook} {\n type filter hook ${hook} priority 0;\n` +
      ` ${rules}\n }\n}\nEND`,
  );
  return disposable(() => {
    at.sh('nft delete table ip blocking');
  });
}

/** Answers every hello, to any host, with a reset. */
export const CUT_ALL_TLS: string = `iifname inside tcp dport 443 ${HELLO} reject with tcp reset`;

/**
 * Drops the first SYN of every connection to the licence server, so that it opens after a second (RFC 6298 section
 * 2), and answers its hello with a reset.
 */
export function cutAfterLostSyn(site: InspectedSite): Disposable {
  const isNew = 'ip saddr . tcp sport != @seen add @seen { ip saddr . tcp sport } drop';
  const rules =
    `${TO_LICENSE_SERVER} tcp flags & (syn | ack) == syn ${isNew}\n` +
    ` ${TO_LICENSE_SERVER} ${HELLO} reject with tcp reset`;
  return filter(
    site,
    rules,
    'set seen {\n type ipv4_addr . inet_service\n flags dynamic\n timeout 60s\n size 1024\n }',
  );
}

/** Drops packets that contain the licence server's name, as an application signature does. */
export function dropByName({ gateway }: InspectedSite): Disposable {
  const rule = `FORWARD -p tcp --dport 443 -m string --algo bm --string ${LICENSE_HOST} -j DROP`;
  gateway.sh(`iptables -A ${rule}`);
  return disposable(() => {
    gateway.sh(`iptables -D ${rule}`);
  });
}

/** Drops packets to the site that are larger than 576 bytes, and the ICMP messages that report it. */
export function hideMtu({ gateway }: InspectedSite): Disposable {
  gateway.sh(`
    ip link set inside mtu 576
    nft -f - <<END
    table ip hole {
      chain output {
        type filter hook output priority 0;
        icmp type destination-unreachable drop
      }
    }
END`);
  return disposable(() => {
    gateway.sh('nft delete table ip hole; ip link set inside mtu 1500');
  });
}

const HAPROXY_PORT = 3443;

/**
 * Runs HAProxy on TCP port 443 of the gateway. It forwards connections, and rejects those whose hello contains the
 * licence server's name.
 */
export async function rejectByName({ gateway }: InspectedSite): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  stack.use(
    await startProgram((folder) => ({
      command: ['haproxy', '-db', '-f', join(folder, 'haproxy.cfg')],
      config: { 'haproxy.cfg': haproxyConfiguration() },
      readyWhen: listensIn(gateway, HAPROXY_PORT),
      sandbox: gateway,
    })),
  );
  gateway.sh(`
    nft -f - <<END
    table ip proxying {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname inside tcp dport 443 redirect to :${String(HAPROXY_PORT)}
      }
    }
END`);
  stack.defer(() => gateway.sh('nft delete table ip proxying'));
  return stack.move();
}

function haproxyConfiguration(): string {
  return `
defaults
  mode tcp
  timeout connect 3s
  timeout client 10s
  timeout server 10s
frontend tls
  bind :${String(HAPROXY_PORT)}
  tcp-request inspect-delay 3s
  tcp-request content reject if { req.ssl_sni -i ${LICENSE_HOST} }
  tcp-request content accept if { req.ssl_hello_type 1 }
  default_backend onward
backend onward
  # 0.0.0.0: to the address that the client meant
  server onward 0.0.0.0:443
`;
}

function disposable(dispose: () => void): Disposable {
  return { [Symbol.dispose]: dispose };
}
