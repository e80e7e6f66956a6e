import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { appendFile, copyFile, rename, truncate, writeFile } from 'node:fs/promises';

import type { EpochMs } from '../../src/core/clock.ts';
import type { Conductor } from './conductor.ts';
import { APPLIANCE_ADDRESS, FIREWALL_ADDRESS, LICENSE_ADDRESSES, LICENSE_HOST, SYSLOG } from './site.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** FortiAuthenticator's log, sent as syslog over UDP and written to a file by a syslog server on the same machine. */
export class ApplianceLog implements AsyncDisposable {
  readonly file: string;
  readonly #conductor: Conductor;
  readonly #appliance: Socket = createSocket('udp4');
  readonly #firewall: Socket = createSocket('udp4');

  constructor(file: string, conductor: Conductor) {
    this.file = file;
    this.#conductor = conductor;
  }

  async open(): Promise<void> {
    await writeFile(this.file, '');
    for (const [socket, address] of [
      [this.#appliance, APPLIANCE_ADDRESS],
      [this.#firewall, FIREWALL_ADDRESS],
    ] as const) {
      const listening = once(socket, 'listening');
      socket.bind(0, address);
      await listening;
    }
  }

  say(message: string, level = 'information'): Promise<void> {
    return send(this.#appliance, `<${level === 'error' ? '11' : '14'}>${this.#event(message, level)}`);
  }

  write(message: string, level = 'information'): Promise<void> {
    return appendFile(this.file, `${this.#event(message, level)}\n`);
  }

  /** Renames the file as logrotate does. The writer continues in a new file. */
  async rotate(): Promise<void> {
    await rename(this.file, `${this.file}.1`);
    await writeFile(this.file, '');
  }

  /** Copies the file and truncates it. */
  async cut(): Promise<void> {
    await copyFile(this.file, `${this.file}.1`);
    await truncate(this.file);
  }

  /** Writes the line that a FortiGate logs after it has opened a client's TLS session and signed it again. */
  admitInspection(): Promise<void> {
    const line =
      'date=2026-01-01 time=00:00:00 devname="fgt-1" devid="FG100F0000000001" logid="1700062302" type="utm" ' +
      'subtype="ssl" eventtype="ssl-anomalies" level="warning" vd="root" action="resign-as-untrusted" policyid=5 ' +
      `srcip=${APPLIANCE_ADDRESS} ` +
      `dstip=${LICENSE_ADDRESSES[0] ?? ''} dstport=443 profile="deep-inspection" hostname="${LICENSE_HOST}"`;
    return send(this.#firewall, `<189>${line}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#appliance, this.#firewall])
      await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #event(message: string, level: string): string {
    return (
      `${stamp(this.#conductor.now())} fac-1 db[16987]:  category="Event" subcategory="System" typeid=0 ` +
      `level="${level}" ` +
      `user="" nas="" action="" status="" ${message}`
    );
  }
}

/** In this machine's time zone, as its syslog server writes it. */
function stamp(now: EpochMs): string {
  const date = new Date(now);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  return `${MONTHS[date.getMonth()] ?? ''} ${String(date.getDate()).padStart(2, ' ')} ${time}`;
}

function send(socket: Socket, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(line, SYSLOG.port, SYSLOG.address, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
