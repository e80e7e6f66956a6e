import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST } from '../../src/demo/lab/site.ts';
import type { Site } from './site.ts';

type Host = 'license' | 'control_0' | 'control_1';

export type ModuleName = 'tcp' | 'smtp_starttls' | `${'dns_a' | 'dns_aaaa' | 'tls' | 'http'}_${Host}`;

/** Returns the modules for blackbox_exporter's configuration file. */
export function modules(site: Site): Readonly<Record<ModuleName, unknown>> {
  const [first = '', second = ''] = CONTROL_HOSTS;
  return {
    tcp: { prober: 'tcp', timeout: '5s', tcp: { preferred_ip_protocol: 'ip4' } },
    smtp_starttls: smtp(site),
    ...web('license', LICENSE_HOST, 'GET', site.fortinetCa),
    ...web('control_0', first, 'HEAD', site.otherCa),
    ...web('control_1', second, 'HEAD', site.otherCa),
  };
}

type WebModules<H extends Host> = Readonly<Record<`${'dns_a' | 'dns_aaaa' | 'tls' | 'http'}_${H}`, unknown>>;

function web<H extends Host>(host: H, name: string, method: string, caFile: string): WebModules<H> {
  const tls = { server_name: name, ca_file: caFile };
  return {
    [`dns_a_${host}`]: dns(name, 'A'),
    [`dns_aaaa_${host}`]: dns(name, 'AAAA'),
    [`tls_${host}`]: {
      prober: 'tcp',
      timeout: '5s',
      tcp: { preferred_ip_protocol: 'ip4', tls: true, tls_config: tls },
    },
    [`http_${host}`]: {
      prober: 'http',
      timeout: '5s',
      http: {
        method,
        headers: { Host: name },
        valid_status_codes: [200, 404],
        follow_redirects: false,
        preferred_ip_protocol: 'ip4',
        tls_config: tls,
      },
    },
  } as WebModules<H>;
}

function dns(name: string, type: 'A' | 'AAAA'): unknown {
  return { prober: 'dns', timeout: '5s', dns: { query_name: name, query_type: type, preferred_ip_protocol: 'ip4' } };
}

/** The same dialogue as our mail probe. */
function smtp({ fortinetCa }: Site): unknown {
  return {
    prober: 'tcp',
    timeout: '5s',
    tcp: {
      preferred_ip_protocol: 'ip4',
      tls_config: { server_name: MAIL_HOST, ca_file: fortinetCa },
      query_response: [
        { expect: '^220 ' },
        { send: 'EHLO bench\r' },
        { expect: '^250 ' },
        { send: 'STARTTLS\r' },
        { expect: '^220 ' },
        { starttls: true },
        { send: 'EHLO bench\r' },
        { expect: '^250 ' },
        { send: 'MAIL FROM:<fac@example.org>\r' },
        { expect: '^250 ' },
        { send: 'RCPT TO:<probe@example.org>\r' },
        { expect: '^250 ' },
        { send: 'RSET\r' },
        { expect: '^250 ' },
        { send: 'QUIT\r' },
      ],
    },
  };
}
