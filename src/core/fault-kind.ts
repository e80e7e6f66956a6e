/**
 * What kind of fault stands behind a cause, where one cause has several: each has a summary and a remedy of its own in
 * the catalogue.
 *
 * - `name-filtered`: the same address answers to another server name
 * - `answered-nearer`: the answer came faster than the server's could have come
 * - `large-answers-lost`: small answers arrive and certificates do not, from anywhere
 * - `all-tls-cut`: independent hosts are cut just as the licence server is
 * - `page-in-plain-text`, `page-inside-tls`: a block page, in the place of TLS or within it
 * - `no-answer`, `refused`, `refused-nearer`, `denied-by-policy`: how the port stays shut
 * - `silent-past-policy`: the port stays shut although the firewall's policy lets the connection pass
 * - `tcp-blocked`: the resolver cuts its answer short, and cannot be asked over TCP
 */
export type FaultKind =
  | 'name-filtered'
  | 'answered-nearer'
  | 'large-answers-lost'
  | 'all-tls-cut'
  | 'page-in-plain-text'
  | 'page-inside-tls'
  | 'no-answer'
  | 'refused'
  | 'refused-nearer'
  | 'denied-by-policy'
  | 'silent-past-policy'
  | 'tcp-blocked';
