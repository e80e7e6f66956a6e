import type { FamilyChoice } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import type { Severity } from '../core/severity.ts';
import type { ChannelsConfig } from '../notify/channels/registry.ts';
import type { SecretSource } from '../system/secret.ts';
import type { MailRelay } from './mail-relay.ts';

/**
 * The configuration after validation: defaults filled in, durations in milliseconds, file names absolute, addresses
 * taken apart. Nothing in it changes at run time; a reload makes a new one. Keys are explained in
 * docs/configuration.md.
 */
export interface Config {
  readonly site: string;
  readonly licenseServer: LicenseServerConfig;
  readonly trust: TrustConfig;
  readonly services: readonly ServiceConfig[];
  readonly controlHosts: readonly HostPort[];
  readonly resolvers: readonly ResolverConfig[];
  readonly sourceAddress: string | null;
  readonly mail: readonly MailServerConfig[];
  readonly clock: ClockConfig;
  readonly appliances: readonly ApplianceConfig[];
  readonly logs: LogsConfig;
  readonly registration: RegistrationConfig | null;
  readonly firewall: FirewallConfig | null;
  readonly schedule: ScheduleConfig;
  readonly notify: NotifyConfig;
  readonly web: WebConfig;
  readonly store: StoreConfig;
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' };
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface LicenseServerConfig extends HostPort {
  /** SNI; null sends none. */
  readonly serverName: string | null;
  readonly path: string;
  /** Addresses and CIDR blocks. Single addresses are dialled when no resolver answers. */
  readonly expectedAddresses: readonly string[];
  readonly family: FamilyChoice;
  readonly proxy: ProxyConfig | null;
}

export interface ProxyConfig extends HostPort {
  readonly user: string | null;
  readonly password: SecretSource | null;
}

export type TrustProfile = 'fortinet' | 'public' | 'pinned';

export interface TrustConfig {
  readonly profile: TrustProfile;
  /** `sha256/<base64>`, added to the shipped ones. */
  readonly pins: readonly string[];
  /** PEM files of roots to verify under. */
  readonly caFiles: readonly string[];
  /** Where `trust learn` keeps what it learned. */
  readonly baselineFile: string;
  /** More issuers of inspection products, in the format of config/inspection-products.yaml. */
  readonly productFiles: readonly string[];
}

export interface ServiceConfig extends HostPort {
  readonly name: string;
  readonly serverName: string | null;
  readonly trust: Pick<TrustConfig, 'profile' | 'pins' | 'caFiles'>;
  readonly severity: Severity;
}

export type ResolverConfig =
  | { readonly kind: 'system'; readonly label: 'system' }
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly label: string; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly label: string; readonly url: string };

export interface MailServerConfig extends MailRelay {
  /** MAIL FROM and RCPT TO of the rehearsal; null leaves that step out. */
  readonly from: string | null;
  readonly to: string | null;
}

export interface ClockConfig {
  /** NTP servers, host or host:port. */
  readonly ntp: readonly HostPort[];
  readonly maxOffset: Millis;
}

export interface ApplianceConfig {
  readonly name: string;
  readonly serial: string | null;
  readonly peerSerial: string | null;
  /** Addresses, or host names as they stand in the line, that its log lines come from. */
  readonly logSources: readonly string[];
  readonly licenses: readonly string[];
  readonly api: ApplianceApiConfig | null;
  readonly snmp: SnmpConfig | null;
  /** `tokens-running-out` below this share of the licence, 0 to 1. */
  readonly tokensLow: number;
}

export interface ApplianceApiConfig {
  readonly url: string;
  readonly user: string;
  readonly key: SecretSource;
  readonly caFile: string | null;
  /** `sha256/<base64>` of its own key: an alternative to `caFile`. */
  readonly pin: string | null;
}

export interface SnmpConfig extends HostPort {
  readonly community: SecretSource;
}

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface LogsConfig {
  readonly syslog: {
    readonly udp: ListenAddress | null;
    readonly tcp: ListenAddress | null;
    /** `clientCaFile`: senders must present a certificate under it. */
    readonly tls: (ListenAddress & TlsFiles & { readonly clientCaFile: string | null }) | null;
  };
  readonly files: readonly string[];
  /** Addresses and CIDR blocks of senders that are believed when their lines name a host. */
  readonly relays: readonly string[];
  readonly window: Millis;
  readonly silentAfter: Millis;
  /** What happens to lines from senders that no appliance names. */
  readonly foreign: 'count' | 'refuse';
  /** More signatures, in the format of config/fac-signatures.yaml. */
  readonly signatureFiles: readonly string[];
}

export interface RegistrationConfig {
  readonly user: string;
  readonly password: SecretSource;
  readonly accountId: number | null;
  readonly url: string;
  readonly authUrl: string;
  readonly caFile: string | null;
}

export interface FirewallConfig {
  readonly url: string;
  readonly token: SecretSource;
  readonly vdom: string;
  /** Address that FortiAuthenticator's traffic comes from. */
  readonly source: string;
  readonly sourceInterface: string | null;
  readonly caFile: string | null;
}

export interface ScheduleConfig {
  /** Cron expressions with seconds. */
  readonly probes: string;
  readonly appliance: string;
  readonly registration: string;
  /** IANA name: the zone in which the expressions are meant. */
  readonly timezone: string;
}

export interface NotifyConfig extends ChannelsConfig {
  readonly policy: AlertPolicy;
  readonly maintenance: readonly MaintenanceWindow[];
  readonly heartbeat: HeartbeatConfig | null;
}

export interface HeartbeatConfig {
  /** Of a service that raises the alarm when it is not fetched for a while. */
  readonly url: string;
  readonly every: Millis;
}

export interface AlertPolicy {
  /** Rounds in a row that must show a cause before its incident opens. */
  readonly confirmations: number;
  /** Rounds in a row without it before its incident closes. */
  readonly recoveries: number;
  readonly reminder: Millis;
  readonly maxPerHour: number;
}

export interface MaintenanceWindow {
  readonly cron: string;
  readonly duration: Millis;
  readonly timezone: string;
}

export interface WebConfig {
  readonly listen: ListenAddress;
  readonly tls: TlsFiles | null;
  /** Basic auth; nobody is asked when empty. */
  readonly users: readonly { readonly name: string; readonly passwordHash: SecretSource }[];
  /** Names that this server is called by, in lower case; `localhost` and addresses always are. */
  readonly hosts: readonly string[];
  /** More targets that `/probe` accepts, `host:port`. */
  readonly probeTargets: readonly HostPort[];
}

export interface StoreConfig {
  readonly path: string;
  readonly retention: Millis;
}
